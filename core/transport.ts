/**
 * How bytes travel between two nodes. A transport moves whole messages, in order, and knows nothing of who is at the
 * other end; authentication and encryption are laid on top (`transport/noise.ts`).
 */

export interface Connection {
  /** Queues one message. Ignored once closed: `on_close` tells. */
  send(message: Uint8Array): void;
  /** Bytes queued here and not yet given to the network. */
  readonly buffered_bytes: number;
  close(reason?: string): void;
  /** Set by the owner before any message can arrive (in the same turn in which the connection was handed over). */
  on_message: (message: Uint8Array) => void;
  /** Called exactly once, however the connection ended. */
  on_close: (reason: string) => void;
}

export interface Listener {
  /** The address that others can dial, with the port that was really bound: `host:port`. */
  readonly address: string;
  close(): Promise<void>;
}

export interface Transport {
  /** Accepts connections at `address` (`host:port`; port 0 picks a free one). */
  listen(address: string, on_connection: (connection: Connection) => void): Promise<Listener>;
  /** Opens a connection. Rejects with `SottoError('dial_failed')` when nobody answers in time. */
  dial(address: string, options: { timeout_ms: number }): Promise<Connection>;
}
