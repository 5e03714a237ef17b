/** What a measured node does when the suite tells it to: its facade, and loops that have to run beside it, since a call from outside costs more than a message. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeFacade } from '../../api/facade.ts';
import { openNodeSqlite } from '../../storage/node-sqlite.ts';
import { nowMs, sleep } from './clock.ts';
import type { Routes } from './routed-transport.ts';
import { CHANNEL, textOf } from './texts.ts';

export interface NodeHost {
  readonly facade: NodeFacade;
  /** Where dials go from now on. */
  readonly route: (routes: Routes) => void;
  /** When the first session was opened after `since_ms`, by `nowMs`. */
  readonly openedAfter: (since_ms: number) => Promise<number>;
}

export type Calls = ReturnType<typeof callsOf>;

/** Messages that a loop sends before timers and sockets get their turn. */
const TURN = 32;

export function callsOf({ facade, route, openedAfter }: NodeHost) {
  const watched = new Watched(facade);
  const send = (n: number) => facade.send({ channel_ref: CHANNEL, text: textOf(n), ttl_ms: null });

  return {
    facade: (method: string, args: readonly unknown[]): unknown =>
      (facade as unknown as Record<string, (...args: readonly unknown[]) => unknown>)[method]!(...args),
    routes: (routes: Routes) => route(routes),
    openedAfter,

    /** From here on messages that come to be shown are counted. */
    watch: () => watched.begin(),
    /** When so many of them were there and could be read, by `nowMs`. */
    watched: (count: number) => watched.reached(count),

    /** Sends one message. When it was asked for, and when it was on the disk. */
    async sendOne(n: number): Promise<{ asked_ms: number; done_ms: number }> {
      const asked_ms = nowMs();
      await send(n);
      return { asked_ms, done_ms: nowMs() };
    },

    /** One after the other, each on the disk before the next is said. Milliseconds for all. */
    async sendSerial(from: number, count: number): Promise<number> {
      const begun = nowMs();
      for (let n = from; n < from + count; n++) await send(n);
      return nowMs() - begun;
    },

    /** So many at once until all are sent; others get their turn in between. Milliseconds for all. */
    async sendConcurrent(from: number, count: number, at_once: number): Promise<number> {
      const begun = nowMs();
      for (let n = from; n < from + count; n += at_once) {
        const some = Math.min(at_once, from + count - n);
        await Promise.all(Array.from({ length: some }, async (_, more) => send(n + more)));
        if ((n - from) % TURN < at_once) await new Promise((resolve) => setImmediate(resolve));
      }
      return nowMs() - begun;
    },

    /** As many commits of one row with nothing else to do, on the same disk, under the same pragmas. Milliseconds for all. */
    bareCommits(beside: string, count: number): number {
      const folder = mkdtempSync(join(beside, 'bare-'));
      const db = openNodeSqlite(join(folder, 'bare.db'));
      db.exec('CREATE TABLE row (n INTEGER PRIMARY KEY, body BLOB NOT NULL)');
      const insert = db.prepare('INSERT INTO row (body) VALUES (:body)');
      const body = new TextEncoder().encode(textOf(0));
      const begun = nowMs();
      for (let n = 0; n < count; n++) insert.run({ body });
      const took_ms = nowMs() - begun;
      db.close();
      rmSync(folder, { recursive: true });
      return took_ms;
    },

    /** Milliseconds of each of so many reads of a channel's newest page; before each, something was said, and two kinds of reactions given to it. */
    async readPages(from: number, count: number, limit: number): Promise<number[]> {
      const times: number[] = [];
      for (let n = from; n < from + count; n++) {
        const { message_id } = await send(n);
        for (const emoji of ['👍', '🎉']) await facade.react({ message_ref: message_id, emoji });
        const begun = nowMs();
        const page = await facade.read({ channel_ref: CHANNEL, limit });
        times.push(nowMs() - begun);
        const newest = page.at(-1);
        if (page.length !== limit || newest?.text !== textOf(n) || newest.reactions.length !== 2)
          throw new Error(`expected a page of ${limit} messages, and the newest one with its reactions`);
      }
      return times;
    },

    /** Begins so many rounds of sync, `pause_ms` apart. */
    async rounds(count: number, pause_ms: number): Promise<void> {
      for (let round = 0; round < count; round++) {
        const { ran } = await facade.jobRun('sync_request', {});
        if (ran !== 1) throw new Error(`expected one run of sync_request, got ${ran}`);
        await sleep(pause_ms);
      }
    },
  };
}

/** Counts messages as subscribers are told of them, and reads them as somebody would who has the channel open. */
class Watched {
  readonly #facade: NodeFacade;
  #unsubscribe: (() => void) | null = null;
  #count = 0;
  #waiter: { count: number; resolve: () => void } | null = null;

  constructor(facade: NodeFacade) {
    this.#facade = facade;
  }

  begin(): void {
    this.#unsubscribe?.();
    this.#count = 0;
    this.#unsubscribe = this.#facade.subscribe(({ type }) => {
      if (type !== 'message') return;
      this.#count += 1;
      this.#look();
    });
  }

  async reached(count: number): Promise<number> {
    const all = new Promise<void>((resolve) => {
      this.#waiter = { count, resolve };
    });
    this.#look();
    await all;
    const page = await this.#facade.read({ channel_ref: CHANNEL, limit: count });
    const at_ms = nowMs();
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    if (page.length !== count || page.some(({ text }) => text === ''))
      throw new Error(`expected to read ${count} messages, got ${page.length}`);
    return at_ms;
  }

  #look(): void {
    if (this.#waiter === null || this.#count < this.#waiter.count) return;
    this.#waiter.resolve();
    this.#waiter = null;
  }
}
