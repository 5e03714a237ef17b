/**
 * The sockets of one listener, each with what it has shown so far. When there are too many, one has to go: of those that
 * have shown least the oldest. To refuse the newest instead would let whoever holds all places keep everybody out; this
 * way the places have to be taken anew all the time, faster than an honest peer gets from one standing to the next.
 */

import type { Socket } from 'node:net';

/** What a socket has shown, least first. */
export const standings = {
  /** Over, but the goodbye is still under way. */
  leaving: 0,
  /** Connected, and not yet a WebSocket: anything that speaks TCP. */
  arriving: 1,
  /** A WebSocket. Its owner sees to it that such are few. */
  unproven: 2,
  /** Its owner knows who it is. */
  trusted: 3,
} as const;

export type Standing = (typeof standings)[keyof typeof standings];

export class Door {
  readonly #sockets_max: number;
  /** In the order in which they came. */
  readonly #sockets = new Map<Socket, Standing>();

  constructor(sockets_max: number) {
    this.#sockets_max = sockets_max;
  }

  /** Takes in a new socket, in another's place if there are too many; turns it away where all others are trusted. */
  enter(socket: Socket): void {
    if (this.#sockets.size >= this.#sockets_max) {
      const least = this.#least() ?? socket;
      // At once: its 'close' comes in a later turn, and until then it would be chosen again and again.
      this.#sockets.delete(least);
      least.destroy();
      if (least === socket) return;
    }
    this.#sockets.set(socket, standings.arriving);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  /** A socket that has ended meanwhile stays forgotten. */
  becomes(socket: Socket, standing: Standing): void {
    if (this.#sockets.has(socket)) this.#sockets.set(socket, standing);
  }

  #least(): Socket | null {
    let least: Socket | null = null;
    let least_standing: Standing = standings.trusted;
    for (const [socket, standing] of this.#sockets) {
      if (standing >= least_standing) continue;
      least = socket;
      least_standing = standing;
      if (standing === standings.leaving) break;
    }
    return least;
  }
}
