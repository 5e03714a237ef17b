/**
 * Erases one identity of this node (types with effect `forget`): its secrets are zeroed in their slots, and every row that belongs to it goes,
 * in whatever table. Local: other devices, and other identities of this node, are as they were.
 */
import { type HandlerContext, handler } from '../../../core/handler.ts';
import { emit } from '../../../core/outcome.ts';
import { blake2b256 } from '../../../crypto/hash.ts';
import { eraseSlot } from './key-slot.ts';
import { noteIntent } from './purge.ts';

const SECRETS = `
  SELECT u.slot, u.purpose AS kind, coalesce(k.id, p.public_key, i.device) AS key_id
  FROM key_slot_use u JOIN identity i ON i.identity = u.identity
    LEFT JOIN group_key k ON k.identity = u.identity AND k.slot = u.slot
    LEFT JOIN prekey_secret p ON p.identity = u.identity AND p.slot = u.slot
  WHERE u.identity = :identity ORDER BY u.slot`;

export const forgetIdentity = handler({
  name: 'forget-identity',
  takes: 'instruction',
  gives: [],
  accepts: (envelope) => envelope.draft.type.effect === 'forget',
  process: (envelope, context) => {
    const { identity } = envelope;
    const slots = context.statement(SECRETS).all({ identity });
    for (const { slot, kind, key_id } of slots) {
      eraseSlot(context, slot as number);
      const purpose = kind as 'group_key' | 'prekey' | 'device';
      // Whoever knows the device can tell that its receipt is here; the receipt does not tell the device.
      const id = purpose === 'device' ? blake2b256(key_id as Uint8Array) : (key_id as Uint8Array);
      noteIntent(context, identity, purpose, id, 'network_deleted');
    }
    context.statement('UPDATE purge SET network_id = NULL WHERE whose = :identity').run({ identity });
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
    context
      .statement(
        'DELETE FROM waiting_wrap WHERE waiting IN (SELECT n FROM waiting WHERE identity = :identity)',
      )
      .run({ identity });
    for (const table of tablesWith(context, 'identity', null))
      context.statement(`DELETE FROM ${table} WHERE identity = :identity`).run({ identity });
    return emit(
      [],
      [
        { effect: 'reply', value: { events, secrets: slots.length } },
        { effect: 'standing_changed', identity },
        { effect: 'identities_changed' },
        { effect: 'purged' },
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
