/**
 * One side of one system, in a process of its own: answers the calls that `run.ts` sends over the channel between parent and child.
 * What is timed is timed here, so that the channel is in no figure.
 * `fork('worker.ts', [SYSTEM])`
 */
import { readFileSync } from 'node:fs';
import { checkTexts, textOf, textsOf } from './messages.ts';
import type { EmptyPeer, FullPeer, System, Ticket } from './system.ts';

const system = (await import(`./systems/${process.argv[2]}.js`)) as System;
let full: FullPeer;
let empty: EmptyPeer;

/** Highest resident memory of this process so far, in MB. The kernel's own mark: samples would miss peaks. */
function peakMegabytes(): number {
  const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'));
  if (peak === null) throw new Error('expected /proc/self/status to tell VmHWM, as Linux does');
  return Number(peak[1]) / 1024;
}

const calls = {
  facts: () => system.facts,
  /** Gives back the ticket. */
  async openFull(folder: string) {
    full = await system.openFull(folder);
    return full.ticket;
  },
  async fill(count: number) {
    await full.fill(textsOf(0, count));
  },
  listen: () => full.listen(),
  share: () => full.share?.(),
  /** Stores `count` messages one after the other, each once the one before is stored. Gives back the milliseconds. */
  async append(from: number, count: number) {
    const begun = performance.now();
    for (let at = 0; at < count; at++) await full.append(textOf(from + at));
    return performance.now() - begun;
  },
  async openEmpty(folder: string, ticket: Ticket) {
    empty = await system.openEmpty(folder, ticket);
  },
  join: (port: number) => empty.join?.(port),
  /** Connects, and fetches, stores, reads and compares `count` messages from `from` on. Gives back the milliseconds and the peak of memory. */
  async fetch(port: number, from: number, count: number) {
    const begun = performance.now();
    await empty.connect(port);
    await empty.until(from + count);
    const texts = await empty.texts(from);
    const ms = performance.now() - begun;
    checkTexts(texts, from, count);
    return { ms, peak_mb: peakMegabytes() };
  },
  disconnect: () => empty.disconnect(),
  /** How many messages are there, without anybody to ask. */
  async held() {
    return (await empty.texts(0)).length;
  },
};

export type Calls = typeof calls;

process.on('message', async ({ id, name, args }: { id: number; name: keyof Calls; args: unknown[] }) => {
  try {
    const value = await (calls[name] as (...args: unknown[]) => unknown)(...args);
    process.send!({ id, value });
  } catch (error) {
    process.send!({ id, error: error instanceof Error ? error.stack : String(error) });
  }
});
process.on('disconnect', () => process.exit());
process.send!({ id: 0 }); // ready
