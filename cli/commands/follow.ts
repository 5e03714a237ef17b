/** `trace` and `watch`: what happens in the node, as it happens. */

import type { Command } from 'commander';
import type { Change, TraceView } from '../../api/facade.ts';
import { parseLimit } from '../arguments.ts';
import type { NodeClient } from '../node-client.ts';
import { eventsOf, type Options, runFollowing, runOnce, withExample } from '../verb.ts';
import { type Cell, printable, shortOrDash, table } from '../words.ts';

export function addFollowCommands(program: Command): void {
  const trace = program
    .command('trace')
    .description('Show how the newest envelopes went through the handlers. Never shows content.')
    .option('--follow', 'go on with what comes; --json then prints one document per line')
    .option('--limit <count>', 'how many of the past', parseLimit, 50);
  withExample(trace, 'trace --follow').action(() =>
    trace.opts<{ follow?: true }>().follow
      ? runFollowing(trace, {
          follow: followTrace,
          show: (entry: TraceView) => printable(traceCells(entry).join('  ')),
        })
      : runOnce(trace, { ask: (node, _, { limit }) => pastTrace(node, limit), show: showTrace }),
  );

  const watch = program
    .command('watch')
    .description('Tell what changes, as it changes: enough to know what to read again.');
  withExample(watch, 'watch --json').action(() =>
    runFollowing(watch, {
      follow: async function* (node) {
        yield* eventsOf<Change>(await node.follow('/v1/changes'), 'change');
      },
      show: (change: Change) =>
        printable(`${timeOfDay(Date.now())}  ${change.type}  ${shortOrDash(change.event_id)}`),
    }),
  );
}

async function pastTrace(node: NodeClient, limit: number | undefined): Promise<readonly TraceView[]> {
  const entries = await node.get<readonly TraceView[]>('/v1/trace', { limit });
  return entries.toSorted((one, other) => one.entry - other.entry);
}

/** The past, then what comes. The stream is opened first, so that nothing falls between the two. */
async function* followTrace(node: NodeClient, { limit }: Options): AsyncGenerator<TraceView> {
  const coming = await node.follow('/v1/trace/follow');
  const past = await pastTrace(node, limit);
  yield* past;
  const last = past.at(-1)?.entry ?? 0;
  for await (const entry of eventsOf<TraceView>(coming, 'trace')) {
    if (entry.entry > last) yield entry;
  }
}

function showTrace(entries: readonly TraceView[]): string {
  return table(
    ['time', 'cause', 'handler', 'stage', 'type', 'event', 'outcome', 'took'],
    entries.map(traceCells),
    'No entries yet.',
  );
}

function traceCells(entry: TraceView): Cell[] {
  return [
    timeOfDay(entry.at_ms),
    entry.depth === 0 ? entry.cause : `${entry.cause} +${entry.depth}`,
    entry.handler,
    entry.stage,
    entry.type ?? '-',
    shortOrDash(entry.event_id),
    entry.why === null ? entry.outcome : `${entry.outcome}: ${entry.why}`,
    `${Math.round(entry.duration_us)} µs`,
  ];
}

/** To the millisecond: entries of one batch are that close together. */
function timeOfDay(at_ms: number): string {
  const at = new Date(at_ms);
  return `${at.toTimeString().slice(0, 8)}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}
