/** Bounds of every transport, each with its reason. What exceeds one ends the connection; nothing waits or grows without end. */

import { limits } from '../core/limits.ts';

export const transport_limits = {
  /** One message: a full frame, and room for what encryption and framing add. */
  message_bytes_max: limits.frame_bytes_max + 1024,
  /** Bytes that may wait for an owner who is not listening yet: one full message and the next. */
  held_bytes_max: 2 * (limits.frame_bytes_max + 1024),
  /** Messages that may wait for an owner who is not listening yet. */
  held_messages_max: 1024,
  /** Connections of one listener, which an open port would otherwise collect. */
  connections_max: 1024,
  /** A quiet connection is asked for a sign of life this often: shorter than the idle timeout of common routers. */
  ping_interval_ms: 20_000,
  /** Unanswered pings before a connection counts as lost. */
  missed_pings_max: 2,
  /** How long a closing WebSocket may take to say goodbye. */
  goodbye_ms: 2_000,
  /** One handshake message: the longest of ours has 128 bytes. */
  handshake_bytes_max: 512,
  /** A whole handshake, if the caller names no other time: three messages over the worst network. */
  handshake_ms: 5_000,
} as const;
