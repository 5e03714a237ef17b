/**
 * The queue of events that wait (`waiting`, `waiting_for` in `store.sql`): edges and a counter each, so that what became valid finds those that
 * waited for it without looking at any other. Bounded by author and network, so that nobody fills it for others.
 */
import { sameBytes } from '../../../core/cbor.ts';
import type { SqlRow } from '../../../core/db.ts';
import type {
  Cause,
  Header,
  Identity,
  Origin,
  RawEvent,
  VerifiedEnvelope,
  Wrap,
} from '../../../core/envelope.ts';
import type { Id } from '../../../core/fields.ts';
import type { HandlerContext } from '../../../core/handler.ts';
import { decodeHeader } from '../../../core/header-codec.ts';
import { limits } from '../../../core/limits.ts';
import { block, type Outcome, reject } from '../../../core/outcome.ts';
import { isMemberDevice } from './store.ts';

/** Devices that are not members (yet) may have less waiting: whoever knows a network's id can make any number of them. */
const WAITING_PER_STRANGER_MAX = 64;

/** Cause of what is taken up again because somebody's standing changed: it was stored before, and no quota may lose it. */
export const STANDING_CAUSE: Cause = { kind: 'host', name: 'standing' };

interface Held {
  readonly identity: Identity;
  readonly raw: RawEvent;
  readonly header: Header;
  readonly event_id: Id;
  readonly origin: Origin;
  readonly cause: Cause;
}

export interface WaitsFor {
  /** Ids of events, devices or keys. */
  readonly missing?: readonly Id[];
  /** One of the missing is enough (a wrap under any key that we get). */
  readonly any?: boolean;
  readonly not_before_ms?: number;
  /** More than the usual may wait: what a removal leaves in doubt is bounded by the length of the chain. */
  readonly quota?: number;
}

/** Puts an event among those that wait, within quotas. */
export function holdBack(
  context: HandlerContext,
  held: Held,
  rule: string,
  { missing = [], any = false, not_before_ms = 0, quota = 0 }: WaitsFor = {},
): Outcome<never> {
  const { identity, header, raw, event_id } = held;
  const is_member = isMemberDevice(context, identity, header.author);
  // What is made here fails at once instead of waiting: its maker is there to be told. Except for a newcomer's first words, which wait to be let in.
  if (held.origin.from === 'here') {
    const me = context.scope(identity).me;
    if (me === null || isMemberDevice(context, identity, me.device_id)) return block(rule, missing);
  }
  const author = Uint8Array.fromHex(header.author);
  const count = (sql: string) => context.statement(sql).get({ identity, author })?.waiting as number;
  if (held.cause !== STANDING_CAUSE) {
    const most = Math.max(quota, is_member ? limits.waiting_per_author_max : WAITING_PER_STRANGER_MAX);
    if (
      count('SELECT count(*) AS waiting FROM waiting WHERE identity = :identity AND author = :author') >= most
    )
      return reject('waiting_quota_of_author');
    // Whoever is no member can be any number of devices, and must not take the room of those who are.
    const most_of_all = is_member ? limits.waiting_per_network_max : limits.waiting_per_network_max / 2;
    if (count('SELECT count(*) AS waiting FROM waiting WHERE identity = :identity') >= most_of_all)
      return reject('waiting_quota_of_network');
  }
  const waiting = context
    .statement(
      `INSERT INTO waiting (identity, id, author, group_id, seq, rule, missing, not_before_ms, received_ms, expires_ms, target, header, signature, body)
       VALUES (:identity, :id, :author, :group_id, :seq, :rule, :missing, :not_before_ms, :now_ms, :expires_ms, :target, :header, :signature, :body)`,
    )
    .run({
      identity,
      id: Uint8Array.fromHex(event_id),
      author,
      group_id: header.group_id === null ? null : Uint8Array.fromHex(header.group_id),
      seq: header.seq,
      rule,
      missing: any ? Math.min(1, missing.length) : missing.length,
      not_before_ms,
      now_ms: context.now_ms,
      expires_ms: header.expires_ms,
      target: header.target === null ? null : Uint8Array.fromHex(header.target.event_id),
      header: raw.header,
      signature: raw.signature,
      body: raw.body,
    }).last_insert_rowid;
  const wrap = context.statement(
    'INSERT INTO waiting_wrap (waiting, place, key_id, sealed) VALUES (:waiting, :place, :key_id, :sealed)',
  );
  for (const [place, { key_id, sealed }] of raw.wraps.entries())
    wrap.run({ waiting, place, key_id: Uint8Array.fromHex(key_id), sealed });
  const edge = context.statement(
    'INSERT INTO waiting_for (identity, missing, waiting) VALUES (:identity, :missing, :waiting)',
  );
  for (const id of missing) edge.run({ identity, missing: Uint8Array.fromHex(id), waiting });
  return block(rule, missing);
}

