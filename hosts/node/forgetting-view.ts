/**
 * Where forgetting stands, as the API shows it: every key with what it still waits for, what every stage owes, the receipts, how far deletions have come.
 * And the chain run to its end by hand.
 */
import type {
  DeletionView,
  ForgettingView,
  KeyStateView,
  NodeFacade,
  ReceiptView,
  Selector,
  StageView,
} from '../../api/facade.ts';
import { shortId } from '../../api/facade.ts';
import type { Id } from '../../core/fields.ts';
import { PREKEY_TTL_MS } from '../../protocols/quiet/events/prekey/schema.ts';
import type { NetworkRow } from './asking.ts';
import { placesOf } from './channel-list.ts';
import type { ViewPorts } from './ports.ts';
import { shownExpiry } from './views.ts';

interface KeyRow {
  readonly key_id: Id;
  readonly group_id: Id;
  readonly channel_id: Id | null;
  readonly expires_ms: number;
  readonly held_ms: number;
  readonly dirty_ms: number | null;
  readonly zeroed_ms: number | null;
  readonly unreachable_ms: number | null;
  readonly events: number;
  readonly to_rewrap: number;
  readonly to_remove: number;
  readonly prekeys: number;
}

type ReceiptRow = Omit<ReceiptView, 'state'>;
export type DeletionRow = Omit<DeletionView, 'by' | 'state' | 'text' | 'devices_forgotten'> & {
  readonly author_user_id: Id | null;
  readonly is_forgotten: boolean;
  readonly unreachable_ms: number | null;
  readonly others_forgotten: number;
  readonly forgotten_ms: number | null;
};

/** The jobs of the chain, in its order. */
const CHAIN = ['ttl_cleanup', 'rekey_creation', 'delete_rekeyed', 'purge_keys', 'prekey_replenish'] as const;
/** Nobody's turn and no grace is waited for. */
const AT_ONCE: Partial<Record<(typeof CHAIN)[number], Record<string, unknown>>> = {
  rekey_creation: { turn_ms: 0 },
  purge_keys: { grace_ms: 0 },
};
/** So long one call to `forget` works, before it says how far it has come. */
const SLICE_MS = 1_000;

