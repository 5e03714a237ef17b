/** What the API tells of forgetting: keys, debts, receipts and deletions. See `docs/forgetting.md`. */
import type { Selector } from './facade.ts';

/** Where a group key stands on this device: `sotto audit`. */
export interface KeyStateView {
  readonly network_id: string;
  readonly key_id: string;
  readonly group_name: string | null;
  readonly channel_name: string | null;
  /**
   * `clean`: in use. `dirty`: it has sealed something that was deleted, and must go. `expired`: it must go, too. `zeroed`: erased from its slot, with
   * receipt. `unreachable`: nor can it be had from anything that was ever recorded: only now is it forgotten.
   */
  readonly state: 'clean' | 'dirty' | 'expired' | 'zeroed' | 'unreachable';
  readonly since_ms: number;
  /** null: never. */
  readonly expires_ms: number | null;
  /** Events whose content keys it seals here. */
  readonly events: number;
  /** Live events that only it opens: they have to be sealed anew first. */
  readonly to_rewrap: number;
  /** Wraps under it that have been replaced and not been removed yet. */
  readonly to_remove: number;
  /** One sentence: what it still waits for. */
  readonly text: string;
}

/** One stage of the chain of forgetting, with what it owes. */
export interface StageView {
  /** The job's name; `receipts`: erasures without a receipt; `prekeys`: retired prekeys. */
  readonly stage: string;
  readonly owed: number;
  /** Since when the oldest of it has been owed. */
  readonly oldest_ms: number | null;
  readonly next_run_ms: number | null;
  /** What keeps the stage from running; null: nothing. */
  readonly held: string | null;
}

export interface ForgettingView {
  readonly now_ms: number;
  readonly keys: readonly KeyStateView[];
  readonly stages: readonly StageView[];
  /** Of all stages together; 0: nothing is owed. */
  readonly owed: number;
  readonly oldest_debt_ms: number | null;
}

/** The proof of an erasure: what, when, under which rule; never any content. */
export interface ReceiptView {
  readonly receipt: number;
  readonly network_id: string | null;
  readonly kind: 'group_key' | 'prekey' | 'device';
  readonly key_id: string;
  readonly rule: 'dirty' | 'expired' | 'retired' | 'network_deleted';
  readonly state: 'intended' | 'zeroed' | 'unreachable';
  readonly intended_ms: number;
  readonly zeroed_ms: number | null;
  readonly unreachable_ms: number | null;
}

/** How far a deletion has come. */
export interface DeletionView {
  readonly deletion_id: string;
  readonly message_id: string;
  readonly deleted_ms: number;
  readonly by: string | null;
  readonly devices: number;
  /** On how many of them what was deleted cannot be had any more, as far as they have said. */
  readonly devices_forgotten: number;
  /** `deleted_here`, `deleted_on_some`, `unreachable` (on all devices). */
  readonly state: 'deleted_here' | 'deleted_on_some' | 'unreachable';
  /** In words: "deleted here", "deleted on 4 of 5 devices", "unreachable since 14:02". */
  readonly text: string;
}

export interface ForgettingFacade {
  /** Where forgetting stands: all keys and all debts, of one network or of all. */
  forgetting(input: Selector): ForgettingView;
  /** The newest first. */
  receipts(input: { since_ms: number; limit: number } & Selector): readonly ReceiptView[];
  deletions(input: { limit: number } & Selector): readonly DeletionView[];
  /**
   * Runs the chain of forgetting for about a second, without waiting out the grace on this device. To be called again until `goes_on` is false:
   * then nothing is owed any more, or what is owed waits for something (`stages` say what).
   */
  forget(input: Selector): {
    readonly goes_on: boolean;
    readonly owed: number;
    readonly stages: readonly StageView[];
    /** Written by this call. */
    readonly receipts: readonly ReceiptView[];
  };
}
