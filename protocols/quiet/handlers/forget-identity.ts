/**
 * Erases one identity of this node (types with effect `forget`): its secrets are zeroed in their slots, and every row that belongs to it goes,
 * in whatever table. Local: other devices, and other identities of this node, are as they were.
 */
import { type HandlerContext, handler } from '../../../core/handler.ts';
import { emit } from '../../../core/outcome.ts';
import { eraseSlot } from './key-slot.ts';

export const forgetIdentity = handler({
  name: 'forget-identity',
  takes: 'instruction',
  gives: [],
  accepts: (envelope) => envelope.draft.type.effect === 'forget',
  process: (envelope, context) => {
    const { identity } = envelope;
    const slots = context
      .statement('SELECT slot FROM key_slot_use WHERE identity = :identity')
      .all({ identity });
    for (const { slot } of slots) eraseSlot(context, slot as number);
    const { events } = context
      .statement('SELECT count(*) AS events FROM event WHERE identity = :identity')
      .get({ identity }) as { events: number };
    const mine = 'SELECT n FROM event WHERE identity = :identity';
    for (const table of tablesWith(context, 'event', 'event'))
      context.statement(`DELETE FROM ${table} WHERE event IN (${mine})`).run({ identity });
    for (const [table, column] of [
      ['wrap', 'of'],
      ['depends_on', 'event'],
      ['aimed_at', 'event'],
    ] as const)
      context.statement(`DELETE FROM ${table} WHERE ${column} IN (${mine})`).run({ identity });
    for (const table of tablesWith(context, 'identity', null))
      context.statement(`DELETE FROM ${table} WHERE identity = :identity`).run({ identity });
    return emit(
      [],
      [
        { effect: 'reply', value: { events, secrets: slots.length } },
        { effect: 'standing_changed', identity },
        { effect: 'identities_changed' },
      ],
    );
  },
});

/** Tables with a column of that name; with `references`, where it refers to that table. */
function tablesWith(context: HandlerContext, column: string, references: string | null): string[] {
  const rows = context
    .statement(
      `SELECT m.name AS name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
       WHERE m.type = 'table' AND c.name = :column AND (:references IS NULL OR EXISTS (
         SELECT 1 FROM pragma_foreign_key_list(m.name) f WHERE f."from" = :column AND f."table" = :references)) ORDER BY m.name`,
    )
    .all({ column, references });
  return rows.map((row) => row.name as string);
}
