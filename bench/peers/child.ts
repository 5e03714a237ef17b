/** A `worker.ts` process and the calls to it. Whatever is asked of it has a limit in time; what it prints is shown only if it fails. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Calls } from './worker.ts';

/** The slowest call, to fill a Jazz list of 10,000 maps on a busy machine, takes two minutes. */
const CALL_LIMIT_MS = 600_000;
const SHOWN_OUTPUT_CHARACTERS = 2_000;

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

export class Child {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #gone: Promise<Answer>;
  #output = '';
  #last_id = 0;

  private constructor(system: string) {
    this.#process = fork(fileURLToPath(new URL('worker.ts', import.meta.url)), [system], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [this.#process.stdout!, this.#process.stderr!])
      stream.on('data', (chunk) => {
        this.#output = (this.#output + chunk).slice(-SHOWN_OUTPUT_CHARACTERS);
      });
    this.#process.on('message', (answer: Answer) => {
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
    this.#gone = new Promise((resolve) =>
      this.#process.once('exit', (code, signal) =>
        resolve({ id: -1, error: `the process ended: ${signal ?? code}` }),
      ),
    );
  }

  static async start(system: string): Promise<Child> {
    const child = new Child(system);
    await child.#answer(0, 'start');
    return child;
  }

  async call<Name extends keyof Calls>(
    name: Name,
    ...args: Parameters<Calls[Name]>
  ): Promise<Awaited<ReturnType<Calls[Name]>>> {
    const id = ++this.#last_id;
    const answer = this.#answer(id, name);
    this.#process.send({ id, name, args });
    return (await answer) as Awaited<ReturnType<Calls[Name]>>;
  }

  async #answer(id: number, name: string): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    const answer = await Promise.race([
      new Promise<Answer>((resolve) => this.#waiting.set(id, resolve)),
      this.#gone,
      new Promise<Answer>((resolve) => {
        timer = setTimeout(
          () => resolve({ id, error: `no answer within ${CALL_LIMIT_MS} ms` }),
          CALL_LIMIT_MS,
        );
      }),
    ]);
    clearTimeout(timer);
    if (answer.error !== undefined) throw new Error(`${name}: ${answer.error}\n${this.#output}`);
    return answer.value;
  }

  /** As a crash does: nothing is closed or written any more. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#gone;
  }
}
