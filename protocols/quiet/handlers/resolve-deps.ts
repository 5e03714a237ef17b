/**
 * Holds back an event until everything it rests on is there: its network and group, the events it names, its author being let in (to the
 * network, and to the group), and the right it claims. What waits is kept in the database as it was received, within quotas; `release` takes it
 * up again. Everything asked here gets the same answer in whatever order events arrive: what can only become true is waited for, and what a
 * removal takes away is judged by the chain.
 */
import type { OpenedEnvelope } from '../../../core/envelope.ts';
import type { Id } from '../../../core/fields.ts';
import { type HandlerContext, handler } from '../../../core/handler.ts';
import { limits } from '../../../core/limits.ts';
import { advance, type Outcome, reject } from '../../../core/outcome.ts';
import { cutOf, isLinked } from './chain.ts';
import { storeEdges } from './event-store.ts';
import {
  audienceOf,
  insertEvent,
  isCuttable,
  isGroupDevice,
  isMemberDevice,
  standingOf,
  standingOfBase,
} from './store.ts';
import { holdBack, type WaitsFor } from './waiting.ts';

export const resolveDeps = handler({
  name: 'resolve-deps',
  takes: 'opened',
  gives: ['opened'],
  accepts: (envelope) => envelope.raw !== null,
  process: (envelope, context) => {
    const { event, identity, type } = envelope;
    const hold = (rule: string, waits: WaitsFor = {}) => holdEvent(envelope, context, rule, waits);
    if (event.created_ms > context.now_ms + limits.clock_skew_ms)
      return hold('from_the_future', { not_before_ms: event.created_ms - limits.clock_skew_ms });

    const audience = audienceOf(envelope.header!, type.effect === 'group', event.event_id);
    const missing = new Set<Id>();
    let is_dead = false;
    for (const dependency of dependenciesOf(envelope)) {
      if (dependency === event.event_id) return reject('depends_on_itself');
      const { standing, group_id } = standingOfBase(context, identity, dependency);
      if (standing === 'refused') return reject('dependency_refused');
      if (standing === 'dead') is_dead = true;
      else if (standing !== 'live') missing.add(dependency);
      // What is for everybody must not rest on what only some can see.
      else if (group_id !== null && group_id !== audience) return reject('dependency_of_another_group');
    }
    if (missing.size > limits.dependencies_max + limits.group_founders_max)
      return reject('too_many_dependencies');
    // The new words of something deleted are not kept to wait for anything.
    if (missing.size > 0 && type.effect === 'replace' && isDead(event.target?.event_id, envelope, context))
      return reject('died_with_its_target');
    if (missing.size > 0) return hold('dependency_missing', { missing: [...missing] });

    const strangers = authorsThatMustCount(envelope).filter(
      (device) => !isMemberDevice(context, identity, device),
    );
    if (strangers.length > 0) return hold('author_not_a_member', { missing: strangers });
    if (audience !== null && audience !== event.event_id) {
      if (!isGroupDevice(context, identity, audience, event.author)) return hold('author_not_in_group');
    }
    if (!isCuttable(type)) return advance(envelope);
    const doubt = cutRule(envelope, audience, context);
    if (doubt !== null) return hold(doubt.rule, doubt.waits);
    return is_dead ? dieToo(envelope, audience, context) : advance(envelope);
  },
});

const isDead = (event_id: Id | undefined, { identity }: OpenedEnvelope, context: HandlerContext): boolean =>
  event_id !== undefined && standingOf(context, identity, event_id).standing === 'dead';

/** Ids of the events that this one names and needs. */
function dependenciesOf(envelope: OpenedEnvelope): readonly Id[] {
  const { header, type } = envelope;
  const body = envelope.event.body as Readonly<Record<string, unknown>>;
  const found: Id[] = [];
  if (header?.network_id != null) found.push(header.network_id);
  if (header?.group_id != null && header.group_id !== header.network_id) found.push(header.group_id);
  for (const field of type.dependency_fields) {
    const value = body[field];
    for (const id of Array.isArray(value) ? value : [value]) if (typeof id === 'string') found.push(id);
  }
  return found;
}

