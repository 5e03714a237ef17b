/** Forgetting, as the node that is none answers for it. */

import type { ForgettingFacade, KeyStateView, ReceiptView, StageView } from './forgetting.ts';

type Ids = Readonly<
  Record<'network' | 'message' | 'deletion' | 'key' | 'dirty_key' | 'gone_key' | 'prekey_public', string>
>;

/** @param owed what is owed; each call of `forget` but the last takes one away */
export function fakeForgetting(ids: Ids, owed: () => number[], now_ms: number): ForgettingFacade {
  const owedNow = () => owed()[0] ?? 0;
  return {
    forgetting: () => ({
      now_ms,
      keys: keyStates(ids, owedNow(), now_ms),
      stages: stages(owedNow(), now_ms),
      owed: owedNow(),
      oldest_debt_ms: owedNow() === 0 ? null : now_ms - 180_000,
    }),
    receipts: ({ limit }) => receiptViews(ids, now_ms).slice(0, limit),
    deletions: () => [
      {
        deletion_id: ids.deletion,
        message_id: ids.message,
        deleted_ms: now_ms - 180_000,
        by: 'bob\u001b[2J',
        devices: 5,
        devices_forgotten: 4,
        state: 'deleted_on_some',
        text: 'deleted on 4 of 5 devices',
      },
    ],
    forget: () => {
      const now_owed = owedNow();
      const goes_on = owed().length > 1;
      if (goes_on) owed().shift();
      // The receipt of a call that goes on is finished only later.
      const begun = receiptViews(ids, now_ms)
        .slice(0, 1)
        .map((one) => ({ ...one, state: 'intended' as const, zeroed_ms: null, unreachable_ms: null }));
      return {
        goes_on,
        owed: now_owed,
        stages: stages(now_owed, now_ms),
        receipts: goes_on ? begun : [],
      };
    },
  };
}

function keyStates(ids: Ids, owed: number, now_ms: number): KeyStateView[] {
  const key = (key_id: string, state: KeyStateView['state'], text: string): KeyStateView => ({
    network_id: ids.network,
    key_id,
    group_name: 'team',
    channel_name: 'plans',
    state,
    since_ms: now_ms - 180_000,
    expires_ms: null,
    events: 9,
    to_rewrap: state === 'dirty' ? owed : 0,
    to_remove: 0,
    text: `key ${key_id.slice(12, 20)}: ${text}`,
  });
  return [
    key(ids.key, 'clean', 'clean, 9 events under it'),
    ...(owed === 0
      ? []
      : [key(ids.dirty_key, 'dirty', `dirty, ${owed} live messages to rewrap, next run in 40 s`)]),
    key(ids.gone_key, 'unreachable', 'unreachable'),
  ];
}

function stages(owed: number, now_ms: number): StageView[] {
  const oldest_ms = owed === 0 ? null : now_ms - 180_000;
  return [
    { stage: 'rekey_creation', owed, oldest_ms, next_run_ms: now_ms + 40_500, held: null },
    {
      stage: 'purge_keys',
      owed: 0,
      oldest_ms: null,
      next_run_ms: null,
      held: 'The clock is suspect\u001b[2J.',
    },
    { stage: 'receipts', owed: 0, oldest_ms: null, next_run_ms: null, held: null },
  ];
}

function receiptViews(ids: Ids, now_ms: number): ReceiptView[] {
  return [
    {
      receipt: 2,
      network_id: ids.network,
      kind: 'group_key',
      key_id: ids.gone_key,
      rule: 'dirty',
      state: 'unreachable',
      intended_ms: now_ms - 180_000,
      zeroed_ms: now_ms - 120_000,
      unreachable_ms: now_ms - 60_000,
    },
    {
      receipt: 1,
      network_id: null,
      kind: 'prekey',
      key_id: ids.prekey_public,
      rule: 'retired',
      state: 'intended',
      intended_ms: now_ms - 3_600_000,
      zeroed_ms: null,
      unreachable_ms: null,
    },
  ];
}
