/** Bounds of every transport, each with its reason. What exceeds one ends the connection; nothing waits or grows without end. */

import { limits } from '../core/limits.ts';

export const transport_limits = {
  /** One message: a full frame, and room for what encryption and framing add. */
  message_bytes_max: limits.frame_bytes_max + 1024,
  /** Bytes that may wait for an owner who is not listening yet: one full message and the next. */
  held_bytes_max: 2 * (limits.frame_bytes_max + 1024),
  /** Messages that may wait for an owner who is not listening yet. */
  held_messages_max: 1024,
  /**
   * Sockets of one listener, which an open port would otherwise collect. More than the owner's sessions and half-open
   * connections together (see hosts/half-open.ts) by some hundreds, so that a stranger has to send hundreds of sockets
   * within the milliseconds in which a peer's becomes a WebSocket to push it out. See door.ts.
   */
  connections_max: 2048,
  /** How long a socket may take to become a WebSocket: one request, which is under way when the socket is there. */
  arriving_ms: 2_000,
  /** How often it is looked for those that take longer. */
  arriving_check_ms: 500,
  /** Everything that may come before a handshake is done: an honest side sends 250 bytes at the most, framing included. */
  unproven_bytes_max: 4096,
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
  /** Until the first message of a handshake: it leaves as soon as the connection is there, and has one way to go. */
  silent_ms: 2_000,
} as const;
