/**
 * Threads that check signatures: the one part of taking events in that takes most of the time and needs neither database nor secrets. A thread that
 * fails is not missed: what nobody has checked is checked where it is taken in.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Checked } from '../../inboxes.ts';
import type { Answered, Asked } from './worker.ts';

/** Frames below this hold a few dozen events: checked sooner than handed over. */
const FRAME_BYTES_MIN = 16 * 1024;
/** More threads than this one node's intake cannot keep busy. */
const THREADS_MAX = 4;
const NOTHING: Checked = new Set();

export class CheckPool {
  readonly #threads: Thread[] = [];
  readonly #failed: (error: Error) => void;
  #next = 0;
  #closed = false;

  /** `failed` is told when a thread ends unasked. */
  constructor(failed: (error: Error) => void) {
    this.#failed = failed;
  }

  /** Places of the events in a frame whose signatures hold; null: not worth another thread. */
  readonly check = (frame: Uint8Array): Promise<Checked> | null => {
    if (this.#closed || frame.length < FRAME_BYTES_MIN) return null;
    return this.#thread().check(frame);
  };

  /** One after the other; the first large frame starts a thread. */
  #thread(): Thread {
    const most = Math.min(THREADS_MAX, Math.max(1, availableParallelism() - 1));
    const place = this.#next++ % most;
    const known = this.#threads[place];
    if (known !== undefined && !known.ended) return known;
    const made = new Thread(this.#failed);
    this.#threads[place] = made;
    return made;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#threads.map((thread) => thread?.end()));
  }
}

class Thread {
  ended = false;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, (checked: Checked) => void>();
  #number = 0;

  constructor(failed: (error: Error) => void) {
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url));
    // It keeps no process alive.
    this.#worker.unref();
    this.#worker.on('message', ({ number, holds }: Answered) => {
      this.#waiting.get(number)?.(new Set(holds));
      this.#waiting.delete(number);
    });
    this.#worker.on('error', failed);
    this.#worker.on('exit', () => {
      this.ended = true;
      for (const resolve of this.#waiting.values()) resolve(NOTHING);
      this.#waiting.clear();
    });
  }

  check(frame: Uint8Array): Promise<Checked> {
    const number = this.#number++;
    const asked: Asked = { number, frame: frame.slice() };
    return new Promise((resolve) => {
      this.#waiting.set(number, resolve);
      this.#worker.postMessage(asked, [asked.frame.buffer as ArrayBuffer]);
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
