/** The figures for people: one row per system, and below what each does and does not do per message. */
import type { Facts } from './system.ts';

/** The facts of a system as they are told: with the versions that are installed. */
export type Told = Omit<Facts, 'packages'> & { readonly versions: string };

export interface Row {
  readonly facts: Told;
  readonly medians: Readonly<Record<string, number>>;
}

export function printTable(rows: readonly Row[], say: (line: string) => void): void {
  const names = Object.keys(rows[0]?.medians ?? {});
  const cells = [
    ['', ...names],
    ...rows.map(({ facts, medians }) => [facts.title, ...names.map((name) => String(medians[name]))]),
  ];
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  say('');
  for (const row of cells)
    say(
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
        .join('  '),
    );
  for (const { facts } of rows) {
    say(`\n${facts.title} (${facts.versions})`);
    say(`  checks a signature per message: ${facts.checks_signature}`);
    say(`  seals: ${facts.seals}`);
    say(`  stored means: ${facts.stored}`);
    say(`  between: ${facts.between}`);
  }
}
