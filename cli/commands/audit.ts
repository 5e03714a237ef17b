/** `audit`: whether everything is forgotten that has to be, whether all records are sound, and whether given secrets are still on the disk. */

import { existsSync, realpathSync } from 'node:fs';
import { sep } from 'node:path';
import type { Command } from 'commander';
import type { RecordsCheck } from '../check-records.ts';
import { CliFailure, exit_codes, misused } from '../failure.ts';
import { startProgress } from '../progress.ts';
import type { SearchResult, SecretLine } from '../search-files.ts';
import {
  type Answer,
  connect,
  type Options,
  print,
  selectorIn,
  withExample,
  withSelectors,
} from '../verb.ts';
import {
  type Cell,
  counted,
  printable,
  printableLines,
  shortOrDash,
  soon,
  span,
  table,
  when,
} from '../words.ts';

/** Of problems and findings, people are shown so many; `--json` has all that were kept. */
const shown_max = 100;

interface AuditOptions extends Options {
  readonly search?: string;
  /** false: `--no-records`. */
  readonly records: boolean;
  readonly passphraseFile?: string;
  readonly protocol?: string;
  readonly all?: true;
}

/** A part that could not be had, and why. */
interface Missing {
  readonly error: { readonly code: string; readonly message: string };
}

/** Never with a secret: only with its number, and the line of the file that it is on. */
interface SearchReport extends Omit<SearchResult, 'findings'> {
  readonly secrets: number;
  readonly findings: readonly {
    readonly file: string;
    readonly offset: number;
    readonly length: number;
    readonly secret: number;
    readonly line: number;
  }[];
}

/** null: not asked for. */
interface Report {
  readonly forgetting: Answer<'forgetting'> | Missing;
  readonly integrity: RecordsCheck | Missing | null;
  readonly search: SearchReport | null;
}

const codes = `
Exit codes of its own, the worst that holds:
  0  nothing is owed, and nothing is wrong
  4  something is owed: a key or a wrap that has to go is still there
  3  no node is running there, so that what is owed is not known; the rest was done
  1  the records or some files could not be checked to their end, or the node refused
  5  something is wrong: a record has a problem, or a secret was found
`;

/** @param check_script the program that checks the records; see `check-records.ts` */
export function addAuditCommand(program: Command, check_script: string): void {
  const audit = withSelectors(
    program
      .command('audit')
      .description(
        'Show what is not forgotten yet, check every record of the database, and look for given secrets in the files of the data directory. Without a running node, the latter two.',
      )
      .option('--all', 'list every key, also the clean and the unreachable ones')
      .option('--no-records', 'do not check the records')
      .option(
        '--search <file>',
        'look for the secrets in this file: one a line, as text, as hex:DIGITS or as base64:DIGITS; any 8 bytes in a row of one count',
      )
      .option(
        '--passphrase-file <file>',
        'holds the passphrase of the key slots, for the check of the records; $SOTTO_PASSPHRASE_FILE if that is set',
      )
      .option('--protocol <dir>', "the protocol folder of your app's own that the node was started with"),
  ).addHelpText('after', codes);
  withExample(audit, 'audit --search secrets.txt').action(async () => {
    const options = audit.optsWithGlobals<AuditOptions>();
    const report = await runAudit(options, check_script);
    print(options.json ? JSON.stringify(report) : showReport(report, options));
    process.exitCode = codeOf(report);
  });
}

async function runAudit(options: AuditOptions, check_script: string): Promise<Report> {
  // First of all: what is wrong with them is said at once, not after a long check.
  const secrets = options.search === undefined ? null : await secretsIn(options.search, options.data);
  const forgetting = await forgettingOf(options);
  return {
    forgetting,
    integrity: options.records ? await integrityOf(options, check_script) : null,
    search: secrets === null ? null : await searchFor(secrets, options.data),
  };
}

/** What the node says; where none answers, the rest is worth having all the same. */
async function forgettingOf(options: AuditOptions): Promise<Answer<'forgetting'> | Missing> {
  try {
    const node = await connect(options);
    return await node.get<Answer<'forgetting'>>('/v1/forgetting', selectorIn(options));
  } catch (thrown) {
    if (!(thrown instanceof CliFailure) || thrown.exit_code !== exit_codes.unreachable) throw thrown;
    if (!existsSync(options.data)) throw thrown;
    return missing(thrown);
  }
}

async function integrityOf(options: AuditOptions, script: string): Promise<RecordsCheck | Missing> {
  const { checkRecords } = await import('../check-records.ts');
  const passphrase_file = options.passphraseFile ?? (process.env.SOTTO_PASSPHRASE_FILE || undefined);
  const args = [
    ...['--data', options.data],
    ...(passphrase_file === undefined ? [] : ['--passphrase-file', passphrase_file]),
    ...(options.protocol === undefined ? [] : ['--protocol', options.protocol]),
  ];
  const progress = startProgress();
  try {
    return await checkRecords(script, args, ({ done, of }) =>
      progress.tell(`checking records: ${done} of ${of}`),
    );
  } catch (thrown) {
    if (!(thrown instanceof CliFailure)) throw thrown;
    return missing(thrown);
  } finally {
    progress.end();
  }
}

async function secretsIn(file: string, data_dir: string): Promise<readonly SecretLine[]> {
  const { readSecretsFile } = await import('../search-files.ts');
  const secrets = await readSecretsFile(file);
  if (secrets.length === 0) {
    throw misused('no_secrets', `Expected at least one secret in ${file}, one a line; there is none.`);
  }
  if (existsSync(data_dir) && realpathSync(file).startsWith(`${realpathSync(data_dir)}${sep}`)) {
    throw misused(
      'secrets_in_data_dir',
      `${file} is in the data directory, and would be found there itself. Put it elsewhere.`,
    );
  }
  return secrets;
}

