/**
 * Connections that have not proved yet who they are. Anybody can open them, so there are few, for a short time, and none of them keeps
 * another out: a pool that is full gives up its oldest for the newest. A peer is in each pool for the time of one message, some milliseconds;
 * to push it out within these, somebody has to fill the whole pool anew, again and again, where else a few silent sockets would have been
 * enough to take all places.
 *
 * Two pools, because of two kinds of strangers: whoever knows an address can be silent or send garbage, but only whoever knows the network's
 * id can name one of our devices. The first cannot push out the second.
 */
import { placeOf } from '../core/assert.ts';
import type { Clock } from '../core/clock.ts';
import type { Connection } from '../core/transport.ts';

/** Those without a first message: what a node that does nothing else takes in within a seventh of a second. A peer's is there sooner. */
export const SILENT_MAX = 512;
/** Those whose first message named us, and who owe their proof. Their key agreement makes it a fifth of a second. */
export const NAMED_MAX = 512;
/** Failed handshakes are counted, and logged this often at the most: a flood of them must not become a flood on the disk. */
const LOG_EVERY_MS = 10_000;

export interface HalfOpenPorts {
  readonly clock: Clock;
  readonly log: (event: string, details: Readonly<Record<string, unknown>>) => void;
}

export class HalfOpen {
  readonly #ports: HalfOpenPorts;
  /** Both in the order in which they came. */
  readonly #silent = new Set<Connection>();
  readonly #named = new Set<Connection>();
  #failed = new Map<string, number>();
  #next_log_ms = Number.NEGATIVE_INFINITY;

  constructor(ports: HalfOpenPorts) {
    this.#ports = ports;
  }

  arrived(connection: Connection): void {
    add(this.#silent, connection, SILENT_MAX);
  }

  /** Its first message named one of our devices. */
  named(connection: Connection): void {
    if (this.#silent.delete(connection)) add(this.#named, connection, NAMED_MAX);
  }

  /** It has proved who it is, or failed to. */
  over(connection: Connection): void {
    this.#silent.delete(connection);
    this.#named.delete(connection);
  }

  failed(thrown: unknown): void {
    const place = placeOf(thrown);
    this.#failed.set(place.error_class, (this.#failed.get(place.error_class) ?? 0) + 1);
    const now_ms = this.#ports.clock.monotonic_ms();
    if (now_ms < this.#next_log_ms) return;
    this.#next_log_ms = now_ms + LOG_EVERY_MS;
    this.#ports.log('handshakes_failed', { ...place, counts: Object.fromEntries(this.#failed) });
    this.#failed = new Map();
  }

  close(reason: string): void {
    for (const connection of [...this.#silent, ...this.#named]) connection.close(reason);
  }
}

function add(pool: Set<Connection>, connection: Connection, size_max: number): void {
  pool.add(connection);
  if (pool.size <= size_max) return;
  const [oldest] = pool;
  if (oldest === undefined) return;
  pool.delete(oldest);
  oldest.close('pushed_out');
}
