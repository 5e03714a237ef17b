/** What the API tells of how far things have come between devices. */
import type { Selector } from './facade.ts';

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
