/** What was measured beside what it must be, as a table for people. */
import { isReached, type ValueSpec } from './figure.ts';
import type { Line } from './line.ts';

/** One row for each value, its cells as text: name, value, what is asked of it, whether it is that. */
export function rowsOf(lines: readonly Line[], specOf: (name: string) => ValueSpec | undefined): string[][] {
  return lines.map((line) => {
    const target = specOf(line.name)?.target ?? null;
    const reached = isReached(target, line.value);
    const asked = target === null ? '' : `${target.at === 'least' ? '≥' : '≤'} ${digits(target.value)}`;
    const value = `${digits(line.value)} ${line.unit}`;
    return [line.name, value, asked, reached === null ? '' : reached ? 'yes' : 'NO'];
  });
}

export function tableOf(lines: readonly Line[], specOf: (name: string) => ValueSpec | undefined): string {
  const rows = [['name', 'value', 'target', 'reached'], ...rowsOf(lines, specOf)];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** With commas between thousands. */
export const digits = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 4 });

/** The same for a page; the first row is its head. */
export function markdownTable(rows: readonly (readonly (string | undefined)[])[]): string {
  const [head, ...body] = rows.map((row) => `| ${row.join(' | ')} |`);
  return [head, `|${' --- |'.repeat(rows[0]!.length)}`, ...body].join('\n');
}
