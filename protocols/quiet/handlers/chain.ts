/**
 * A device's events in one audience (everybody, or one private group) are a chain: numbered, each naming the one before. Two things rest on it.
 *
 * Our own: the next event continues at `chain_head`; a device whose data was restored learns from its peers where it was.
 * A removed device's: its events count from the head that the removal names back along `prev`, and no others, whatever number or time they
 * claim. `chain_link` holds what is proved so far; the walk goes on as headers arrive, and `chain_gap` says where it stands.
 */
import type { Header, Identity, RawEvent, VerifiedEnvelope } from '../../../core/envelope.ts';
import type { Id } from '../../../core/fields.ts';
import type { HandlerContext } from '../../../core/handler.ts';
import { decodeHeader } from '../../../core/header-codec.ts';
import { audienceOfHeader, hexOrNull } from './store.ts';
import { STANDING_CAUSE, takeOut } from './waiting.ts';

const EVERYBODY = new Uint8Array(0);
const groupBytes = (group_id: Id | null) => (group_id === null ? EVERYBODY : Uint8Array.fromHex(group_id));

// --- our own chains ---------------------------------------------------------------------------------------------------------------------

export interface ChainEnd {
  readonly seq: number;
  readonly event_id: Id | null;
}

/** The last event of this identity's device in an audience. */
export function chainEnd(context: HandlerContext, identity: Identity, group_id: Id | null): ChainEnd {
  const row = context
    .statement('SELECT seq, event_id FROM chain_head WHERE identity = :identity AND group_id = :group_id')
    .get({ identity, group_id: groupBytes(group_id) });
  return { seq: (row?.seq as number | undefined) ?? 0, event_id: hexOrNull(row?.event_id) };
}

/** Notes an event of this identity's device as the last of its chain, unless a later one is known. */
export function advanceChain(
  context: HandlerContext,
  identity: Identity,
  group_id: Id | null,
  seq: number,
  event_id: Id,
): void {
  context
    .statement(
      `INSERT INTO chain_head (identity, group_id, seq, event_id) VALUES (:identity, :group_id, :seq, :event_id)
       ON CONFLICT (identity, group_id) DO UPDATE SET seq = excluded.seq, event_id = excluded.event_id WHERE excluded.seq > seq`,
    )
    .run({ identity, group_id: groupBytes(group_id), seq, event_id: Uint8Array.fromHex(event_id) });
}

// --- chains of removed devices ------------------------------------------------------------------------------------------------------------

/** Where a device's events end that count. */
export interface Cut {
  readonly seq: number;
  readonly head: Id | null;
}

/** The cut of a device in an audience; null where all of its events count. */
export function cutOf(
  context: HandlerContext,
  identity: Identity,
  device_id: Id,
  group_id: Id | null,
): Cut | null {
  const ask = (): Cut | null => {
    const row = context
      .statement(
        'SELECT seq, head FROM cut WHERE identity = :identity AND device = :device AND group_id = :group_id',
      )
      .get({ identity, device: Uint8Array.fromHex(device_id), group_id: groupBytes(group_id) });
    return row === undefined ? null : { seq: row.seq as number, head: hexOrNull(row.head) };
  };
  return context.remembered(`cut ${identity} ${device_id} ${group_id}`, ask);
}

/** Whether an event of a cut device is proved to count. */
export function isLinked(
  context: HandlerContext,
  identity: Identity,
  event_id: Id,
  device_id: Id,
  group_id: Id | null,
): boolean {
  const row = context
    .statement(
      'SELECT 1 AS found FROM chain_link WHERE identity = :identity AND id = :id AND device = :device AND group_id = :group_id',
    )
    .get({
      identity,
      id: Uint8Array.fromHex(event_id),
      device: Uint8Array.fromHex(device_id),
      group_id: groupBytes(group_id),
    });
  return row !== undefined;
}

/** A device's chain in one audience, and the number below which its next link lies. */
interface Walk {
  readonly identity: Identity;
  readonly device_id: Id;
  readonly group_id: Id | null;
  readonly below_seq: number;
}

/** Walks a cut device's chain anew from `head`. Returns what waited for the proof. */
export function relink(
  context: HandlerContext,
  identity: Identity,
  device_id: Id,
  group_id: Id | null,
  head: Id | null,
): VerifiedEnvelope[] {
  const params = { identity, device: Uint8Array.fromHex(device_id), group_id: groupBytes(group_id) };
  for (const table of ['chain_link', 'chain_gap'])
    context
      .statement(
        `DELETE FROM ${table} WHERE identity = :identity AND device = :device AND group_id = :group_id`,
      )
      .run(params);
  return walk(context, { identity, device_id, group_id, below_seq: Number.MAX_SAFE_INTEGER }, head);
}

