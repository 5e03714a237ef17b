/**
 * Connections that have to prove themselves first: until their owner trusts them, little is taken from them, and they are
 * hung up on without ceremony. Transports that have nothing to protect, such as one inside a process, leave it out.
 */

import type { Connection } from '../core/transport.ts';

export interface Probation {
  /**
   * From now on until `trust` the other side may send `bytes_max` in all, whatever it sends. Counted as they arrive: a
   * bound on whole messages would let each of many strangers have a large one put together before anybody looks at it.
   */
  distrust(bytes_max: number): void;
  trust(): void;
}

export function probation(connection: Connection): Partial<Probation> {
  return connection as Connection & Partial<Probation>;
}
