/**
 * What arrived before anyone listened. Hands messages to their receiver in order, then the end, each exactly once;
 * holds them, within limits, until there is a receiver.
 */

import { transport_limits } from './limits.ts';

export class Inbox {
  #held: Uint8Array[] = [];
  #held_bytes = 0;
  #on_message: ((message: Uint8Array) => void) | null = null;
  #on_close: ((reason: string) => void) | null = null;
  #close_reason: string | null = null;
  #told_close = false;

  /** False when the message would exceed the limits: the owner must then end the connection. */
  push(message: Uint8Array): boolean {
    if (this.#close_reason !== null) return true;
    if (this.#on_message !== null && this.#held.length === 0) {
      this.#on_message(message);
      return true;
    }
    if (this.#held.length >= transport_limits.held_messages_max) return false;
    if (this.#held_bytes + message.length > transport_limits.held_bytes_max) return false;
    this.#held.push(message);
    this.#held_bytes += message.length;
    return true;
  }

  /** No message is taken after this. `drop_held` when this side ended it: then nobody wants the rest. */
  end(reason: string, drop_held: boolean): void {
    if (this.#close_reason !== null) return;
    this.#close_reason = reason;
    if (drop_held) this.#held = [];
    queueMicrotask(() => this.#flush());
  }

  set on_message(receiver: (message: Uint8Array) => void) {
    this.#on_message = receiver;
    queueMicrotask(() => this.#flush());
  }

  set on_close(receiver: (reason: string) => void) {
    this.#on_close = receiver;
    queueMicrotask(() => this.#flush());
  }

  /** Always in a turn of its own: whoever sets a receiver has then set both. */
  #flush(): void {
    while (this.#on_message !== null && this.#held.length > 0) {
      const message = this.#held.shift()!;
      this.#held_bytes -= message.length;
      this.#on_message(message);
    }
    if (this.#close_reason === null || this.#on_close === null || this.#told_close) return;
    this.#told_close = true;
    this.#on_close(this.#close_reason);
  }
}