export function forgettingView({
  parts,
  asking,
  find,
}: ViewPorts): Pick<NodeFacade, 'forgetting' | 'receipts' | 'deletions' | 'forget'> {
  const { scheduler, clock, purges } = parts;

  const nextRun = (job: string, identity: number): number | null =>
    scheduler.list().find((line) => line.name === job && line.identity === identity)?.next_due_ms ?? null;

  /** What keeps a job of the chain from running, other than that it is not due. */
  function heldBy(job: string): string | null {
    try {
      const reasons = scheduler.why(job).filter(({ reason }) => reason !== 'not_due');
      return reasons.length === 0 ? null : reasons.map(({ text }) => text).join(' ');
    } catch {
      return `There is no job '${job}' in the schedule of this node.`;
    }
  }

  const keyRows = ({ identity }: NetworkRow) => asking.query<KeyRow>('get_key_states', {}, identity);

  function keysOf(network: NetworkRow, rows: readonly KeyRow[], now_ms: number): KeyStateView[] {
    const places = placesOf(asking, network);
    const next_ms = (job: string) => nextRun(job, network.identity);
    return rows.map((row) => {
      const { state, since_ms } = stateOf(row, now_ms);
      return {
        network_id: network.network_id,
        key_id: row.key_id,
        group_name: places.get(row.group_id) ?? null,
        channel_name: row.channel_id === null ? null : (places.get(row.channel_id) ?? null),
        state,
        since_ms,
        expires_ms: shownExpiry(row.expires_ms),
        events: row.events,
        to_rewrap: row.to_rewrap,
        to_remove: row.to_remove,
        text: sentenceOn(row, state, now_ms, next_ms),
      };
    });
  }

  function stagesOf(networks: readonly NetworkRow[], keys: readonly KeyRow[], now_ms: number): StageView[] {
    const count = <Row>(query: string, params: Record<string, unknown>) =>
      networks.flatMap(({ identity }) => asking.query<Row>(query, params, identity));
    const going = keys.filter((key) => key.zeroed_ms === null && stateOf(key, now_ms).state !== 'clean');
    const expired = count<{ expires_ms: number }>('get_expired_events', {
      current_time_ms: now_ms,
      limit: 10_000,
    });
    const dying = count<{ event_id: Id }>('get_dying_events', { limit: 10_000 });
    const retired = count<{ retired: number; oldest_ms: number | null }>('get_retired_prekeys', {
      prekey_ttl_ms: PREKEY_TTL_MS,
    });
    const open = asking.query<{ open: number; oldest_ms: number | null }>('get_open_purges', {}, 0)[0];
    const sum = (of: readonly number[]) => of.reduce((total, one) => total + one, 0);
    const soonest = (job: string) => oldestOf(networks.map(({ identity }) => nextRun(job, identity)));
    const stage = (name: string, job: string | null, owed: number, oldest_ms: number | null): StageView => ({
      stage: name,
      owed,
      oldest_ms: owed === 0 ? null : oldest_ms,
      next_run_ms: job === null ? null : soonest(job),
      held: job === null ? null : heldBy(job),
    });
    const since = (rows: readonly KeyRow[]) => oldestOf(rows.map((key) => stateOf(key, now_ms).since_ms));
    const rewrapping = going.filter((key) => key.to_rewrap > 0);
    const removing = going.filter((key) => key.to_remove > 0);
    return [
      stage(
        'ttl_cleanup',
        'ttl_cleanup',
        expired.length + dying.length,
        oldestOf([...expired.map((row) => row.expires_ms), ...(dying.length > 0 ? [now_ms] : [])]),
      ),
      stage('rekey_creation', 'rekey_creation', sum(going.map((key) => key.to_rewrap)), since(rewrapping)),
      stage('delete_rekeyed', 'delete_rekeyed', sum(going.map((key) => key.to_remove)), since(removing)),
      stage('purge_keys', 'purge_keys', going.length, since(going)),
      stage('receipts', null, open?.open ?? 0, open?.oldest_ms ?? null),
      stage(
        'prekeys',
        'purge_keys',
        sum(retired.map((row) => row.retired)),
        oldestOf(retired.map((row) => row.oldest_ms)),
      ),
    ];
  }

  function standing(input: Selector): ForgettingView {
    const networks = find.allMeant(input);
    const now_ms = clock.wall_ms();
    const known = networks.map((network) => ({ network, rows: keyRows(network) }));
    const stages = stagesOf(
      networks,
      known.flatMap(({ rows }) => rows),
      now_ms,
    );
    return {
      now_ms,
      keys: known.flatMap(({ network, rows }) => keysOf(network, rows, now_ms)),
      stages,
      owed: stages.reduce((total, { owed }) => total + owed, 0),
      oldest_debt_ms: oldestOf(stages.map(({ oldest_ms }) => oldest_ms)),
    };
  }

  const receipts = (since_ms: number, limit: number, network_id: Id | null = null): ReceiptView[] =>
    asking
      .query<ReceiptRow>('get_receipts', { since_ms, limit, network_id }, 0)
      .map((row) => ({ ...row, state: receiptState(row) }));

  return {
    forgetting: standing,

    receipts({ since_ms, limit, ...selector }) {
      const is_chosen = selector.network !== undefined || selector.as !== undefined;
      return receipts(since_ms, limit, is_chosen ? find.select(selector).network_id : null);
    },

    deletions({ limit, ...selector }) {
      const network = find.select(selector);
      const names = asking.names(network.identity);
      return asking
        .query<DeletionRow>('get_deletions', { limit }, network.identity)
        .map((row) =>
          deletionView(row, row.author_user_id === null ? null : names.shown(row.author_user_id)),
        );
    },

    forget(input) {
      const networks = find.allMeant(input);
      const began_ms = clock.monotonic_ms();
      const last = receipts(0, 1)[0]?.receipt ?? 0;
      let goes_on = true;
      while (goes_on && clock.monotonic_ms() - began_ms < SLICE_MS) {
        let emitted = 0;
        for (const { identity } of networks)
          for (const job of CHAIN) {
            const params = AT_ONCE[job] ?? {};
            emitted += scheduler.runOnce(job, identity, params).emitted;
          }
        purges.finish();
        goes_on = emitted > 0;
      }
      const stages = stagesOf(networks, networks.flatMap(keyRows), clock.wall_ms());
      return {
        goes_on,
        owed: stages.reduce((total, { owed }) => total + owed, 0),
        stages,
        receipts: receipts(0, 10_000).filter(({ receipt }) => receipt > last),
      };
    },
  };
}

