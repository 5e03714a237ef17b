import { type Envelope, forward, instruct, transmit } from '../../../../core/envelope.ts';
import { everyEvent } from '../../../../core/event-type.ts';
import { reflector } from '../../../../core/sources.ts';
import { fetchBody, fetchOf, mutable } from '../../reconcile/fetch.ts';
import { itemsOf } from '../../reconcile/items.ts';
import { reconcile } from '../../reconcile/negentropy.ts';
import { openingRequest, progressOf, wants } from '../../reconcile/round.ts';
import { getDeadBefore } from '../chain-scan/queries.ts';
import { getClockWitness } from '../clock-witness/queries.ts';
import { clockWitness } from '../clock-witness/schema.ts';
import { getFetch } from '../fetch/queries.ts';
import { fetching, syncFetch } from '../fetch/schema.ts';
import { isRemovedDevice } from '../remove/queries.ts';
import { getSyncedWith } from '../synced/queries.ts';
import { synced } from '../synced/schema.ts';
import { getUserOfDevice } from '../user/queries.ts';
import {
  getDeliveryTo,
  getIntroduction,
  getLastOf,
  getLastTakenIn,
  getOwnAdmission,
  getPeersToPush,
  isMember,
  wasLetIn,
} from './queries.ts';
import { EVENTS_PER_FRAME, syncRefused, syncRequest, syncResponse } from './schema.ts';

/** Exchanges without any progress after which a round is left to the next run of the job. */
const ROUNDS_MAX = 32;
/** Headers of what is gone that answer for one that is asked for: those before it will be asked for next. */
const DEAD_SENT_MAX = 64;
/** Events with which a device introduces itself. */
const INTRODUCTION_MAX = 200;
/** How often a peer's clock is noted again, as long as it says the same. */
const WITNESS_EVERY_MS = 3_600_000;
/** How often it is noted that this device has agreed with another one. */
const SYNCED_EVERY_MS = 60_000;

/** Sends what this device has just said to every member that is connected and that it is for. What does not arrive is found by the next round. */
export const reflectOwnEvent = reflector(everyEvent, (query, event, ctx) =>
  ctx.from === 'here'
    ? query(getPeersToPush, { group_id: event.group_id }).map((peer) =>
        forward(event.event_id, peer.session_id),
      )
    : [],
);

/** Answers a peer with the next message of the reconciliation, and sends what the peer lacks as far as that is known by now. */
export const reflectSyncRequest = reflector(syncRequest, (query, request, ctx) => {
  const session = ctx.session;
  if (session === null) return [];
  const { message, need, round, asker_progress, answerer_progress, introduced, much } = request.body;
  if (query(isMember, { device_id: session.device_id }).length === 0) {
    // Who was removed, or has left, lets nobody in: the other need not show what it has.
    const is_out = ctx.me !== null && query(isRemovedDevice, { device_id: ctx.me.device_id }).length > 0;
    return is_out ? [] : [transmit(syncRefused, { introduced }, session.session_id)];
  }
  const cut_ms = request.body.cut_ms ?? request.body.now_ms;
  const items = itemsOf(query, cut_ms, ctx.now_ms, session.device_id);
  const reconciled = message === null ? null : reconcile(items, Uint8Array.fromHex(message), false);
  // Who has just come in can judge nothing before it knows the members.
  const first = introduced
    ? query(getIntroduction, { limit: EVENTS_PER_FRAME }).map((row) => row.event_id)
    : [];
  const missing = new Set([
    ...laterOf(query, session.device_id, request.body),
    ...first,
    ...request.body.keys.flatMap((key_id) =>
      query(getDeliveryTo, { key_id, device_id: session.device_id }).map((row) => row.event_id),
    ),
    // What is nowhere any more may be asked for as long as the network lives: to have nothing to say to it is to agree.
    ...need.flatMap((event_id) =>
      query(getDeadBefore, { event_id, limit: DEAD_SENT_MAX }).map((row) => row.event_id),
    ),
    ...(reconciled?.have ?? []),
  ]);
  const sent: Envelope[] = [...missing]
    .slice(0, EVENTS_PER_FRAME)
    .map((event_id) => forward(event_id, session.session_id));
  const witness = witnessOf(query, session.device_id, request.body.now_ms, ctx.now_ms);
  const asks_itself = much && query(getFetch, { session_id: session.session_id }).length === 0;
  const own_round = asks_itself ? [openingRequest(query, ctx.now_ms, session)] : [];
  const is_agreed = reconciled !== null && reconciled.answer === null && sent.length === 0;
  if (is_agreed) {
    const noted = agreed(query, session.device_id, ctx.now_ms);
    // Who asked is told nothing when we agree: where that is news, it hears the same question.
    const question = noted.length > 0 ? [openingRequest(query, ctx.now_ms, session)] : [];
    return [...witness, ...noted, ...question];
  }
  const progress = progressOf(query);
  const response = transmit(
    syncResponse,
    {
      message: reconciled?.answer?.toHex() ?? null,
      cut_ms: items.cut_ms,
      round,
      asker_progress,
      answerer_progress: progress,
      answerer_progressed: progress !== answerer_progress,
    },
    session.session_id,
  );
  return [...sent, response, ...own_round, ...witness];
});

