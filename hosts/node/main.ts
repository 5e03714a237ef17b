/**
 * `sotto start`: runs a node until it is told to stop. Says on stdout what a person needs next; the log goes to stderr, one JSON line per event.
 */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { pino } from 'pino';
import { SottoError } from '../../core/assert.ts';
import { SottoNode } from './node.ts';

export { changePassphrase } from './change-passphrase.ts';

export interface StartOptions {
  readonly data: string;
  readonly listen: string;
  readonly api: string;
  readonly protocol?: string | undefined;
  readonly jobs?: string | undefined;
  readonly announce?: string | undefined;
  readonly lan?: boolean | undefined;
  readonly passphraseFile?: string | undefined;
  readonly json?: boolean | undefined;
}

/** Longest that a clean end may take before the process ends anyway; everything acknowledged is on disk by then. */
const STOP_MS_MAX = 1_800;

export async function main(options: StartOptions): Promise<void> {
  // To stderr, synchronously: nothing of it is lost however the process ends.
  const log = pino(
    { level: process.env.SOTTO_LOG ?? 'info', base: null },
    pino.destination({ dest: 2, sync: true }),
  );
  const node = await SottoNode.start({
    data_dir: options.data,
    listen: options.listen,
    api: options.api,
    protocol_dir: options.protocol,
    jobs_file: options.jobs,
    announce_host: options.announce,
    lan: options.lan ? {} : undefined,
    passphrase_file: options.passphraseFile ?? (process.env.SOTTO_PASSPHRASE_FILE || undefined),
    log,
  });
  const running = {
    pid: process.pid,
    data_dir: options.data,
    listen: node.listen_address,
    api: node.api_address,
  };
  const lines = options.json
    ? [JSON.stringify(running)]
    : [
        'Sotto is running.',
        `  data    ${options.data}`,
        `  peers   ${node.listen_address}`,
        `  API     http://${node.api_address} (this machine only)`,
        '',
        `In another terminal:  npx sotto network create Home --as alice${dataOption(options.data)}`,
        'Stop with Ctrl-C.',
      ];
  process.stdout.write(`${lines.join('\n')}\n`);
  await new Promise<void>((resolve) => {
    let stopping = false;
    const stop = () => {
      if (stopping) return;
      stopping = true;
      const impatient = setTimeout(() => process.exit(0), STOP_MS_MAX);
      node.stop().then(
        () => {
          clearTimeout(impatient);
          resolve();
        },
        (thrown: unknown) => {
          log.error({ error: thrown instanceof SottoError ? thrown.code : 'unexpected' }, 'stop_failed');
          process.exit(1);
        },
      );
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
  });
}

/** What has to be added to other commands, so that they find this node. */
function dataOption(data: string): string {
  const usual = process.env.SOTTO_DATA ?? join(homedir(), '.sotto');
  return resolve(data) === resolve(usual) ? '' : ` --data ${data}`;
}
