/** Nodes in processes of their own, as the suite starts, asks and ends them. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { NodeFacade } from '../../api/facade.ts';
import type { Calls } from './node-calls.ts';
import type { Answer, Call, ChildOptions } from './node-child.ts';

const CHILD = fileURLToPath(new URL('./node-child.ts', import.meta.url));
const COMPILED = fileURLToPath(new URL('../../node_modules/.cache/sotto', import.meta.url));

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

type Method = (...args: never[]) => unknown;
type Remote<T> = {
  readonly [Name in keyof T]: T[Name] extends Method
    ? (...args: Parameters<T[Name]>) => Promise<Awaited<ReturnType<T[Name]>>>
    : never;
};

interface Waiter {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class BenchNode {
  readonly data_dir: string;
  /** The node's facade, asked from here. */
  readonly facade: Remote<Omit<NodeFacade, 'subscribe' | 'followTrace'>>;
  /** What else it can be told: see node-calls.ts. */
  readonly tell: Remote<Omit<Calls, 'facade'>>;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiter>();
  #calls = 0;
  #listen = '';

  private constructor(options: ChildOptions) {
    this.data_dir = options.data_dir;
    this.#child = fork(CHILD, [JSON.stringify(options)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // As `npm start` does.
      execArgv: ['--max-semi-space-size=4'],
      // As `sotto start` does: what strips types takes tens of megabytes.
      env: { ...process.env, NODE_COMPILE_CACHE: COMPILED },
    });
    running.add(this.#child);
    this.#child.on('message', (answer: Answer) => this.#answered(answer));
    this.#child.on('exit', (code, signal) => {
      running.delete(this.#child);
      for (const { reject } of this.#waiting.values())
        reject(new Error(`the node in ${this.data_dir} ended (${code ?? signal})`));
      this.#waiting.clear();
    });
    this.facade = named((method, args) => this.#call('facade', [method, args]));
    this.tell = named((name, args) => this.#call(name as keyof Calls, args));
  }

  /** Resolves when the node accepts connections and runs its jobs. */
  static async start(options: Pick<ChildOptions, 'data_dir'> & Partial<ChildOptions>): Promise<BenchNode> {
    const node = new BenchNode({ listen: '127.0.0.1:0', routes: {}, ...options });
    const { listen } = await node.#answer<{ listen: string }>(0);
    node.#listen = listen;
    return node;
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Where other nodes reach it, and what it tells them. */
  get listen(): string {
    return this.#listen;
  }

  get database(): string {
    return `${this.data_dir}/sotto.db`;
  }

  /** Ends the node as SIGTERM does; resolves when the process is gone. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    // The process may be gone before its answer is.
    this.#call('stop', []).catch(() => {});
    await gone;
  }

  #call(name: Call['name'], args: readonly unknown[]): Promise<unknown> {
    const call: Call = { number: ++this.#calls, name, args };
    const answer = this.#answer<unknown>(call.number);
    this.#child.send(call);
    return answer;
  }

  #answer<T>(number: number): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve: resolve as Waiter['resolve'], reject });
    });
  }

  #answered(answer: Answer): void {
    const waiter = this.#waiting.get(answer.number);
    this.#waiting.delete(answer.number);
    if ('error' in answer) waiter?.reject(new Error(answer.error));
    else waiter?.resolve(answer.result);
  }
}

/** An object whose every method is `call` with the method's name. */
function named<T>(call: (name: string, args: readonly unknown[]) => Promise<unknown>): T {
  return new Proxy({} as object, {
    get:
      (_target, name) =>
      (...args: readonly unknown[]) =>
        call(String(name), args),
  }) as T;
}