const oldestOf = (times: readonly (number | null)[]): number | null => {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.min(...known);
};

function stateOf(row: KeyRow, now_ms: number): { state: KeyStateView['state']; since_ms: number } {
  if (row.unreachable_ms !== null) return { state: 'unreachable', since_ms: row.unreachable_ms };
  if (row.zeroed_ms !== null) return { state: 'zeroed', since_ms: row.zeroed_ms };
  if (row.expires_ms <= now_ms) return { state: 'expired', since_ms: row.expires_ms };
  if (row.dirty_ms !== null) return { state: 'dirty', since_ms: row.dirty_ms };
  return { state: 'clean', since_ms: row.held_ms };
}

function sentenceOn(
  row: KeyRow,
  state: KeyStateView['state'],
  now_ms: number,
  nextRun: (job: string) => number | null,
): string {
  const begin = `key ${shortId(row.key_id)}: ${state}`;
  const soon = (job: string) => {
    const next_ms = nextRun(job);
    return next_ms === null ? '' : `, next run in ${Math.max(0, Math.ceil((next_ms - now_ms) / 1000))} s`;
  };
  const live = (count: number) => `${count} live ${count === 1 ? 'message' : 'messages'}`;
  if (state === 'clean') return `${begin}, ${row.events} ${row.events === 1 ? 'event' : 'events'} under it`;
  if (state === 'unreachable') return begin;
  if (state === 'zeroed')
    return row.prekeys === 0
      ? `${begin}, to be told of with the next receipt`
      : `${begin}, ${row.prekeys} retired ${row.prekeys === 1 ? 'prekey' : 'prekeys'} to erase${soon('purge_keys')}`;
  if (row.to_rewrap > 0) return `${begin}, ${live(row.to_rewrap)} to rewrap${soon('rekey_creation')}`;
  if (row.to_remove > 0)
    return `${begin}, ${row.to_remove} old ${row.to_remove === 1 ? 'wrap' : 'wraps'} to remove${soon('delete_rekeyed')}`;
  return `${begin}, to be erased when its grace is over${soon('purge_keys')}`;
}

function receiptState(row: ReceiptRow): ReceiptView['state'] {
  if (row.zeroed_ms === null) return 'intended';
  return row.unreachable_ms === null ? 'zeroed' : 'unreachable';
}

/** What is said is what is known: of other devices, only what they have said themselves. */
export function deletionView(row: DeletionRow, by: string | null): DeletionView {
  const { deletion_id, message_id, deleted_ms, devices } = row;
  const devices_forgotten = row.others_forgotten + (row.is_forgotten ? 1 : 0);
  const common = { deletion_id, message_id, deleted_ms, by, devices, devices_forgotten };
  if (row.is_forgotten && devices_forgotten >= devices) {
    const since_ms = Math.max(row.unreachable_ms ?? deleted_ms, devices > 1 ? (row.forgotten_ms ?? 0) : 0);
    return { ...common, state: 'unreachable', text: `unreachable since ${clockTime(since_ms)}` };
  }
  if (devices_forgotten > 0)
    return {
      ...common,
      state: 'deleted_on_some',
      text: `deleted on ${devices_forgotten} of ${devices} devices`,
    };
  return { ...common, state: 'deleted_here', text: 'deleted here' };
}

/** `14:02`, with the day where it is not today's. In the node's own time zone. */
function clockTime(at_ms: number): string {
  const at = new Date(at_ms);
  const time = `${String(at.getHours()).padStart(2, '0')}:${String(at.getMinutes()).padStart(2, '0')}`;
  if (at.toDateString() === new Date().toDateString()) return time;
  return `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, '0')}-${String(at.getDate()).padStart(2, '0')} ${time}`;
}
