/**
 * The frame around a handshake: a few small messages within a time, then a session or a closed connection, never
 * anything between. A peer that fails learns nothing but that the connection is closed.
 */

import { SottoError } from '../core/assert.ts';
import type { Connection } from '../core/transport.ts';
import { transport_limits } from './limits.ts';
import type { SecureSession } from './secure-session.ts';

/** The error for a handshake that ends without a session. Says what went wrong, and nothing of keys or contents. */
export function handshakeFailed(code: string, expected: string, cause?: unknown): SottoError {
  return new SottoError(
    code,
    `No session: expected ${expected}.`,
    cause === undefined ? undefined : { cause },
  );
}

/**
 * Hands each message to `receive` until that returns a session, which has then taken over the connection in the same
 * turn, so that no frame is lost. Whatever `receive` throws closes the connection and rejects.
 */
export function converse(
  connection: Connection,
  timeout_ms: number,
  receive: (message: Uint8Array) => SecureSession | null,
): Promise<SecureSession> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => {
      clearTimeout(timer);
      connection.on_message = () => {};
      connection.on_close = () => {};
      connection.close(error instanceof SottoError ? error.code : 'handshake_error');
      reject(error);
    };
    const timer = setTimeout(
      () => fail(handshakeFailed('handshake_timeout', `it to be done within ${timeout_ms} ms`)),
      timeout_ms,
    );
    connection.on_close = (reason) => fail(handshakeFailed(reason, 'an open connection until it is done'));
    connection.on_message = (message) => {
      try {
        if (message.length > transport_limits.handshake_bytes_max) {
          throw handshakeFailed('bad_handshake', `at most ${transport_limits.handshake_bytes_max} bytes`);
        }
        const session = receive(message);
        if (session === null) return;
        clearTimeout(timer);
        resolve(session);
      } catch (error) {
        fail(error);
      }
    };
  });
}
