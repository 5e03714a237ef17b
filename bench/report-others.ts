/** Other systems beside ours in docs/performance.md: one row each, and below the table what each does per message. */
import type { Line, ReportLine } from './line.ts';
import { OTHERS } from './report-texts.ts';
import { digits, markdownTable } from './table.ts';

/** Columns, with the name of the figure in `peer_<system>_<figure>`, and of our own that comes nearest. */
const COLUMNS: readonly (readonly [head: string, figure: string, ours: string | null])[] = [
  ['10,000 messages to an empty peer, messages/s', 'sync_10k_messages_per_s', 'sync_10k_messages_per_s'],
  ['ten new, ms', 'delta_10k_ms', 'delta_10k_ms'],
  ['ten new, bytes', 'delta_10k_bytes', 'delta_10k_bytes'],
  ['stored one by one with 10,000 there, messages/s', 'append_at_10k_per_s', 'send_serial_per_s'],
  ['receiver, MB', 'receiver_rss_mb', 'sync_10k_receiver_rss_mb'],
  ['lost after a kill', 'lost_after_kill', null],
];
const PREFIX = 'peer_';
const OURS = {
  title: '**Sotto**',
  facts:
    'a signature per message is verified by whoever receives it; each message is sealed under a key of its own; stored means that an fsync has returned; rights, keys and deletions are judged per message',
};

export function othersOf(lines: readonly ReportLine[]): string {
  const systems = Map.groupBy(
    lines.filter(({ name, peer }) => name.startsWith(PREFIX) && peer !== undefined),
    ({ peer }) => peer?.title ?? '',
  );
  if (systems.size === 0) return '';
  const cell = (line: Line | undefined) => (line === undefined ? '' : digits(line.value));
  const ours = COLUMNS.map(([, , name]) => cell(lines.findLast((line) => line.name === name)));
  const rows = [...systems].map(([title, of_system]) => [
    title,
    ...COLUMNS.map(([, figure]) =>
      cell(of_system.findLast(({ name }) => name.startsWith(PREFIX) && name.endsWith(`_${figure}`))),
    ),
  ]);
  const facts = [...systems].map(([title, of_system]) => {
    const { title: _title, ...told } = of_system.at(-1)!.peer!;
    return `- ${title}: ${Object.entries(told)
      .map(([fact, words]) => `*${fact.replaceAll('_', ' ')}*: ${words}`)
      .join('; ')}.`;
  });
  return [
    '## Other systems',
    '`node bench/peers/run.ts`',
    OTHERS.replaceAll('\n', ' '),
    markdownTable([['', ...COLUMNS.map(([head]) => head)], [OURS.title, ...ours], ...rows]),
    [`- ${OURS.title}: ${OURS.facts}.`, ...facts].join('\n'),
  ].join('\n\n');
}
