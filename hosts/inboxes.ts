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
  /** Takes one frame in. `checked`: the items whose signatures were found to hold. Must not throw. */
  readonly takeIn: (owner: Owner, frame: Uint8Array, checked: Checked) => void;
  /** Begins to check the signatures of a large frame elsewhere, while others are taken in; null: not this one. Never rejects. */
  readonly check?: ((frame: Uint8Array) => Promise<Checked> | null) | undefined;
  /** This one sends too much, and has to be removed before this returns. */
  readonly overflows: (owner: Owner) => void;
}

/** Places, within a frame, of events whose signatures hold. What is not named has to be looked at. */
export type Checked = ReadonlySet<number>;

const NOTHING: Checked = new Set();

interface Waiting {
  readonly frame: Uint8Array;
  /** null: that is not known yet. */
  checked: Checked | null;
}

interface Inbox {
  readonly frames: Waiting[];
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
    const waiting: Waiting = { frame, checked: null };
    inbox.frames.push(waiting);
    this.#check(waiting);
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
        const first = inbox.frames[0];
        // Taking in another's frame may have ended this session.
        if (first === undefined || first.checked === null || this.#inboxes.get(owner) !== inbox) continue;
        inbox.frames.shift();
        this.#count(inbox, first.frame, -1);
        if (inbox.frames.length === 0) this.#inboxes.delete(owner);
        this.#ports.takeIn(owner, first.frame, first.checked);
      }
      const goes_on = [...this.#inboxes.values()].some((inbox) => inbox.frames[0]?.checked !== null);
      if (goes_on) this.#ports.soon(turn);
      else this.#pumping = false;
    };
    this.#ports.soon(turn);
  }

  #check(waiting: Waiting): void {
    const checking = this.#ports.check?.(waiting.frame) ?? null;
    if (checking === null) {
      waiting.checked = NOTHING;
      return;
    }
    void checking.then((checked) => {
      waiting.checked = checked;
      this.#pump();
    });
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
