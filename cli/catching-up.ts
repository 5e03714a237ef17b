/**
 * How far a node is in fetching what it has missed: in words, for `status`; and as it goes on, for `join`: a bar where stderr is a terminal, else a line now
 * and then.
 */

import type { CatchingUpView } from '../api/facade.ts';
import type { NodeClient } from './node-client.ts';
import { startProgress, type Terminal } from './progress.ts';
import type { Answer } from './verb.ts';
import { grouped, span } from './words.ts';

/** Where the node has fetched nothing much for so long, there is no more to be had from those who are there. */
const quiet_ms = 2_000;
const look_every_ms = 500;
/** Where there is no terminal: a log is not to be filled with it. */
const line_every_ms = 5_000;
/** With numbers in the millions it still fits into 80 columns. */
const bar_columns = 16;

type Joined = Pick<Answer<'join'>, 'network_id' | 'device_id'>;

/** `12,000 of 20,000 events to go, about 40 s left`. */
export function catchingUpText({ events_left, events_total, time_left_ms }: CatchingUpView): string {
  const left = `${grouped(events_left)} of ${grouped(events_total)} events to go`;
  // Up to the next second: `about 0 s left` would not be true for long.
  if (time_left_ms === null) return left;
  return `${left}, about ${span(Math.ceil(time_left_ms / 1_000) * 1_000)} left`;
}

function bar({ events_left, events_total }: CatchingUpView): string {
  const done = Math.round(bar_columns * (1 - events_left / events_total));
  return `[${'#'.repeat(done)}${'.'.repeat(bar_columns - done)}]`;
}

/**
 * Shows how a device that has joined catches up, until nothing much is fetched any more; what is left, if others have to come first, comes whenever they do.
 * Ends at once with the network, should it be deleted meanwhile.
 */
export async function showCatchingUp(
  node: NodeClient,
  joined: Joined,
  terminal: Terminal = process.stderr,
): Promise<void> {
  const progress = startProgress(terminal);
  let events: number | null;
  let line_ms = Number.NEGATIVE_INFINITY;
  try {
    events = await untilQuiet(node, joined, (catching_up) => {
      const text = catchingUpText(catching_up);
      progress.tell(`${bar(catching_up)} ${text}`);
      if (terminal.isTTY || performance.now() - line_ms < line_every_ms) return;
      line_ms = performance.now();
      terminal.write(`catching up: ${text}\n`);
    });
  } finally {
    progress.end();
  }
  if (events !== null) terminal.write(`${grouped(events)} events are here.\n`);
}

/** Looks again and again. Resolves with how many events are there in the end; null where there was nothing to wait for. */
async function untilQuiet(
  node: NodeClient,
  { network_id, device_id }: Joined,
  tell: (catching_up: CatchingUpView) => void,
): Promise<number | null> {
  let was_busy = false;
  for (let busy_ms = performance.now(); ; ) {
    const { networks } = await node.get<Answer<'status'>>('/v1/status');
    const network = networks.find((one) => one.network_id === network_id && one.device_id === device_id);
    if (network === undefined) return null;
    if (network.catching_up !== null) {
      was_busy = true;
      busy_ms = performance.now();
      tell(network.catching_up);
    } else if (performance.now() - busy_ms >= quiet_ms) return was_busy ? network.events : null;
    await new Promise((resolve) => setTimeout(resolve, look_every_ms));
  }
}
