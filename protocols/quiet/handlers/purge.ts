/**
 * Erases secrets, for good (types with effect `purge`, `receipt` and `retire`). A job proposes; whether nothing needs the secret any more is asked
 * here, in the transaction that zeroes it. The intent is a row of that transaction. Only once the host has seen to it that no copy is left in the
 * write-ahead log, the receipt is written: so a purge that was cut short is finished at the next start.
 */
import { assert } from '../../../core/assert.ts';
import type { Identity } from '../../../core/envelope.ts';
import type { Id } from '../../../core/fields.ts';
import { type HandlerContext, handler } from '../../../core/handler.ts';
import { advance } from '../../../core/outcome.ts';
import { heldKey } from './group-keys.ts';
import { eraseSlot } from './key-slot.ts';

export const purge = handler({
  name: 'purge',
  takes: 'valid',
  gives: ['valid'],
  accepts: (envelope) => envelope.type.effect === 'purge',
  process: (envelope, context) => {
    const { identity } = envelope;
    const { kind, key_id } = envelope.event.body as unknown as {
      readonly kind: 'group_key' | 'prekey';
      readonly key_id: Id;
    };
    const purged =
      kind === 'group_key'
        ? purgeGroupKey(context, identity, key_id)
        : purgePrekey(context, identity, key_id);
    return advance(envelope, { after: purged ? [{ effect: 'purged' }] : [] });
  },
});

/**
 * Whether an event that lives, or waits, has a wrap under this key still. Such wraps go where one under a clean key was seen to open, and not before: so what
 * has none left here needs the key no more.
 */
const NEEDED = `
  SELECT 1 AS found FROM wrap w JOIN event e ON e.n = w.of
    WHERE w.key = :n AND w.sealed IS NOT NULL AND e.body IS NOT NULL AND e.expires_ms > :now_ms
  UNION ALL
  SELECT 1 FROM waiting_wrap v JOIN waiting t ON t.n = v.waiting
    WHERE v.key_id = :key_id AND t.identity = :identity AND t.expires_ms > :now_ms LIMIT 1`;

/** First the key is closed, so that nothing new is taken in under it and nobody can keep it alive; then it goes as soon as nothing needs it. */
function purgeGroupKey(context: HandlerContext, identity: Identity, key_id: Id): boolean {
  const key = heldKey(context, identity, key_id);
  const id = Uint8Array.fromHex(key_id);
  if (key === null) return false;
  const has_expired = key.expires_ms <= context.now_ms;
  if (!key.is_dirty && !has_expired) {
    context.count('purge:key_is_clean');
    return false;
  }
  const { now_ms } = context;
  context
    .statement('UPDATE group_key SET closed_ms = coalesce(closed_ms, :now_ms) WHERE n = :n')
    .run({ n: key.n, now_ms });
  if (context.statement(NEEDED).get({ n: key.n, key_id: id, identity, now_ms }) !== undefined) {
    context.count('purge:key_is_needed');
    return false;
  }
  context.statement('DELETE FROM wrap WHERE key = :n AND sealed IS NOT NULL').run({ n: key.n });
  context
    .statement(
      'DELETE FROM waiting_wrap WHERE key_id = :id AND waiting IN (SELECT n FROM waiting WHERE identity = :identity)',
    )
    .run({ id, identity });
  eraseSlot(context, key.slot);
  context
    .statement(
      `UPDATE group_key SET slot = NULL, events = 0, zeroed_ms = :now_ms, exposed_ms = coalesce(exposed_ms, :now_ms) WHERE n = :n`,
    )
    .run({ n: key.n, now_ms });
  noteIntent(context, identity, 'group_key', id, has_expired ? 'expired' : 'dirty');
  return true;
}

function purgePrekey(context: HandlerContext, identity: Identity, key_id: Id): boolean {
  const public_key = Uint8Array.fromHex(key_id);
  const row = context
    .statement(
      'SELECT slot, retired_ms FROM prekey_secret WHERE identity = :identity AND public_key = :public_key',
    )
    .get({ identity, public_key });
  if (row === undefined) return false;
  eraseSlot(context, row.slot as number);
  context
    .statement('DELETE FROM prekey_secret WHERE identity = :identity AND public_key = :public_key')
    .run({ identity, public_key });
  noteIntent(context, identity, 'prekey', public_key, row.retired_ms === null ? 'expired' : 'retired');
  return true;
}

/** In the transaction that zeroed the slot. */
export function noteIntent(
  context: HandlerContext,
  identity: Identity,
  kind: 'group_key' | 'prekey' | 'device',
  key_id: Uint8Array,
  rule: 'dirty' | 'expired' | 'retired' | 'network_deleted',
): void {
  const row = context
    .statement('SELECT network_id FROM identity WHERE identity = :identity')
    .get({ identity });
  assert(row !== undefined, 'a secret that is erased belongs to an identity');
  context
    .statement(
      `INSERT INTO purge (whose, network_id, kind, key_id, rule, intended_ms)
       VALUES (:identity, :network_id, :kind, :key_id, :rule, :now_ms)`,
    )
    .run({
      identity,
      network_id: row.network_id as Uint8Array | null,
      kind,
      key_id,
      rule,
      now_ms: context.now_ms,
    });
}

/** Group keys that were zeroed, whose recorded deliveries no prekey can open any more. */
const UNREACHABLE = `
  UPDATE purge SET unreachable_ms = :now_ms
  WHERE kind = 'group_key' AND zeroed_ms IS NOT NULL AND unreachable_ms IS NULL
    AND NOT EXISTS (SELECT 1 FROM prekey_secret s JOIN group_key k ON k.identity = s.identity
      WHERE s.identity = purge.whose AND k.id = purge.key_id AND s.created_ms <= k.exposed_ms)
    AND NOT EXISTS (SELECT 1 FROM purge p WHERE p.whose = purge.whose AND p.kind = 'prekey' AND p.zeroed_ms IS NULL)`;

export const receipt = handler({
  name: 'receipt',
  takes: 'valid',
  gives: ['valid'],
  accepts: (envelope) => envelope.type.effect === 'receipt',
  process: (envelope, context) => {
    const { until } = envelope.event.body as unknown as { readonly until: number };
    const { now_ms } = context;
    context
      .statement('UPDATE purge SET zeroed_ms = :now_ms WHERE zeroed_ms IS NULL AND n <= :until')
      .run({ until, now_ms });
    // What opens nothing but itself is gone with its slot.
    context
      .statement(
        `UPDATE purge SET unreachable_ms = zeroed_ms WHERE kind <> 'group_key' AND zeroed_ms IS NOT NULL AND unreachable_ms IS NULL`,
      )
      .run();
    context.statement(UNREACHABLE).run({ now_ms });
    return advance(envelope);
  },
});

export const retire = handler({
  name: 'retire',
  takes: 'valid',
  gives: ['valid'],
  accepts: (envelope) => envelope.type.effect === 'retire',
  process: (envelope, context) => {
    context
      .statement(
        'UPDATE prekey_secret SET retired_ms = :now_ms WHERE identity = :identity AND retired_ms IS NULL',
      )
      .run({ identity: envelope.identity, now_ms: context.now_ms });
    return advance(envelope);
  },
});
