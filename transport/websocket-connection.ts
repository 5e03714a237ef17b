/**
 * One open WebSocket as a `Connection`. Only binary messages count; a peer that sends anything else, or stays silent when
 * asked for a sign of life, is dropped. Reasons stay on this side: nothing a peer writes may end up in our logs.
 */

import type { WebSocket } from 'ws';
import { SottoError } from '../core/assert.ts';
import type { Connection } from '../core/transport.ts';
import { Inbox } from './inbox.ts';
import { transport_limits } from './limits.ts';

export interface WebSocketLimits {
  readonly message_bytes_max: number;
  readonly ping_interval_ms: number;
}

const going_away = 1001;

export class WebSocketConnection implements Connection {
  readonly #websocket: WebSocket;
  readonly #limits: WebSocketLimits;
  readonly #inbox = new Inbox();
  readonly #ping_timer: NodeJS.Timeout;
  #unanswered_pings = 0;
  #open = true;

  /** Must be called in the turn in which the WebSocket opened, or its first messages are lost. */
  constructor(websocket: WebSocket, limits: WebSocketLimits) {
    this.#websocket = websocket;
    this.#limits = limits;
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
    });
  }

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

  /** What was sent before still goes out, if the peer takes it within a moment. */
  close(reason = 'closed'): void {
    if (!this.#open) return;
    this.#end(reason, true);
    this.#websocket.close(going_away);
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
