/**
 * Frames that wait to be taken in, an inbox per session. Each is bounded, and so are all together; one frame of each is taken in turn, so that
 * one busy peer does not keep the others waiting, and timers run in between.
 */

/** Frames of one peer. Peers answer requests, so that an honest one never comes near. */
const INBOX_BYTES_MAX = 32 * 1024 * 1024;
/** Frames of all peers: what a small machine can spare. */
const INBOXES_BYTES_MAX = 128 * 1024 * 1024;
/** What a frame takes besides its bytes, as memory and as work: else 32 million frames of one byte would count as 32 MB. */
const FRAME_BYTES_EXTRA = 1024;

export interface InboxesPorts<Owner> {
  /** Soon, after what waits already. */
  readonly soon: (run: () => void) => void;
  /** Takes one frame in. Must not throw. */
  readonly takeIn: (owner: Owner, frame: Uint8Array) => void;
  /** This one sends too much, and has to be removed before this returns. */
  readonly overflows: (owner: Owner) => void;
}

interface Inbox {
  readonly frames: Uint8Array[];
  bytes: number;
}

export class Inboxes<Owner> {
  readonly #ports: InboxesPorts<Owner>;
  /** Those that are not empty. */
  readonly #inboxes = new Map<Owner, Inbox>();
  #bytes = 0;
  #pumping = false;

  constructor(ports: InboxesPorts<Owner>) {
    this.#ports = ports;
  }

  add(owner: Owner, frame: Uint8Array): void {
    const inbox = this.#inboxes.get(owner) ?? { frames: [], bytes: 0 };
    this.#inboxes.set(owner, inbox);
    inbox.frames.push(frame);
    this.#count(inbox, frame, 1);
    if (inbox.bytes > INBOX_BYTES_MAX) this.#ports.overflows(owner);
    // Whoever has sent most makes the trouble: the others' frames stay.
    while (this.#bytes > INBOXES_BYTES_MAX) this.#ports.overflows(this.#largest());
    this.#pump();
  }

  /** Forgets what a session has sent and is not taken in. */
  remove(owner: Owner): void {
    this.#bytes -= this.#inboxes.get(owner)?.bytes ?? 0;
    this.#inboxes.delete(owner);
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    const turn = () => {
      for (const [owner, inbox] of [...this.#inboxes]) {
        const frame = inbox.frames.shift();
        // Taking in another's frame may have ended this session.
        if (frame === undefined || this.#inboxes.get(owner) !== inbox) continue;
        this.#count(inbox, frame, -1);
        if (inbox.frames.length === 0) this.#inboxes.delete(owner);
        this.#ports.takeIn(owner, frame);
      }
      if (this.#inboxes.size > 0) this.#ports.soon(turn);
      else this.#pumping = false;
    };
    this.#ports.soon(turn);
  }

  #count(inbox: Inbox, frame: Uint8Array, sign: 1 | -1): void {
    const bytes = sign * (frame.length + FRAME_BYTES_EXTRA);
    inbox.bytes += bytes;
    this.#bytes += bytes;
  }

  #largest(): Owner {
    const all = [...this.#inboxes].map(([owner, { bytes }]) => ({ owner, bytes }));
    return all.reduce((most, each) => (each.bytes > most.bytes ? each : most)).owner;
  }
}
