/**
 * The data directory of a node: `sotto.db`, the token for the API, and who runs it. Only its owner can read it, and only one node can have it.
 */
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SottoError } from '../../core/assert.ts';

export interface RunningNode {
  readonly pid: number;
  readonly api: string;
  readonly listen: string | null;
  readonly started_ms: number;
}

export interface DataDir {
  readonly path: string;
  readonly database: string;
  /** Tells the command line where this node's API is. */
  announce(running: RunningNode, token: string): void;
  release(): void;
}

/**
 * Takes the data directory for this process, until it ends in whatever way: the lock is the operating system's (on a database of its own),
 * so that a crash leaves none behind. Throws `SottoError('data_dir_in_use')` with the pid of who has it.
 */
export function takeDataDir(path: string): DataDir {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chmodSync(path, 0o700);
  const node_file = join(path, 'node.json');
  const token_file = join(path, 'api.token');
  const lock = new DatabaseSync(join(path, 'node.lock'), { timeout: 0 });
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch {
    lock.close();
    throw new SottoError(
      'data_dir_in_use',
      `${path} is in use by the node with pid ${pidIn(node_file)}. Stop that one first, or give this one a --data of its own.`,
    );
  }
  writeFileSync(
    node_file,
    JSON.stringify({ pid: process.pid, api: null, listen: null, started_ms: Date.now() }),
    { mode: 0o600 },
  );
  return {
    path,
    database: join(path, 'sotto.db'),
    announce: (running, token) => {
      writeFileSync(token_file, token, { mode: 0o600 });
      chmodSync(token_file, 0o600);
      writeFileSync(node_file, JSON.stringify(running), { mode: 0o600 });
    },
    release: () => {
      rmSync(node_file, { force: true });
      rmSync(token_file, { force: true });
      lock.close();
    },
  };
}

function pidIn(node_file: string): string {
  try {
    return String((JSON.parse(readFileSync(node_file, 'utf8')) as { pid: unknown }).pid);
  } catch {
    return 'unknown';
  }
}
