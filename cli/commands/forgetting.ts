/** `forget`, `receipts`, `deletions`: what was erased, how far that has come, and forgetting at once. */

import type { Command } from 'commander';
import { shortId } from '../../api/facade.ts';
import { parseCount, parseLimit, parseSince, receipts_max } from '../arguments.ts';
import { exit_codes, misused } from '../failure.ts';
import type { NodeClient } from '../node-client.ts';
import { startProgress } from '../progress.ts';
import { type Answer, type Options, runOnce, selectorIn, verb, withExample, withSelectors } from '../verb.ts';
import { type Cell, counted, shortDevice, soon, table, when } from '../words.ts';

/** How many receipts people are shown; `--json` is the export, and gives all. */
const receipts_shown = 50;

const forget_codes = `
Exit codes of its own:
  0  done: nothing is owed any more
  4  something is still owed; what, and what it waits for, is printed
`;

export function addForgettingCommands(program: Command): void {
  const forget = withSelectors(
    program
      .command('forget')
      .description(
        'Run the chain of forgetting to its end at once: what is deleted or expired is erased, with receipts. The node does the same by itself, on its schedule.',
      )
      .option('--now', 'needed: do it now, without waiting out the grace that purge_keys gives this device'),
  ).addHelpText('after', forget_codes);
  withExample(forget, 'forget --now').action(() => {
    if (forget.opts<{ now?: true }>().now !== true) {
      throw misused(
        'now_missing',
        'Expected --now: it runs the chain of forgetting at once, without the grace on this device, within which a message that is still on its way can be read. Without it the node forgets by itself, on its schedule; `sotto audit` shows what is owed.',
      );
    }
    return runOnce(forget, { ask: forgetAll, show: showForgotten, exitCode: codeOfDebt });
  });

  verb(
    withSelectors(
      program
        .command('receipts')
        .description(
          'List the receipts of erasures, newest first: what was erased, when, by which rule; never content. --json is the export: all of them, with whole ids.',
        )
        .option('--since <time>', 'those begun since: 12h, 7d, 2026-01-31', (text) => parseSince(text))
        .option('--limit <count>', `how many (default: ${receipts_shown}, all with --json)`, (text) =>
          parseCount(text, receipts_max),
        ),
    ),
    {
      example: 'receipts --since 7d',
      ask: (node, _, options) => {
        const { since, limit } = options as Options & { since?: number };
        return node.get<Answer<'receipts'>>('/v1/receipts', {
          since_ms: since,
          limit: limit ?? (options.json ? receipts_max : receipts_shown),
          ...selectorIn(options),
        });
      },
      show: (receipts) => showReceipts(receipts, 'No receipts.'),
    },
  );

  verb(
    withSelectors(
      program
        .command('deletions')
        .description(
          'List the deletions of messages, newest first, with how far each has come. Of other devices it counts only what they have said themselves.',
        )
        .option('--limit <count>', 'how many', parseLimit, 50),
    ),
    {
      example: 'deletions --limit 10',
      ask: (node, _, options) =>
        node.get<Answer<'deletions'>>('/v1/deletions', { limit: options.limit, ...selectorIn(options) }),
      show: (deletions) =>
        table(
          ['message', 'by', 'deleted', 'state'],
          deletions.map((one) => [shortId(one.message_id), one.by, when(one.deleted_ms), one.text]),
          'No deletions.',
        ),
    },
  );
}

/** Asks again and again: each call works for about a second, so that the node stays there for others. */
async function forgetAll(
  node: NodeClient,
  _: readonly string[],
  options: Options,
): Promise<Answer<'forget'>> {
  const progress = startProgress();
  const written = new Map<number, Answer<'receipts'>[number]>();
  try {
    for (;;) {
      const answer = await node.post<Answer<'forget'>>('/v1/forget', selectorIn(options));
      for (const receipt of answer.receipts) written.set(receipt.receipt, receipt);
      if (!answer.goes_on) return { ...answer, receipts: await asTheyAreNow(node, written) };
      progress.tell(`forgetting: ${answer.owed} still owed, ${counted(written.size, 'receipt')} written`);
    }
  } finally {
    progress.end();
  }
}

/** A later call may have finished what an earlier one began. */
async function asTheyAreNow(
  node: NodeClient,
  written: ReadonlyMap<number, Answer<'receipts'>[number]>,
): Promise<Answer<'receipts'>> {
  if (written.size === 0) return [];
  const since_ms = Math.min(...[...written.values()].map(({ intended_ms }) => intended_ms));
  const found = await node.get<Answer<'receipts'>>('/v1/receipts', { since_ms, limit: receipts_max });
  const now = new Map([...written, ...found.map((one) => [one.receipt, one] as const)]);
  return [...now.values()]
    .filter(({ receipt }) => written.has(receipt))
    .toSorted((one, other) => other.receipt - one.receipt);
}

function codeOfDebt({ owed }: Answer<'forget'>): number {
  return owed === 0 ? exit_codes.ok : exit_codes.owed;
}

function showForgotten({ owed, stages, receipts }: Answer<'forget'>): string {
  const erased = showReceipts(receipts, 'There was nothing to erase.');
  if (owed === 0) return `${erased}\n\nNothing is owed any more.`;
  const still = table(
    ['stage', 'owed', 'oldest', 'waits'],
    stages
      .filter((stage) => stage.owed > 0)
      .map((stage) => [stage.stage, stage.owed, when(stage.oldest_ms), waitsFor(stage)]),
    '',
  );
  return `${erased}\n\nStill owed, ${owed} in all:\n${still}\n\nKey by key: sotto audit --no-records`;
}

function waitsFor({ held, next_run_ms }: Answer<'forget'>['stages'][number]): string {
  if (held !== null) return held;
  if (next_run_ms !== null) return `for its next run, ${soon(next_run_ms)}`;
  return 'until nothing else reads the database; the node tries again by itself';
}

function showReceipts(receipts: Answer<'receipts'>, none: string): string {
  const time = (at_ms: number | null): Cell => (at_ms === null ? null : when(at_ms));
  return table(
    ['receipt', 'of a', 'id', 'rule', 'begun', 'erased', 'unreachable'],
    receipts.map((one) => [
      one.receipt,
      one.kind.replace('_', ' '),
      // A group key is named by an event; prekeys and devices are keys themselves.
      one.kind === 'group_key' ? shortId(one.key_id) : shortDevice(one.key_id),
      one.rule.replace('_', ' '),
      time(one.intended_ms),
      time(one.zeroed_ms),
      time(one.unreachable_ms),
    ]),
    none,
  );
}
