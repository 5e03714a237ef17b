/**
 * Applies a judgement on the facts (types with effect `standing`): where a device's cut has changed, what does not count any more is taken back
 * and what counts again is taken up; where a right was lost or regained, whatever was done by it is judged anew.
 */
import type { SqlRow } from '../../../core/db.ts';
import type { Identity, VerifiedEnvelope } from '../../../core/envelope.ts';
import type { Id } from '../../../core/fields.ts';
import { type HandlerContext, handler } from '../../../core/handler.ts';
import { advance } from '../../../core/outcome.ts';
import { relink } from './chain.ts';
import { hexOrNull, isCuttable, rowNumberOf } from './store.ts';
import { STANDING_CAUSE, takeOut } from './waiting.ts';
import { withdraw } from './withdraw.ts';

export const standing = handler({
  name: 'standing',
  takes: 'valid',
  gives: ['valid'],
  accepts: (envelope) => envelope.type.effect === 'standing',
  process: (envelope, context) => {
    const { identity } = envelope;
    const cuts = changes(context, identity, 'cut', 'device, group_id');
    const rights = changes(context, identity, 'right_cut', 'grant_id, device, group_id');
    // Always: a header that was missing for one of these may have come.
    const again: VerifiedEnvelope[] = takeUp(context, identity, 'right_not_in_force');
    for (const row of cuts) again.push(...applyCut(context, identity, row));
    const grants = new Set(rights.map((row) => (row.grant_id as Uint8Array).toHex()));
    again.push(...withdrawUsers(context, identity, grants));
    for (const table of ['cut', 'right_cut']) takeOver(context, identity, table);
    return advance(envelope, {
      follows: again.map((judged) => ({ envelope: judged })),
      after: cuts.length > 0 ? [{ effect: 'standing_changed', identity }] : [],
    });
  },
});

/** Rows of a table that differ from its `_applied` copy, as they are now; what is gone comes with `gone` 1. */
function changes(context: HandlerContext, identity: Identity, table: string, key: string): SqlRow[] {
  const columns = `${key}, seq, head`;
  const now = `SELECT ${columns} FROM ${table} WHERE identity = :identity`;
  const before = `SELECT ${columns} FROM ${table}_applied WHERE identity = :identity`;
  const same = key
    .split(', ')
    .map((name) => `t.${name} = b.${name}`)
    .join(' AND ');
  return context
    .statement(
      `SELECT 0 AS gone, ${columns} FROM (${now} EXCEPT ${before})
       UNION ALL SELECT 1, ${columns} FROM (${before}) b WHERE NOT EXISTS (SELECT 1 FROM ${table} t WHERE t.identity = :identity AND ${same})
       ORDER BY ${key}`,
    )
    .all({ identity });
}

function takeOver(context: HandlerContext, identity: Identity, table: string): void {
  context.statement(`DELETE FROM ${table}_applied WHERE identity = :identity`).run({ identity });
  context
    .statement(`INSERT INTO ${table}_applied SELECT * FROM ${table} WHERE identity = :identity`)
    .run({ identity });
}

function applyCut(context: HandlerContext, identity: Identity, row: SqlRow): VerifiedEnvelope[] {
  const device = row.device as Uint8Array;
  const group = row.group_id as Uint8Array;
  const device_id = device.toHex();
  const group_id: Id | null = group.length === 0 ? null : group.toHex();
  if (row.gone === 1) {
    relink(context, identity, device_id, group_id, null);
    const waiting = context
      .statement(
        `SELECT n FROM waiting WHERE identity = :identity AND author = :device AND rule = 'author_removed' ORDER BY id`,
      )
      .all({ identity, device });
    return waiting.map(({ n }) => takeOut(context, n as number, STANDING_CAUSE));
  }
  const proved = relink(context, identity, device_id, group_id, hexOrNull(row.head));
  const group_n = group_id === null ? null : rowNumberOf(context, identity, group_id);
  const unproved = context
    .statement(
      `SELECT e.n, e.type FROM event e WHERE e.identity = :identity AND e.author = :device AND e.group_n IS :group_n AND e.body IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM chain_link l WHERE l.identity = e.identity AND l.id = e.id AND l.device = e.author AND l.group_id = :group_id)`,
    )
    .all({ identity, device, group_n, group_id: group })
    .filter(({ type }) => isCut(context, type as string))
    .map(({ n }) => n as number);
  return [...proved, ...withdraw(context, identity, unproved)];
}

/** Takes back what was done by rights. Not the facts that rest on them (further grants): those are judged, and may be any number. */
function withdrawUsers(
  context: HandlerContext,
  identity: Identity,
  grants: ReadonlySet<Id>,
): VerifiedEnvelope[] {
  const users: number[] = [];
  for (const grant_id of grants) {
    const rows = context
      .statement(
        `SELECT u.n, u.type FROM event g JOIN depends_on d ON d.target = g.n JOIN event u ON u.n = d.event
         WHERE g.identity = :identity AND g.id = :id`,
      )
      .all({ identity, id: Uint8Array.fromHex(grant_id) });
    for (const { n, type } of rows) if (isCut(context, type as string)) users.push(n as number);
  }
  return withdraw(context, identity, users);
}

/** Whether cuts are for events of this type. */
function isCut(context: HandlerContext, type: string): boolean {
  const known = context.protocol.types.get(type)?.value;
  return known === undefined || isCuttable(known);
}

/** Takes up everything that waits by a rule. */
function takeUp(context: HandlerContext, identity: Identity, rule: string): VerifiedEnvelope[] {
  const rows = context
    .statement('SELECT n FROM waiting WHERE identity = :identity AND rule = :rule ORDER BY id')
    .all({ identity, rule });
  return rows.map(({ n }) => takeOut(context, n as number, STANDING_CAUSE));
}