/** The data directory is all there is: the node writes nowhere else, and SQLite's temporary files have no name. */
async function searchFor(secrets: readonly SecretLine[], data_dir: string): Promise<SearchReport> {
  const { searchFiles } = await import('../search-files.ts');
  const progress = startProgress();
  try {
    const { findings, ...rest } = await searchFiles(
      data_dir,
      secrets.map(({ bytes }) => bytes),
      ({ files_done, files_total, bytes_done, bytes_total }) =>
        progress.tell(
          `searching: ${files_done} of ${files_total} files, ${size(bytes_done)} of ${size(bytes_total)}`,
        ),
    );
    return {
      secrets: secrets.length,
      ...rest,
      findings: findings.map(({ file, offset, length, secret_index }) => ({
        file,
        offset,
        length,
        secret: secret_index + 1,
        line: secrets[secret_index]?.line ?? 0,
      })),
    };
  } finally {
    progress.end();
  }
}

const missing = ({ code, message }: CliFailure): Missing => ({ error: { code, message } });

const isMissing = (part: object | null): part is Missing => part !== null && 'error' in part;

function codeOf({ forgetting, integrity, search }: Report): number {
  const has_problem = integrity !== null && !isMissing(integrity) && integrity.problems.length > 0;
  if (has_problem || (search !== null && search.found > 0)) return exit_codes.wrong;
  if (isMissing(integrity) || (search !== null && search.unread.length > 0)) return exit_codes.refused;
  if (isMissing(forgetting)) return exit_codes.unreachable;
  return forgetting.owed > 0 ? exit_codes.owed : exit_codes.ok;
}

function showReport({ forgetting, integrity, search }: Report, { all = false }: { all?: boolean }): string {
  const parts = [
    isMissing(forgetting)
      ? `The states of the keys need the node running. ${printableLines(forgetting.error.message, 0)}`
      : showForgetting(forgetting, all),
    ...(integrity === null ? [] : [showIntegrity(integrity)]),
    ...(search === null ? [] : [showSearch(search)]),
  ];
  return parts.join('\n\n');
}

function showForgetting(
  { now_ms, keys, stages, owed, oldest_debt_ms }: Answer<'forgetting'>,
  all: boolean,
): string {
  const is_quiet = (state: string) => state === 'clean' || state === 'unreachable';
  const count = (state: string) => keys.filter((key) => key.state === state).length;
  const lines = keys
    .filter((key) => all || !is_quiet(key.state))
    .map((key) => printable(`${key.text}${placeOf(key)}`));
  lines.push(
    `${counted(keys.length, 'key')}: ${count('clean')} clean, ${count('unreachable')} unreachable, ${keys.filter(({ state }) => !is_quiet(state)).length} on the way there.`,
  );
  const time = (at_ms: number | null): Cell => (at_ms === null ? null : when(at_ms, now_ms));
  const debts = table(
    ['stage', 'owed', 'oldest', 'next run', 'held'],
    stages.map((stage) => [
      stage.stage,
      stage.owed,
      time(stage.oldest_ms),
      stage.next_run_ms === null ? null : soon(stage.next_run_ms, now_ms),
      stage.held,
    ]),
    'No stages.',
  );
  const oldest =
    oldest_debt_ms === null ? '' : `; the oldest for ${span(Math.max(0, now_ms - oldest_debt_ms))}`;
  const sum = owed === 0 ? 'Nothing is owed.' : `Owed: ${owed} in all${oldest}.`;
  return `${lines.join('\n')}\n\n${debts}\n\n${sum}`;
}

function placeOf({ group_name, channel_name }: Answer<'forgetting'>['keys'][number]): string {
  const place = [group_name, channel_name].filter((name) => name !== null);
  return place.length === 0 ? '' : ` (${place.join(', ')})`;
}

function showIntegrity(integrity: RecordsCheck | Missing): string {
  if (isMissing(integrity)) return printableLines(integrity.error.message, 0);
  const { records, problems, compared, skipped } = integrity;
  const rebuilt =
    skipped === null
      ? `${counted(compared, 'row')} of projections compared with a rebuild`
      : `the projections were not compared: ${printable(skipped)}`;
  const checked = `Records: ${records} checked; ${rebuilt}.`;
  if (problems.length === 0) return `${checked} No problem.`;
  const listed = table(
    ['event', 'problem'],
    problems.slice(0, shown_max).map(({ event_id, problem }) => [shortOrDash(event_id), problem]),
    '',
  );
  return `${checked} ${counted(problems.length, 'problem')}:\n${listed}${furtherOnes(problems.length)}`;
}

function showSearch({ secrets, files, bytes, found, findings, unread }: SearchReport): string {
  const lines = [
    `Search: ${counted(secrets, 'secret')} in ${counted(files, 'file')} (${size(bytes)}): ${found === 0 ? 'nothing was found.' : `found in ${counted(found, 'place')}:`}`,
  ];
  if (found > 0) {
    const listed = table(
      ['file', 'offset', 'secret', 'bytes of it'],
      findings
        .slice(0, shown_max)
        .map((one) => [one.file, one.offset, `${one.secret} (line ${one.line})`, one.length]),
      '',
    );
    lines.push(`${listed}${furtherOnes(found, Math.min(findings.length, shown_max))}`);
  }
  if (unread.length > 0) {
    const rows = unread.map(({ file, why }) => [file, why]);
    lines.push(table(['could not be searched', 'why'], rows, ''));
  }
  return lines.join('\n');
}

function furtherOnes(count: number, shown: number = shown_max): string {
  return count > shown ? `\nand ${count - shown} more.` : '';
}

function size(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.ceil(bytes / 1_000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