function authorsThatMustCount(envelope: OpenedEnvelope): Id[] {
  if (envelope.type.authors === 'anyone') return [];
  const { author, target } = envelope.event;
  // Whether a deletion is rightful depends on whose the target is: its author must be known, too.
  return target === null || target.author === author ? [author] : [author, target.author];
}

/** Why a removal or a revocation keeps this event from counting; null: none does. Both can be overruled, so that what they stop waits. */
function cutRule(
  envelope: OpenedEnvelope,
  audience: Id | null,
  context: HandlerContext,
): { rule: string; waits: WaitsFor } | null {
  const { event, identity, type } = envelope;
  const cut = cutOf(context, identity, event.author, audience);
  if (cut !== null && !isLinked(context, identity, event.event_id, event.author, audience))
    return { rule: 'author_removed', waits: { quota: cut.seq + limits.waiting_per_author_max } };
  const grant_id =
    type.basis_field === null ? null : (event.body as Record<string, unknown>)[type.basis_field];
  if (typeof grant_id !== 'string') return null;
  const limit = context
    .statement(
      `SELECT device, head FROM right_cut WHERE identity = :identity AND grant_id = :grant_id
         AND (device = x'' OR (device = :device AND group_id = :group_id)) ORDER BY device LIMIT 1`,
    )
    .get({
      identity,
      grant_id: Uint8Array.fromHex(grant_id),
      device: Uint8Array.fromHex(event.author),
      group_id: audience === null ? new Uint8Array(0) : Uint8Array.fromHex(audience),
    });
  if (limit === undefined) return null;
  const head = limit.head;
  const counts = head instanceof Uint8Array && isBeforeHead(context, identity, event.event_id, head);
  return counts ? null : { rule: 'right_not_in_force', waits: {} };
}

const CHAIN = `WITH RECURSIVE chain (id) AS (
  SELECT :head UNION SELECT prev_of(h.header) FROM chain JOIN known_header h ON h.identity = :identity AND h.id = chain.id)`;

/**
 * Whether an event is `head` or is reached from it: of a device that goes on writing, only what needs the right is cut. Where a header is missing,
 * it is noted, so that the question is asked again when it has come.
 */
function isBeforeHead(context: HandlerContext, identity: number, event_id: Id, head: Uint8Array): boolean {
  const found = context
    .statement(`${CHAIN} SELECT 1 AS found FROM chain WHERE id = :id`)
    .get({ identity, id: Uint8Array.fromHex(event_id), head });
  if (found !== undefined) return true;
  context
    .statement(
      `INSERT INTO judgement_gap (identity, missing) ${CHAIN}
       SELECT :identity, id FROM chain WHERE id IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM known_header h WHERE h.identity = :identity AND h.id = chain.id) ON CONFLICT DO NOTHING`,
    )
    .run({ identity, head });
  return false;
}

/** What hangs on a dead event is dead, and leaves a tombstone of its own. */
function dieToo(envelope: OpenedEnvelope, audience: Id | null, context: HandlerContext): Outcome<never> {
  const { identity, event, raw, header } = envelope;
  if (raw === null || header === null) return reject('dependency_is_dead');
  const tombstone = { header: raw.header, signature: raw.signature, body: null };
  const n = insertEvent(context, identity, event.event_id, header, tombstone, {
    type: header.type ?? 'sealed',
    audience,
  });
  storeEdges(envelope, n, context);
  return reject('died_with_its_target');
}

function holdEvent(
  envelope: OpenedEnvelope,
  context: HandlerContext,
  rule: string,
  waits: WaitsFor,
): Outcome<never> {
  const { identity, event, raw, header, origin, cause } = envelope;
  if (raw === null || header === null) return reject(rule);
  return holdBack(context, { identity, raw, header, event_id: event.event_id, origin, cause }, rule, waits);
}
