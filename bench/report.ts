/**
 * Writes docs/performance.md from the JSON lines that the suite, the soak and other systems' runs printed.
 * `node bench/report.ts FILE... [--out FILE]`. Of lines with the same name the last one counts.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isReached } from './figure.ts';
import { NAMES, specOf } from './figures/index.ts';
import type { ReportLine } from './line.ts';
import { othersOf } from './report-others.ts';
import { INTRODUCTION, SECTIONS, type Section } from './report-texts.ts';
import { digits, markdownTable } from './table.ts';

const USUAL = fileURLToPath(new URL('../docs/performance.md', import.meta.url));

/** The whole page. */
export function reportOf(lines: readonly ReportLine[]): string {
  const found = new Map(lines.map((line) => [line.name, line]));
  const parts = [
    '# Performance',
    ...INTRODUCTION.split('\n\n').map(unwrapped),
    machinesOf(lines),
    `## In short\n\n${summaryOf(found)}`,
    ...SECTIONS.map((section) => sectionOf(section, found)),
    othersOf(lines),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function machinesOf(lines: readonly ReportLine[]): string {
  const machines = [...new Set(lines.filter(({ name }) => specOf(name)).map(({ machine }) => machine))];
  return machines.length === 0 ? '' : `Measured on: ${machines.join('; ')}.`;
}

function summaryOf(found: ReadonlyMap<string, ReportLine>): string {
  const asked = NAMES.filter((name) => specOf(name)?.target !== null);
  const measured = asked.filter((name) => found.has(name));
  const missed = measured.filter((name) => isReached(specOf(name)!.target, found.get(name)!.value) === false);
  const missing = asked.filter((name) => !found.has(name));
  const said = [
    `Of ${asked.length} targets ${measured.length - missed.length} are reached, ${missed.length} are not, ${missing.length} were not measured.`,
    ...missed.map((name) => `- \`${name}\` is ${farFrom(name, found.get(name)!.value)}`),
    ...(missing.length === 0 ? [] : [`- not measured: ${missing.map((name) => `\`${name}\``).join(', ')}`]),
  ];
  return said.join('\n');
}

/** How far a value is from its target, in words. */
function farFrom(name: string, value: number): string {
  const target = specOf(name)!.target!;
  const factor = target.at === 'least' ? target.value / value : value / target.value;
  const asked = `${target.at} ${digits(target.value)}`;
  const far =
    factor < 1.995 ? `${Math.ceil((factor - 1) * 100)} %` : `${digits(Math.ceil(factor * 10) / 10)} times`;
  return `${digits(value)}, asked is at ${asked}: off by ${far}`;
}

function sectionOf(section: Section, found: ReadonlyMap<string, ReportLine>): string {
  const names = NAMES.filter((name) => section.begins.some((begins) => name.startsWith(begins)));
  const rows = names.map((name) => {
    const { what, target, unit } = specOf(name)!;
    const line = found.get(name);
    const asked = target === null ? '' : `${target.at === 'least' ? '≥' : '≤'} ${digits(target.value)}`;
    if (line === undefined) return [`\`${name}\``, what, asked, 'not measured', '', ''];
    const spread =
      line.runs.length < 2 ? '' : `${digits(Math.min(...line.runs))} – ${digits(Math.max(...line.runs))}`;
    const ceiling = line.ceiling === undefined ? '' : ` (ceiling ${digits(line.ceiling)})`;
    const reached = { true: 'yes', false: '**no**', null: '' }[`${isReached(target, line.value)}`];
    return [`\`${name}\``, what, asked, `${digits(line.value)} ${unit}${ceiling}`, spread, reached];
  });
  return [
    `## ${section.title}`,
    `\`${section.command}\``,
    markdownTable([['name', 'what', 'target', 'value', 'runs', 'reached'], ...rows]),
    `**How.** ${unwrapped(section.how)}`,
    `**What limits it.** ${unwrapped(section.limits)}`,
  ].join('\n\n');
}

/** Lines of the source are broken where the editor ends, those of the page are not. */
const unwrapped = (text: string): string => text.replaceAll('\n', ' ');

export function linesIn(text: string): ReportLine[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as ReportLine);
}

if (import.meta.main) {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { out: { type: 'string', default: USUAL } },
  });
  if (positionals.length === 0) {
    process.stderr.write('report: Expected a file with the lines that `npm run bench` printed.\n');
    process.exit(2);
  }
  const lines = positionals.flatMap((path) => linesIn(readFileSync(path, 'utf8')));
  writeFileSync(values.out, reportOf(lines));
}