/** Goes on with the round: sends what the peer lacks, asks for what we lack, and begins anew as long as either side learns something. */
export const reflectSyncResponse = reflector(syncResponse, (query, response, ctx) => {
  const session = ctx.session;
  if (session === null || ctx.me === null) return [];
  // Strangers learn nothing, not even a fingerprint; but who is new here knows nobody yet, and must believe whom its invite names.
  const is_member = query(isMember, { device_id: session.device_id }).length > 0;
  if (!is_member && query(wasLetIn).length > 0) return [];
  const { message, cut_ms, asker_progress, answerer_progress, answerer_progressed } = response.body;
  const progress = progressOf(query);
  const progressed = answerer_progressed || progress !== asker_progress;
  const round = progressed ? 0 : response.body.round + 1;
  if (round > ROUNDS_MAX) return [];
  const known = { round, answerer_progress, introduced: false };
  const wanted = wants(query, ctx.now_ms, session.device_id);
  // Nothing new counts yet, but it may with a key that the peer can give: worth one more exchange.
  const goes_on = progressed || (round === 1 && wanted.keys.length > 0);
  if (message === null)
    return goes_on
      ? [openingRequest(query, ctx.now_ms, session, known)]
      : agreed(query, session.device_id, ctx.now_ms);
  const items = itemsOf(query, cut_ms, ctx.now_ms, session.device_id);
  const { answer, have, need, few } = reconcile(items, Uint8Array.fromHex(message), true);
  // Of a great many it fetches page by page what it lacks.
  const much = is_member && have.length > EVENTS_PER_FRAME;
  const sent: Envelope[] =
    is_member && !much ? have.map((event_id) => forward(event_id, session.session_id)) : [];
  const { session_id } = session;
  const fetch = fetchOf(query, few, session_id, ctx.now_ms);
  const fetched: Envelope[] =
    fetch === null
      ? []
      : [
          instruct(fetching, { session_id, ...mutable(fetch), left: 0, progress }),
          transmit(syncFetch, fetchBody(fetch, items, items.cut_ms, true), session_id),
        ];
  if (answer === null && need.length === 0 && !much) {
    // What is being fetched, here or from another peer, comes before the next round.
    const is_fetching = few.length > 0 || query(getFetch, { session_id }).length > 0;
    if (is_fetching) return [...sent, ...fetched];
    if (sent.length === 0)
      return goes_on
        ? [openingRequest(query, ctx.now_ms, session, known)]
        : agreed(query, session.device_id, ctx.now_ms);
  }
  const body = {
    message: answer?.toHex() ?? null,
    need: need.slice(0, EVENTS_PER_FRAME),
    ...wanted,
    cut_ms,
    now_ms: ctx.now_ms,
    asker_progress: progress,
    ...known,
    much,
  };
  return [...sent, ...fetched, transmit(syncRequest, body, session_id)];
});

/** A peer does not know us: we show it how we became a member, or that we hold an invite, and ask again, once. */
export const reflectSyncRefused = reflector(syncRefused, (query, refused, ctx) => {
  const session = ctx.session;
  if (session === null || refused.body.introduced || ctx.me === null) return [];
  const is_newcomer = query(wasLetIn).length === 0;
  const knows_peer = query(isMember, { device_id: session.device_id }).length > 0;
  // A stranger that "refuses" us must not learn who the members are.
  if (!is_newcomer && !knows_peer) return [];
  const limit = { limit: INTRODUCTION_MAX };
  const rows = [...query(getOwnAdmission, limit), ...query(getIntroduction, limit)];
  const introduction = [...new Set(rows.map((row) => row.event_id))]
    .slice(0, INTRODUCTION_MAX)
    .map((event_id) => forward(event_id, session.session_id));
  const again = openingRequest(query, ctx.now_ms, session, {
    round: 0,
    answerer_progress: 0,
    introduced: true,
  });
  return [...introduction, again];
});

/** Notes that this device has agreed with another one, when that is news: nothing is under way to it, and the other has what is here. */
function agreed(query: Parameters<typeof progressOf>[0], device_id: string, now_ms: number): Envelope[] {
  const through_n = query(getLastTakenIn)[0]?.n ?? 0;
  const last = query(getSyncedWith, { device_id })[0];
  const is_news =
    last === undefined || last.through_n !== through_n || Math.abs(now_ms - last.at_ms) > SYNCED_EVERY_MS;
  return is_news ? [instruct(synced, { device_id, through_n })] : [];
}

/** The last events that we have of a device, where they are later than what it says it has: its data was restored from an older state. */
function laterOf(
  query: Parameters<typeof progressOf>[0],
  device_id: string,
  {
    end_groups,
    end_seqs,
  }: { readonly end_groups: readonly (string | null)[]; readonly end_seqs: readonly number[] },
): string[] {
  const ends = new Map(end_groups.map((group_id, at) => [group_id, end_seqs[at] ?? 0]));
  return query(getLastOf, { device_id })
    .filter(({ group_id, seq }) => seq > (ends.get(group_id) ?? 0))
    .map(({ event_id }) => event_id);
}

/** Notes how far another user's clock is from ours, when that is news. */
function witnessOf(
  query: Parameters<typeof progressOf>[0],
  device_id: string,
  their_now_ms: number,
  now_ms: number,
): Envelope[] {
  const user = query(getUserOfDevice, { device_id })[0];
  if (user === undefined) return [];
  const offset_ms = their_now_ms - now_ms;
  const noted = query(getClockWitness, { user_id: user.user_id })[0];
  const is_news =
    noted === undefined ||
    Math.abs(noted.offset_ms - offset_ms) > 60_000 ||
    Math.abs(now_ms - noted.seen_ms) > WITNESS_EVERY_MS;
  return is_news ? [instruct(clockWitness, { user_id: user.user_id, offset_ms })] : [];
}
