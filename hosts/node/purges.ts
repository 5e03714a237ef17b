/**
 * The last step of every erasure: after the transaction that zeroed the slots, no copy may be left in the write-ahead log; then the receipts are
 * written. Owed as long as there are intents without a receipt: tried again while a reader holds the log, and first of all at the next start.
 */
import type { Logger } from 'pino';
import type { Db } from '../../core/db.ts';
import type { Engine } from '../../core/engine.ts';
import { scrubLog } from '../../storage/scrub-log.ts';

const RETRY_MS = 1_000;
const RETRY_MS_MAX = 60_000;

export class Purges {
  readonly #engine: Engine;
  readonly #db: Db;
  readonly #path: string;
  readonly #log: Logger;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #retry_ms = RETRY_MS;
  #closed = false;

  constructor(engine: Engine, db: Db, path: string, log: Logger) {
    this.#engine = engine;
    this.#db = db;
    this.#path = path;
    this.#log = log;
  }

  /** Before anything else happens: what a crash left in the log is taken out of it, and what was being erased is receipted. */
  start(): void {
    if (!scrubLog(this.#db, this.#path)) this.#log.warn({}, 'log_not_scrubbed');
    this.finish();
  }

  /** Finishes what is owed. False where a reader kept it from being finished: it is tried again by itself. */
  finish(): boolean {
    if (this.#closed) return false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const { open, until } = this.#engine.query('get_open_purges', {}, 0)[0] as {
      readonly open: number;
      readonly until: number | null;
    };
    if (until === null) return true;
    if (!scrubLog(this.#db, this.#path)) {
      this.#log.warn({ open, retry_ms: this.#retry_ms }, 'purge_waits_for_a_reader');
      this.#later(this.#retry_ms);
      this.#retry_ms = Math.min(this.#retry_ms * 2, RETRY_MS_MAX);
      return false;
    }
    this.#retry_ms = RETRY_MS;
    this.#engine.instruct(0, 'purges', 'purge-receipt', { until });
    this.#log.info({ secrets: open }, 'purged');
    return true;
  }

  /** To be called when something was zeroed: soon, and once for many. */
  due(): void {
    if (this.#timer === null) this.#later(0);
  }

  #later(delay_ms: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      try {
        this.finish();
      } catch (thrown) {
        this.#log.error({ error_class: (thrown as Error).name }, 'purge_not_finished');
        this.#later(RETRY_MS_MAX);
      }
    }, delay_ms);
  }

  /** Before the database is closed: closing would hand the log's blocks back as they are. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (!scrubLog(this.#db, this.#path)) this.#log.warn({}, 'log_not_scrubbed');
  }
}
