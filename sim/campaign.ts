/** Many simulations, on all cores: each in a process of its own, so that one that hangs or dies takes no other along. */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

/** What a process reports of one simulation. */
export interface Report {
  readonly seed: number;
  readonly promise: string | null;
  readonly message: string | null;
  readonly digest: string;
  readonly simulated_ms: number;
  readonly took_ms: number;
  readonly machines: number;
  readonly marks: Readonly<Record<string, number>>;
  readonly log: readonly string[];
}

export interface CampaignOptions {
  readonly seeds: Iterable<number>;
  readonly workers?: number;
  /** No further seed is begun after it. */
  readonly until_ms?: number;
  /** The tree that is run; this one unless given. */
  readonly worker?: string;
  readonly on_report: (report: Report) => 'go_on' | 'stop';
}

/** A simulation that takes longer hangs. */
const HANGS_MS = 10 * 60_000;

export async function campaign(options: CampaignOptions): Promise<void> {
  const seeds = options.seeds[Symbol.iterator]();
  const path = options.worker ?? fileURLToPath(new URL('./worker.ts', import.meta.url));
  const state = { stopped: false };
  const one = () =>
    new Promise<void>((resolve, reject) => {
      const worker = fork(path, [], {
        serialization: 'advanced',
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      });
      let seed: number | null = null;
      let said = '';
      let watchdog: NodeJS.Timeout | undefined;
      worker.stderr?.on('data', (bytes: Buffer) => {
        said = `${said}${bytes.toString()}`.slice(-2_000);
      });
      const next = () => {
        clearTimeout(watchdog);
        const late = options.until_ms !== undefined && performance.now() > options.until_ms;
        const given = state.stopped || late ? undefined : seeds.next();
        if (given === undefined || given.done === true) {
          worker.disconnect();
          return;
        }
        seed = given.value;
        watchdog = setTimeout(() => worker.kill('SIGKILL'), HANGS_MS);
        worker.send({ seed });
      };
      worker.on('message', (report) => {
        seed = null;
        if (options.on_report(report as Report) === 'stop') state.stopped = true;
        next();
      });
      worker.on('exit', (code, signal) => {
        clearTimeout(watchdog);
        if (seed === null) resolve();
        else reject(new Error(`seed ${seed}: the process ended (${signal ?? code})\n${said}`));
      });
      next();
    });
  await Promise.all(Array.from({ length: options.workers ?? availableParallelism() }, one));
}
