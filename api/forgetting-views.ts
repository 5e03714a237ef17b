/** The shapes of what the API answers about forgetting, as in `views.ts`. */
import { z } from '@hono/zod-openapi';
import type { DeletionView, ForgettingView, KeyStateView, ReceiptView, StageView } from './facade.ts';
import { count, id, ms } from './views.ts';

export const key_state_view = z
  .object({
    network_id: id,
    key_id: id,
    group_name: z.string().nullable(),
    channel_name: z.string().nullable(),
    state: z.enum(['clean', 'dirty', 'expired', 'zeroed', 'unreachable']).openapi({
      description:
        '`dirty`: it has sealed something that was deleted; `zeroed`: erased; `unreachable`: nor can it be had from anything that was ever recorded.',
    }),
    since_ms: ms,
    expires_ms: ms.nullable(),
    events: count,
    to_rewrap: count,
    to_remove: count,
    text: z.string(),
  })
  .readonly()
  .openapi('KeyState') satisfies z.ZodType<KeyStateView>;

export const stage_view = z
  .object({
    stage: z.string(),
    owed: count,
    oldest_ms: ms.nullable(),
    next_run_ms: ms.nullable(),
    held: z.string().nullable(),
  })
  .readonly()
  .openapi('Stage') satisfies z.ZodType<StageView>;

export const forgetting_view = z
  .object({
    now_ms: ms,
    keys: z.array(key_state_view).readonly(),
    stages: z.array(stage_view).readonly(),
    owed: count,
    oldest_debt_ms: ms.nullable(),
  })
  .readonly()
  .openapi('Forgetting') satisfies z.ZodType<ForgettingView>;

export const receipt_view = z
  .object({
    receipt: count,
    network_id: id.nullable(),
    kind: z.enum(['group_key', 'prekey', 'device']),
    key_id: id,
    rule: z.enum(['dirty', 'expired', 'retired', 'network_deleted']),
    state: z.enum(['intended', 'zeroed', 'unreachable']),
    intended_ms: ms,
    zeroed_ms: ms.nullable(),
    unreachable_ms: ms.nullable(),
  })
  .readonly()
  .openapi('Receipt') satisfies z.ZodType<ReceiptView>;

export const deletion_view = z
  .object({
    deletion_id: id,
    message_id: id,
    deleted_ms: ms,
    by: z.string().nullable(),
    devices: count,
    devices_forgotten: count,
    state: z.enum(['deleted_here', 'deleted_on_some', 'unreachable']),
    text: z.string(),
  })
  .readonly()
  .openapi('Deletion') satisfies z.ZodType<DeletionView>;

export const forget_answer = z
  .object({
    goes_on: z.boolean(),
    owed: count,
    stages: z.array(stage_view).readonly(),
    receipts: z.array(receipt_view).readonly(),
  })
  .readonly();
