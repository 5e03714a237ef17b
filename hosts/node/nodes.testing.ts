/** Whole nodes within the process of a test, over real files and sockets, asked through their facade. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach } from 'vitest';
import type { NodeFacade } from '../../api/facade.ts';
import type { SottoError } from '../../core/assert.ts';
import { type NodeOptions, SottoNode } from './node.ts';

const running = new Set<SottoNode>();
const folders: string[] = [];
afterEach(async () => {
  await Promise.all([...running].map(stop));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sotto-test-'));
  folders.push(folder);
  return folder;
}

export async function start(options: Partial<NodeOptions> = {}): Promise<SottoNode> {
  const node = await SottoNode.start({
    data_dir: join(temporaryFolder(), 'node'),
    listen: '127.0.0.1:0',
    api: '127.0.0.1:0',
    log: pino({ level: 'silent' }),
    ...options,
  });
  running.add(node);
  return node;
}

export async function stop(node: SottoNode): Promise<void> {
  if (running.delete(node)) await node.stop();
}

/** The first founds a network `Home`, the others join it. By name. */
export async function home<Name extends string>(
  ...names: readonly Name[]
): Promise<Record<Name, NodeFacade>> {
  const facades = {} as Record<Name, NodeFacade>;
  for (const [index, name] of names.entries()) {
    const { facade } = await start();
    facades[name] = facade;
    if (index === 0) facade.createNetwork({ name: 'Home', as: name });
    else {
      const { link } = facades[names[0]!].createInvite({ uses: 1, ttl_ms: 3_600_000 });
      await facade.join({ link, as: name, timeout_ms: 20_000 });
    }
  }
  // Everybody knows everybody by name before anything is tried.
  for (const facade of Object.values<NodeFacade>(facades))
    await until(
      'all names have come',
      () => facade.members({}).filter(({ name }) => name !== null).length === names.length,
    );
  return facades;
}

/** Waits until `holds` gives true; rejects with `what` after 20 s. What throws does not hold yet. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    let thrown: unknown;
    try {
      if (holds()) return;
    } catch (error) {
      thrown = error;
    }
    if (performance.now() > deadline) throw new Error(`not within 20 s: ${what}`, { cause: thrown });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The code with which something is refused. */
export async function refusal(run: () => unknown): Promise<SottoError> {
  try {
    await run();
  } catch (thrown) {
    return thrown as SottoError;
  }
  throw new Error('it was not refused');
}

/** Names of the files of a data directory in which these bytes are. */
export function filesWith(data_dir: string, bytes: Uint8Array): string[] {
  return readdirSync(data_dir).filter((name) => readFileSync(join(data_dir, name)).includes(bytes));
}
