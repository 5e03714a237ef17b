/**
 * One open WebSocket as a `Connection`. Only binary messages count; a peer that sends anything else, or stays silent when
 * asked for a sign of life, is dropped. Reasons stay on this side: nothing a peer writes may end up in our logs.
 *
 * While it is distrusted, what arrives is counted at the socket. The bound on a message that `ws` is made with cannot be
 * raised later by any public means, and bounds neither what lies between messages nor how many there are.
 */

import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { SottoError } from '../core/assert.ts';
import type { Connection } from '../core/transport.ts';
import { type Standing, standings } from './door.ts';
import { Inbox } from './inbox.ts';
import { transport_limits } from './limits.ts';
import type { Probation } from './probation.ts';

export interface WebSocketLimits {
  readonly message_bytes_max: number;
  readonly ping_interval_ms: number;
}

const going_away = 1001;

export class WebSocketConnection implements Connection, Probation {
  readonly #websocket: WebSocket;
  readonly #socket: Socket;
  readonly #limits: WebSocketLimits;
  readonly #becomes: (standing: Standing) => void;
  readonly #inbox = new Inbox();
  readonly #ping_timer: NodeJS.Timeout;
  #unanswered_pings = 0;
  #open = true;
  /** Bytes that the other side may still send, while it is distrusted. */
  #bytes_left: number | null = null;

  /**
   * Must be called in the turn in which the WebSocket opened, or its first messages are lost.
   * @param socket what the WebSocket runs over
   * @param becomes told whenever this connection's standing changes
   */
  constructor(
    websocket: WebSocket,
    socket: Socket,
    limits: WebSocketLimits,
    becomes: (standing: Standing) => void = () => {},
  ) {
    this.#websocket = websocket;
    this.#socket = socket;
    this.#limits = limits;
    this.#becomes = becomes;
    this.#ping_timer = setInterval(() => this.#ping(), limits.ping_interval_ms).unref();

    websocket.on('message', (data, is_binary) => this.#receive(data, is_binary));
    websocket.on('pong', () => {
      this.#unanswered_pings = 0;
    });
    websocket.on('close', (code) => this.#end(code === 1006 ? 'connection_lost' : 'closed_by_peer', false));
    // 'close' follows every error, but tells less.
    websocket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') this.#end('message_too_large', false);
      else if (error.code?.startsWith('WS_ERR_')) this.#end('not_our_protocol', false);
      else this.#end('connection_lost', false);
      this.#leave();
    });
  }

  distrust(bytes_max: number): void {
    if (!this.#open) return;
    // Behind the WebSocket's own listener, which takes each chunk apart at once: whoever has proved itself by what is in
    // this chunk is trusted by now, and the rest of it is not counted.
    if (this.#bytes_left === null) this.#socket.on('data', this.#meter);
    this.#bytes_left = bytes_max;
    this.#becomes(standings.unproven);
  }

  trust(): void {
    if (!this.#open) return;
    this.#socket.off('data', this.#meter);
    this.#bytes_left = null;
    this.#becomes(standings.trusted);
  }

  readonly #meter = (chunk: Uint8Array) => {
    if (!this.#open || this.#bytes_left === null) return;
    this.#bytes_left -= chunk.length;
    if (this.#bytes_left < 0) this.#drop('unproven_sends_too_much');
  };

  set on_message(receiver: (message: Uint8Array) => void) {
    this.#inbox.on_message = receiver;
  }

  set on_close(receiver: (reason: string) => void) {
    this.#inbox.on_close = receiver;
  }

  get buffered_bytes(): number {
    return this.#websocket.bufferedAmount;
  }

  send(message: Uint8Array): void {
    if (!this.#open) return;
    if (message.length > this.#limits.message_bytes_max) {
      throw new SottoError(
        'message_too_large',
        `Expected at most ${this.#limits.message_bytes_max} bytes, got ${message.length}`,
      );
    }
    this.#websocket.send(message, { binary: true });
  }

  /** What was sent before still goes out, if the peer takes it within a moment; whoever is distrusted gets no such moment. */
  close(reason = 'closed'): void {
    if (!this.#open) return;
    this.#end(reason, true);
    this.#websocket.close(going_away);
    this.#leave();
  }

  /** A goodbye is a socket that is open still, and a stranger could hold hundreds of them that way. */
  #leave(): void {
    if (this.#bytes_left !== null) {
      this.#websocket.terminate();
      return;
    }
    const terminate_timer = setTimeout(() => this.#websocket.terminate(), transport_limits.goodbye_ms);
    this.#websocket.once('close', () => clearTimeout(terminate_timer));
  }

  #drop(reason: string): void {
    this.#end(reason, true);
    this.#websocket.terminate();
  }

  #end(reason: string, drop_held: boolean): void {
    if (!this.#open) return;
    this.#open = false;
    this.#becomes(standings.leaving);
    clearInterval(this.#ping_timer);
    this.#inbox.end(reason, drop_held);
  }

  #receive(data: unknown, is_binary: boolean): void {
    this.#unanswered_pings = 0;
    if (!this.#open) return;
    if (!is_binary || !(data instanceof Uint8Array)) {
      this.#drop('not_our_protocol');
      return;
    }
    // A plain view: a Buffer's slice() shares memory, which no caller expects.
    const message = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    if (!this.#inbox.push(message)) this.#drop('held_too_much');
  }

  #ping(): void {
    if (this.#unanswered_pings >= transport_limits.missed_pings_max) {
      this.#drop('no_sign_of_life');
    } else {
      this.#unanswered_pings += 1;
      this.#websocket.ping();
    }
  }
}