/** Called when an event or a header has arrived: goes on with the walks that stood at it. */
export function fillGap(
  context: HandlerContext,
  identity: Identity,
  event_id: Id,
  header: Header,
): VerifiedEnvelope[] {
  const gaps = context
    .statement(
      'SELECT device, group_id, below_seq FROM chain_gap WHERE identity = :identity AND missing = :missing',
    )
    .all({ identity, missing: Uint8Array.fromHex(event_id) });
  return gaps.flatMap((gap) => {
    const group = gap.group_id as Uint8Array;
    context
      .statement(
        'DELETE FROM chain_gap WHERE identity = :identity AND device = :device AND group_id = :group_id',
      )
      .run({ identity, device: gap.device as Uint8Array, group_id: group });
    const on: Walk = {
      identity,
      device_id: (gap.device as Uint8Array).toHex(),
      group_id: group.length === 0 ? null : group.toHex(),
      below_seq: gap.below_seq as number,
    };
    if (!fits(context, on, event_id, header)) return [];
    link(context, on, event_id);
    return walk(context, { ...on, below_seq: header.seq }, header.prev);
  });
}

/** Keeps a signed header without its event, as a link in its author's chain. */
export function keepHeader(
  context: HandlerContext,
  identity: Identity,
  event_id: Id,
  { header, signature }: Pick<RawEvent, 'header' | 'signature'>,
): void {
  context
    .statement(
      'INSERT INTO chain_header (identity, id, header, signature) VALUES (:identity, :id, :header, :signature) ON CONFLICT DO NOTHING',
    )
    .run({ identity, id: Uint8Array.fromHex(event_id), header, signature });
}

/** Whether another event names it as the one before, and nothing of it was here when that was looked at (see the job `find_missing_links`). */
export function isMissing(context: HandlerContext, identity: Identity, event_id: Id): boolean {
  const row = context
    .statement('SELECT 1 AS found FROM missing_link WHERE identity = :identity AND id = :id')
    .get({ identity, id: Uint8Array.fromHex(event_id) });
  return row !== undefined;
}

/** A missing header has come: now the one before it may be missing. */
export function moveGap(context: HandlerContext, identity: Identity, event_id: Id, prev: Id | null): void {
  context
    .statement('DELETE FROM missing_link WHERE identity = :identity AND id = :id')
    .run({ identity, id: Uint8Array.fromHex(event_id) });
  if (prev === null) return;
  const before = { identity, id: Uint8Array.fromHex(prev) };
  if (context.statement(KNOWN_HEADER).get(before) !== undefined) return;
  context
    .statement('INSERT INTO missing_link (identity, id) VALUES (:identity, :id) ON CONFLICT DO NOTHING')
    .run(before);
}

/** Whether a walk stands at this event. */
export function isGap(context: HandlerContext, identity: Identity, event_id: Id): boolean {
  const row = context
    .statement('SELECT 1 AS found FROM chain_gap WHERE identity = :identity AND missing = :missing')
    .get({ identity, missing: Uint8Array.fromHex(event_id) });
  return row !== undefined;
}

const KNOWN_HEADER = `
  SELECT header, NULL AS waiting, NULL AS rule FROM event WHERE identity = :identity AND id = :id
  UNION ALL SELECT header, n, rule FROM waiting WHERE identity = :identity AND id = :id
  UNION ALL SELECT header, NULL, NULL FROM refused WHERE identity = :identity AND id = :id
  UNION ALL SELECT header, NULL, NULL FROM chain_header WHERE identity = :identity AND id = :id LIMIT 1`;

/** Links events from `from` backwards as far as their headers are known. */
function walk(context: HandlerContext, on: Walk, from: Id | null): VerifiedEnvelope[] {
  const { identity, device_id, group_id } = on;
  const released: VerifiedEnvelope[] = [];
  let { below_seq } = on;
  for (let id = from; id !== null; ) {
    const row = context.statement(KNOWN_HEADER).get({ identity, id: Uint8Array.fromHex(id) });
    if (row === undefined) {
      context
        .statement(
          `INSERT INTO chain_gap (identity, device, group_id, missing, below_seq)
           VALUES (:identity, :device, :group_id, :missing, :below_seq)`,
        )
        .run({
          identity,
          device: Uint8Array.fromHex(device_id),
          group_id: groupBytes(group_id),
          missing: Uint8Array.fromHex(id),
          below_seq,
        });
      break;
    }
    const header = decodeHeader(row.header as Uint8Array);
    if (!fits(context, { ...on, below_seq }, id, header)) break;
    link(context, on, id);
    if (row.rule === 'author_removed') released.push(takeOut(context, row.waiting as number, STANDING_CAUSE));
    below_seq = header.seq;
    id = header.prev;
  }
  return released;
}

/** Whether an event can be the next link: by this device, in this audience, with a lower number. What cannot ends the walk. */
function fits(context: HandlerContext, on: Walk, event_id: Id, header: Header): boolean {
  return (
    header.author === on.device_id &&
    header.seq < on.below_seq &&
    audienceOfHeader(context, header, event_id) === on.group_id
  );
}

function link(context: HandlerContext, { identity, device_id, group_id }: Walk, id: Id): void {
  context
    .statement(
      'INSERT INTO chain_link (identity, id, device, group_id) VALUES (:identity, :id, :device, :group_id) ON CONFLICT DO NOTHING',
    )
    .run({
      identity,
      id: Uint8Array.fromHex(id),
      device: Uint8Array.fromHex(device_id),
      group_id: groupBytes(group_id),
    });
}
