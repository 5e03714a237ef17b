/** What the API tells of how far things have come between devices: what this one has missed, and what others have of it. */
import type { Selector } from './facade.ts';

/** How far a device is in fetching what it has missed. The newest comes first. */
export interface CatchingUpView {
  /** Events still to come, and how many that were when it began. */
  readonly events_left: number;
  readonly events_total: number;
  /** At the pace so far; null: nothing can be said yet. */
  readonly time_left_ms: number | null;
}

/** On which other devices a message is, as far as this one knows. */
export interface DeliveryView {
  readonly message_id: string;
  /** Other devices that it is for now. */
  readonly devices: number;
  /** Those of them that are known to have it as it reads now: this device has compared with each since then. */
  readonly delivered: number;
  /** In words: `queued: on no other device yet`, `on 2 of 5 devices`, `on all 5 devices`. */
  readonly text: string;
  readonly recipients: readonly {
    readonly device_id: string;
    readonly user_id: string;
    readonly user_name: string | null;
    readonly delivered: boolean;
  }[];
}

export interface SyncingFacade {
  /** Which other devices have a message, as far as this one knows. */
  delivery(input: { message_ref: string } & Selector): DeliveryView;
}
