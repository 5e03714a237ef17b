/**
 * The last step of every erasure: after the transaction that zeroed the slots, no copy may be left in the write-ahead log; then the receipts are
 * written. Owed as long as there are intents without a receipt: tried again while a reader holds the log, and first of all at the next start.
 */
import type { Timers } from '../core/clock.ts';
import type { Db } from '../core/db.ts';
import type { Engine } from '../core/engine.ts';
import { scrubLog } from '../storage/scrub-log.ts';
import type { Log } from './log.ts';

const RETRY_MS = 1_000;
const RETRY_MS_MAX = 60_000;

export interface PurgesPorts {
  readonly engine: Engine;
  readonly db: Db;
  /** The database file. */
  readonly path: string;
  readonly timers: Pick<Timers, 'set'>;
  readonly log: Log;
}

export class Purges {
  readonly #ports: PurgesPorts;
  #stop_timer: (() => void) | null = null;
  #retry_ms = RETRY_MS;
  #closed = false;

  constructor(ports: PurgesPorts) {
    this.#ports = ports;
  }

  /** Before anything else happens: what a crash left in the log is taken out of it, and what was being erased is receipted. */
  start(): void {
    if (!this.#scrub()) this.#ports.log('warn', 'log_not_scrubbed', {});
    this.finish();
  }

  /** Finishes what is owed. False where a reader kept it from being finished: it is tried again by itself. */
  finish(): boolean {
    if (this.#closed) return false;
    this.#stop_timer?.();
    this.#stop_timer = null;
    const { engine, log } = this.#ports;
    const { open, until } = engine.query('get_open_purges', {}, 0)[0] as {
      readonly open: number;
      readonly until: number | null;
    };
    if (until === null) return true;
    if (!this.#scrub()) {
      log('warn', 'purge_waits_for_a_reader', { open, retry_ms: this.#retry_ms });
      this.#later(this.#retry_ms);
      this.#retry_ms = Math.min(this.#retry_ms * 2, RETRY_MS_MAX);
      return false;
    }
    this.#retry_ms = RETRY_MS;
    engine.instruct(0, 'purges', 'purge-receipt', { until });
    log('info', 'purged', { secrets: open });
    return true;
  }

  #scrub(): boolean {
    return scrubLog(this.#ports.db, this.#ports.path);
  }

  /** To be called when something was zeroed: soon, and once for many. */
  due(): void {
    if (this.#stop_timer === null) this.#later(0);
  }

  #later(delay_ms: number): void {
    if (this.#closed) return;
    this.#stop_timer = this.#ports.timers.set(() => {
      this.#stop_timer = null;
      try {
        this.finish();
      } catch (thrown) {
        this.#ports.log('error', 'purge_not_finished', { error_class: (thrown as Error).name });
        this.#later(RETRY_MS_MAX);
      }
    }, delay_ms);
  }

  /** Before the database is closed: closing would hand the log's blocks back as they are. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stop_timer?.();
    if (!this.#scrub()) this.#ports.log('warn', 'log_not_scrubbed', {});
  }
}