/** Removes the edges to `missing` (an event id, a device or a key), and takes out of the queue the events that wait for nothing more. */
export function takeReleasedBy(
  context: HandlerContext,
  identity: Identity,
  missing: Id,
  cause: Cause,
): VerifiedEnvelope[] {
  const params = { identity, missing: Uint8Array.fromHex(missing) };
  const edges = context
    .statement('SELECT waiting FROM waiting_for WHERE identity = :identity AND missing = :missing')
    .all(params);
  if (edges.length === 0) return [];
  context.statement('DELETE FROM waiting_for WHERE identity = :identity AND missing = :missing').run(params);
  const released: VerifiedEnvelope[] = [];
  for (const { waiting } of edges) {
    const n = waiting as number;
    context.statement('UPDATE waiting SET missing = missing - 1 WHERE n = :n').run({ n });
    const row = context.statement('SELECT missing FROM waiting WHERE n = :n').get({ n });
    if (row?.missing === 0) released.push(takeOut(context, n, cause));
  }
  return released;
}

/**
 * Takes an event that waits for a key out of the queue, with the wraps that a further copy of it brings: a wrap is not signed, and whoever came
 * first may have brought one that nobody can open. Null where it waits for something else, or nothing is new. The newest wraps stay.
 */
export function mergeWraps(
  context: HandlerContext,
  identity: Identity,
  event_id: Id,
  brought: readonly Wrap[],
): RawEvent | null {
  const n = waitingNumberOf(context, identity, event_id);
  const rule =
    n === null ? undefined : context.statement('SELECT rule FROM waiting WHERE n = :n').get({ n })?.rule;
  if (n === null || rule !== 'key_missing') return null;
  const known = waitingWraps(context, n);
  const isKnown = (wrap: Wrap) =>
    known.some((other) => other.key_id === wrap.key_id && sameBytes(other.sealed, wrap.sealed));
  const fresh = brought.filter((wrap) => !isKnown(wrap));
  if (fresh.length === 0) return null;
  const { raw } = takeOut(context, n, STANDING_CAUSE);
  return { ...raw, wraps: [...fresh, ...known].slice(0, limits.wraps_per_event_max) };
}

/** The wraps of an event that waits, as they came. */
function waitingWraps(context: HandlerContext, n: number): Wrap[] {
  return context
    .statement('SELECT key_id, sealed FROM waiting_wrap WHERE waiting = :n ORDER BY place')
    .all({ n })
    .map((row) => ({ key_id: (row.key_id as Uint8Array).toHex(), sealed: row.sealed as Uint8Array }));
}

/** Takes one event out of the queue, verified as it was when it came in. */
export function takeOut(context: HandlerContext, n: number, cause: Cause): VerifiedEnvelope {
  const row = context
    .statement('SELECT identity, id, header, signature, body FROM waiting WHERE n = :n')
    .get({ n }) as SqlRow;
  const wraps = waitingWraps(context, n);
  drop(context, n);
  const raw: RawEvent = {
    header: row.header as Uint8Array,
    signature: row.signature as Uint8Array,
    body: row.body as Uint8Array,
    wraps,
  };
  return verifiedAgain(row.identity as number, (row.id as Uint8Array).toHex(), raw, cause);
}

/** An event that was verified when it came, on its way again. Whose session brought it no longer matters. */
export function verifiedAgain(
  identity: Identity,
  event_id: Id,
  raw: RawEvent,
  cause: Cause,
): VerifiedEnvelope {
  return {
    stage: 'verified',
    identity,
    cause,
    origin: { from: 'network', session_id: '', device_id: '' },
    depth: 0,
    raw,
    event_id,
    header: decodeHeader(raw.header),
  };
}

/** Drops the events that wait for an event which can never become valid. */
export function dropWaitingFor(context: HandlerContext, identity: Identity, missing: Id): void {
  const rows = context
    .statement('SELECT waiting FROM waiting_for WHERE identity = :identity AND missing = :missing')
    .all({ identity, missing: Uint8Array.fromHex(missing) });
  for (const { waiting } of rows) drop(context, waiting as number);
}

/** The number of an event that itself waits, or null. */
export function waitingNumberOf(context: HandlerContext, identity: Identity, event_id: Id): number | null {
  const row = context
    .statement('SELECT n FROM waiting WHERE identity = :identity AND id = :id')
    .get({ identity, id: Uint8Array.fromHex(event_id) });
  return row === undefined ? null : (row.n as number);
}

export function drop(context: HandlerContext, n: number): void {
  context.statement('DELETE FROM waiting_wrap WHERE waiting = :n').run({ n });
  context.statement('DELETE FROM waiting_for WHERE waiting = :n').run({ n });
  context.statement('DELETE FROM waiting WHERE n = :n').run({ n });
}
