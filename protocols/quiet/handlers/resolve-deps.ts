/**
 * Holds back an event until everything it rests on is valid: its network, the events it names, and its author being a member. What waits is kept in the
 * database as it was received, with a counter of what is missing, within quotas; `release` takes it up again.
 */
import type { OpenedEnvelope } from '../../../core/envelope.ts';
import type { Id } from '../../../core/fields.ts';
import { type HandlerContext, handler } from '../../../core/handler.ts';
import { limits } from '../../../core/limits.ts';
import { advance, block, type Outcome, reject } from '../../../core/outcome.ts';
import { insertEvent, isMemberDevice, type Standing, standingOf } from './store.ts';

/** Devices that are not members (yet) may have less waiting: whoever knows a network's id can make any number of them. */
const WAITING_PER_STRANGER_MAX = 64;

export const resolveDeps = handler({
  name: 'resolve-deps',
  takes: 'opened',
  gives: ['opened'],
  accepts: (envelope) => envelope.raw !== null,
  process: (envelope, context) => {
    const { event, identity } = envelope;
    if (event.created_ms > context.now_ms + limits.clock_skew_ms) {
      return hold(envelope, context, 'from_the_future', [], event.created_ms - limits.clock_skew_ms);
    }
    const missing = new Set<Id>();
    let dead: string | null = null;
    for (const [field, dependency] of dependenciesOf(envelope)) {
      if (dependency === event.event_id) return reject('depends_on_itself');
      const standing: Standing = standingOf(context, identity, dependency);
      if (standing === 'refused') return reject('dependency_refused');
      if (standing === 'dead') dead ??= field;
      else if (standing !== 'live') missing.add(dependency);
    }
    if (missing.size > limits.dependencies_max) return reject('too_many_dependencies');
    if (missing.size > 0) return hold(envelope, context, 'dependency_missing', [...missing], 0);
    const strangers = authorsThatMustCount(envelope).filter(
      (device) => !isMemberDevice(context, identity, device),
    );
    if (strangers.length > 0) return hold(envelope, context, 'author_not_a_member', strangers, 0);
    return dead === null ? advance(envelope) : dependencyIsDead(envelope, context, dead);
  },
});

/** [field, id] for each event that this one names and needs. */
function dependenciesOf(envelope: OpenedEnvelope): readonly (readonly [string, Id])[] {
  const body = envelope.event.body as Readonly<Record<string, unknown>>;
  const root = envelope.header?.network_id ?? null;
  const found: [string, Id][] = root === null ? [] : [['network', root]];
  for (const field of envelope.type.dependency_fields) {
    const value = body[field];
    for (const id of Array.isArray(value) ? value : [value])
      if (typeof id === 'string') found.push([field, id]);
  }
  return found;
}

function authorsThatMustCount(envelope: OpenedEnvelope): Id[] {
  if (envelope.type.authors === 'anyone') return [];
  const { author, target } = envelope.event;
  // Whether a deletion is rightful depends on whose the target is: its author must be known, too.
  return target === null || target.author === author ? [author] : [author, target.author];
}

/** What hangs on a dead event is dead, and leaves a tombstone of its own; what merely names one can never become valid. */
function dependencyIsDead(envelope: OpenedEnvelope, context: HandlerContext, field: string): Outcome<never> {
  const { identity, event, raw, header } = envelope;
  if (!envelope.type.cascade_fields.includes(field) || raw === null || header === null)
    return reject('dependency_is_dead');
  insertEvent(
    context,
    identity,
    event.event_id,
    header,
    { ...raw, body: null },
    { type: envelope.type.name, opaque: false },
  );
  return reject('died_with_its_target');
}

/** Puts the event among those that wait. `missing` empty: for its time. */
function hold(
  envelope: OpenedEnvelope,
  context: HandlerContext,
  rule: string,
  missing: readonly Id[],
  not_before_ms: number,
): Outcome<never> {
  const { identity, event, raw } = envelope;
  // What is made here fails at once instead of waiting: its maker is there to be told. Except for a newcomer's first words, which wait to be let in.
  const me = context.scope(identity).me;
  const is_newcomer = me !== null && !isMemberDevice(context, identity, me.device_id);
  if (raw === null || (envelope.origin.from === 'here' && !is_newcomer)) return block(rule, missing);
  const author = Uint8Array.fromHex(event.author);
  const quota = isMemberDevice(context, identity, event.author)
    ? limits.waiting_per_author_max
    : WAITING_PER_STRANGER_MAX;
  const count = (sql: string) => context.statement(sql).get({ identity, author })?.waiting as number;
  if (
    count('SELECT count(*) AS waiting FROM waiting WHERE identity = :identity AND author = :author') >= quota
  ) {
    return reject('waiting_quota_of_author');
  }
  if (
    count('SELECT count(*) AS waiting FROM waiting WHERE identity = :identity') >=
    limits.waiting_per_network_max
  ) {
    return reject('waiting_quota_of_network');
  }
  const waiting = context
    .statement(
      `INSERT INTO waiting (identity, id, author, rule, missing, not_before_ms, received_ms, header, signature, body)
       VALUES (:identity, :id, :author, :rule, :missing, :not_before_ms, :now_ms, :header, :signature, :body)`,
    )
    .run({
      identity,
      id: Uint8Array.fromHex(event.event_id),
      author,
      rule,
      missing: missing.length,
      not_before_ms,
      now_ms: context.now_ms,
      header: raw.header,
      signature: raw.signature,
      body: raw.body,
    }).last_insert_rowid;
  const edge = context.statement(
    'INSERT INTO waiting_for (identity, missing, waiting) VALUES (:identity, :missing, :waiting)',
  );
  for (const id of missing) edge.run({ identity, missing: Uint8Array.fromHex(id), waiting });
  return block(rule, missing);
}
