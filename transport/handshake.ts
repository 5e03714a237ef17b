/**
 * The frame around a handshake: a few small messages within a time, then a session or a closed connection, never
 * anything between. A peer that fails learns nothing but that the connection is closed.
 */

import { SottoError } from '../core/assert.ts';
import type { Timers } from '../core/clock.ts';
import type { Connection } from '../core/transport.ts';
import { transport_limits } from './limits.ts';
import { probation } from './probation.ts';
import type { SecureSession } from './secure-session.ts';

/** The error for a handshake that ends without a session. Says what went wrong, and nothing of keys or contents. */
export function handshakeFailed(code: string, expected: string, cause?: unknown): SottoError {
  return new SottoError(
    code,
    `No session: expected ${expected}.`,
    cause === undefined ? undefined : { cause },
  );
}

export interface Patience {
  /** For the whole handshake. */
  readonly timeout_ms: number;
  /** For the first message. */
  readonly silent_ms: number;
  readonly timers: Pick<Timers, 'set'>;
}

/**
 * Hands each message to `receive` until that returns a session, which has then taken over the connection in the same
 * turn, so that no frame is lost. Whatever `receive` throws closes the connection and rejects. Until then the connection
 * is on probation: next to nothing is buffered for whoever has not proved anything.
 */
export function converse(
  connection: Connection,
  { timeout_ms, silent_ms, timers }: Patience,
  receive: (message: Uint8Array) => SecureSession | null,
): Promise<SecureSession> {
  return new Promise((resolve, reject) => {
    probation(connection).distrust?.(transport_limits.unproven_bytes_max);
    const fail = (error: unknown) => {
      stopTimer();
      stopSilence();
      connection.on_message = () => {};
      connection.on_close = () => {};
      connection.close(error instanceof SottoError ? error.code : 'handshake_error');
      reject(error);
    };
    const stopTimer = timers.set(
      () => fail(handshakeFailed('handshake_timeout', `it to be done within ${timeout_ms} ms`)),
      timeout_ms,
    );
    const stopSilence = timers.set(
      () => fail(handshakeFailed('silent', `a first message within ${silent_ms} ms`)),
      silent_ms,
    );
    connection.on_close = (reason) => fail(handshakeFailed(reason, 'an open connection until it is done'));
    connection.on_message = (message) => {
      stopSilence();
      try {
        if (message.length > transport_limits.handshake_bytes_max) {
          throw handshakeFailed('bad_handshake', `at most ${transport_limits.handshake_bytes_max} bytes`);
        }
        const session = receive(message);
        if (session === null) return;
        stopTimer();
        probation(connection).trust?.();
        resolve(session);
      } catch (error) {
        fail(error);
      }
    };
  });
}
