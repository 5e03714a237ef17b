/**
 * What `forgetting-search.test.ts` drives: a real node with everything that it writes in one folder, from which images are taken as it runs and
 * when it is dead; what was in its key slots, whatever becomes of them; and a disk that loses what was not synced.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { searchFiles } from '../cli/search-files.ts';
import { freePort, NodeProcess } from './process.ts';

const PRELOADED = new URL('./fixtures/forgetting-node.ts', import.meta.url).href;

/** A row of the table of erasures. */
export interface Purge {
  readonly n: number;
  readonly kind: string;
  readonly key: string;
  readonly has_receipt: boolean;
  readonly zeroed_ms: number | null;
}

export interface Image {
  readonly folder: string;
  readonly purges: readonly Purge[];
}

export const withReceipt = (purges: readonly Purge[]) => purges.filter(({ has_receipt }) => has_receipt);
export const withoutReceipt = (purges: readonly Purge[]) => purges.filter(({ has_receipt }) => !has_receipt);

/** The parts of a database file, and of nothing else of it. */
const DATABASE = ['sotto.db', 'sotto.db-wal'];

export class WatchedNode {
  readonly node: NodeProcess;
  /** Everything the node writes: its data, its temporary files, the log as it was right before it was cut off. */
  readonly data: string;
  readonly temp: string;
  readonly cut: string;
  /** By what they open: the ids of group keys, the public halves of prekeys. */
  readonly secrets = new Map<string, Buffer>();
  readonly #folder: string;
  readonly #stop: string;
  #socket = 0;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.data = join(folder, 'data');
    this.temp = join(folder, 'temp');
    this.cut = join(folder, 'cut');
    this.#stop = join(folder, 'stop');
    for (const part of [this.temp, this.cut]) mkdirSync(part);
    this.node = new NodeProcess(`127.0.0.1:${port}`, { data: this.data });
  }

  /** With what another node left behind, if one is given. */
  static async inside(parent: string, left_behind?: string): Promise<WatchedNode> {
    const made = new WatchedNode(mkdtempSync(join(parent, 'node-')), await freePort());
    if (left_behind !== undefined) cpSync(left_behind, made.data, { recursive: true });
    return made;
  }

  get database(): string {
    return join(this.data, 'sotto.db');
  }

  get #control(): string {
    return join(this.#folder, `control-${this.#socket}`);
  }

  /** `without`: what is left out of the recipe. */
  async start(without = ''): Promise<void> {
    this.#socket += 1;
    this.node.env = {
      NODE_OPTIONS: `--import=${PRELOADED}`,
      SOTTO_LOG: 'trace',
      TMPDIR: this.temp,
      FORGETTING_SOCKET: this.#control,
      FORGETTING_CUT: this.cut,
      FORGETTING_STOP: this.#stop,
      FORGETTING_WITHOUT: without,
    };
    await this.node.start();
  }

  ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    return this.node.ask<T>(method, path, body);
  }

  /** Gives a command many times at once, in the node's own process and in one transaction of its engine. */
  commandAll(command: string, inputs: readonly Record<string, unknown>[]): Promise<string[]> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#control, () => socket.write(`${JSON.stringify({ command, inputs })}\n`));
      let line = '';
      socket.on('error', reject);
      socket.on('data', (chunk: Buffer) => {
        line += chunk.toString('latin1');
        if (!line.endsWith('\n')) return;
        socket.end();
        const answer = JSON.parse(line) as { ids: string[] } | { error: string };
        if ('ids' in answer) resolve(answer.ids);
        else reject(new Error(answer.error));
      });
    });
  }

  /** From the next time that it comes there, the process does nothing more. */
  stopAt(moment: string): void {
    rmSync(`${this.#stop}.stopped`, { force: true });
    writeFileSync(this.#stop, moment);
  }

  hasStopped(): boolean {
    return existsSync(`${this.#stop}.stopped`);
  }

  async kill(): Promise<void> {
    await this.node.end('SIGKILL');
    rmSync(this.#stop, { force: true });
  }

  purges(): Purge[] {
    return purgesIn(this.database);
  }

  /** Begins to read; call what is returned to end it. */
  read(): () => void {
    const db = new DatabaseSync(this.database, { readOnly: true });
    db.exec('BEGIN');
    db.prepare('SELECT count(*) FROM purge').get();
    return () => db.close();
  }

  /** How many rows there are. */
  rows(of: string): number {
    return reading(this.database, (db) => db.prepare(`SELECT count(*) AS n FROM ${of}`).get()!.n as number);
  }

  /** Keeps what is in the slots now. */
  learn(): void {
    reading(this.database, (db) => {
      const rows = db
        .prepare(
          `SELECT hex(k.id) AS key, s.secret FROM group_key k JOIN key_slot s ON s.id = k.slot
           UNION ALL SELECT hex(p.public_key), s.secret FROM prekey_secret p JOIN key_slot s ON s.id = p.slot`,
        )
        .all() as { key: string; secret: Uint8Array }[];
      for (const { key, secret } of rows) this.secrets.set(key, Buffer.from(secret));
    });
  }

  /** All files as they are now. The erasures are read first: what has a receipt by then had it before any file was copied. */
  image(): Image {
    const purges = this.node.pid > 0 && existsSync(this.database) ? this.purges() : [];
    return { folder: this.#copied(), purges };
  }

  /** The files of a node that is dead, and the erasures as a copy of them says: nothing is opened that would be repaired by that. */
  imageOfDead(): Image {
    const folder = this.#copied();
    return { folder, purges: recovered(join(folder, 'data')).purges };
  }

  #copied(): string {
    const folder = mkdtempSync(join(this.#folder, 'image-'));
    for (const part of [this.data, this.temp]) copyFolder(part, join(folder, basename(part)));
    writeFileSync(join(folder, 'printed'), this.node.output);
    return folder;
  }

  /** The secrets of these erasures. Every one of them must have been seen before it was erased. */
  secretsOf(purges: readonly Purge[]): Buffer[] {
    return purges.map(({ kind, key }) => {
      const secret = this.secrets.get(key);
      if (secret === undefined) throw new Error(`the secret of ${kind} ${key} was never seen`);
      return secret;
    });
  }

  /** What is found of all secrets ever seen in the logs that were cut off; they are looked at once. */
  async searchCut(): Promise<string[]> {
    const found = await search(this.cut, [...this.secrets.values()]);
    for (const file of readdirSync(this.cut)) rmSync(join(this.cut, file));
    return found;
  }
}

/** The folder may be alive: files come and go. */
function copyFolder(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true }))
    try {
      if (entry.isDirectory()) copyFolder(join(from, entry.name), join(to, entry.name));
      else if (entry.isFile()) cpSync(join(from, entry.name), join(to, entry.name));
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
    }
}

/** Short, and from this process: one that has the file open itself would lose its locks if it opened the file once more. */
function reading<T>(path: string, read: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  try {
    return read(db);
  } finally {
    db.close();
  }
}

function purgesIn(path: string): Purge[] {
  return reading(path, (db) =>
    db
      .prepare('SELECT n, kind, hex(key_id) AS key, zeroed_ms FROM purge ORDER BY n')
      .all()
      .map((row) => ({ ...row, has_receipt: row.zeroed_ms !== null }) as unknown as Purge),
  );
}

/** What SQLite makes of the files, on a copy of them. */
export function recovered(data: string): { purges: Purge[]; integrity: unknown } {
  const copy = mkdtempSync(join(dirname(data), 'recovered-'));
  try {
    for (const file of DATABASE) if (existsSync(join(data, file))) cpSync(join(data, file), join(copy, file));
    const path = join(copy, 'sotto.db');
    const db = new DatabaseSync(path);
    try {
      const integrity = db.prepare('PRAGMA integrity_check').get()?.integrity_check;
      return { purges: integrity === 'ok' ? purgesIn(path) : [], integrity };
    } catch (thrown) {
      return { purges: [], integrity: thrown };
    } finally {
      db.close();
    }
  } finally {
    rmSync(copy, { recursive: true });
  }
}

/** In which files any eight bytes of the secrets are, as they are or in digits; or of the texts. */
export async function search(
  where: string | readonly string[],
  secrets: readonly Uint8Array[],
  texts: readonly Uint8Array[] = [],
): Promise<string[]> {
  const forms = secrets.flatMap((secret) => {
    const bytes = Buffer.from(secret);
    const hex = bytes.toString('hex');
    const digits = [hex, hex.toUpperCase(), bytes.toString('base64'), bytes.toString('base64url')];
    return [bytes, ...digits.map((form) => Buffer.from(form))];
  });
  const { findings, unread } = await searchFiles(where, [...forms, ...texts]);
  if (unread.length > 0) throw new Error(JSON.stringify(unread));
  return [...new Set(findings.map(({ file }) => basename(file)))].sort();
}

/**
 * Runs the chain to its end, and takes an image as soon as there are more receipts. `meanwhile` says whether to go on: false, and the rest is left
 * to whoever killed the node.
 */
export async function forgetWatched(
  node: WatchedNode,
  meanwhile: () => boolean | Promise<boolean> = () => true,
): Promise<Image[]> {
  const images: Image[] = [];
  let is_done = false;
  const forgetting = (async () => {
    try {
      while ((await node.ask<{ goes_on: boolean }>('POST', '/forget', {})).goes_on);
    } finally {
      is_done = true;
    }
  })();
  // It is waited for below; until then it may have failed already.
  forgetting.catch(() => {});
  let receipts = withReceipt(node.purges()).length;
  const look = () => {
    if (withReceipt(node.purges()).length === receipts) return;
    const image = node.image();
    receipts = withReceipt(image.purges).length;
    images.push(image);
  };
  while (!is_done) {
    look();
    if (!(await meanwhile())) {
      await forgetting.catch(() => {});
      return images;
    }
    await sleep(2);
  }
  await forgetting;
  look();
  return images;
}

// --- a disk that forgets what was not synced ------------------------------------------------------------------------------------------

const straceWorks = () => spawnSync('strace', ['--version']).status === 0;

/** Power cuts are made from what the process asked of the operating system. Where the tool for that is missing, Debian has it. */
export function haveStrace(): void {
  if (straceWorks()) return;
  spawnSync('apt-get', ['install', '-y', '--no-install-recommends', 'strace'], { timeout: 120_000 });
  if (!straceWorks()) throw new Error('Expected strace, for the power cuts: apt-get install strace');
}

type Operation =
  | { readonly kind: 'write'; readonly file: string; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: 'cut'; readonly file: string; readonly length: number }
  | { readonly kind: 'sync'; readonly file: string };

/** What a process does to the files of its database, as the operating system is asked for it. */
export class Recording {
  readonly #tracer: ChildProcess;
  readonly #log: string;

  private constructor(tracer: ChildProcess, log: string) {
    this.#tracer = tracer;
    this.#log = log;
  }

  static async of(pid: number, log: string): Promise<Recording> {
    const calls = 'trace=write,writev,pwrite64,pwritev,ftruncate,fsync,fdatasync,unlink';
    const args = ['-f', '-y', '-xx', '-s', '1000000', '-e', calls, '-o', log, '-p', `${pid}`];
    const tracer = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    await new Promise<void>((resolve, reject) => {
      tracer.stderr!.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes('attached')) resolve();
        else reject(new Error(chunk.toString()));
      });
      tracer.on('exit', () => reject(new Error('strace ended')));
    });
    return new Recording(tracer, log);
  }

  /** Once the process has ended. */
  async operations(): Promise<Operation[]> {
    if (this.#tracer.exitCode === null) await new Promise((resolve) => this.#tracer.on('exit', resolve));
    const operations: Operation[] = [];
    for (const line of readFileSync(this.#log, 'latin1').split('\n')) {
      const call = /^\d+ +(\w+)\(\d+<([^>]*)>(?:, )?(.*)/.exec(line);
      if (call === null) continue;
      const file = basename(unescaped(call[2]!).toString());
      if (!DATABASE.includes(file)) continue;
      const rest = call[3]!;
      if (call[1] === 'pwrite64') {
        const [, data, length, at] = /^"([^"]*)", (\d+), (\d+)/.exec(rest)!;
        const bytes = unescaped(data!);
        if (bytes.length !== Number(length)) throw new Error(`a write was not recorded whole: ${length}`);
        operations.push({ kind: 'write', file, at: Number(at), bytes });
      } else if (call[1] === 'ftruncate')
        operations.push({ kind: 'cut', file, length: Number.parseInt(rest, 10) });
      else if (call[1] === 'fsync' || call[1] === 'fdatasync') operations.push({ kind: 'sync', file });
      else throw new Error(`the model knows no ${call[1]} of ${file}`);
    }
    return operations;
  }
}

const unescaped = (text: string) => Buffer.from(text.replaceAll('\\x', ''), 'hex');

const BLOCK_BYTES = 4_096;

/**
 * Files on a disk with a cache. What was synced is there after a power cut. Of what was done since, each 4 KiB of each write may be there or not,
 * in whatever order it was done, and each change of a length, too. Blocks that are cut off go back to the file system as they are.
 */
export class LosingDisk {
  /** What the file system got back, each as it was on the disk when it was cut off. */
  readonly freed: Buffer[] = [];
  readonly #synced = new Map<string, Buffer>();
  readonly #pending = new Map<string, Operation[]>();

  constructor(data: string) {
    for (const file of DATABASE)
      this.#synced.set(file, existsSync(join(data, file)) ? readFileSync(join(data, file)) : Buffer.alloc(0));
  }

  apply(operation: Operation): void {
    const { file } = operation;
    const pending = this.#pending.get(file) ?? [];
    if (operation.kind === 'sync') {
      this.#synced.set(
        file,
        this.#with(file, () => true),
      );
      this.#pending.set(file, []);
      return;
    }
    if (operation.kind === 'cut')
      for (const lies of [this.#synced.get(file)!, this.#with(file, () => true)])
        if (lies.length > operation.length) this.freed.push(lies.subarray(operation.length));
    this.#pending.set(file, [...pending, operation]);
  }

  /** The files after a power cut now. `is_there` is asked for every part of what was not synced. */
  write(data: string, is_there: () => boolean): void {
    rmSync(data, { recursive: true, force: true });
    mkdirSync(data, { recursive: true });
    for (const file of DATABASE) writeFileSync(join(data, file), this.#with(file, is_there));
  }

  #with(file: string, is_there: () => boolean): Buffer {
    const pending = this.#pending.get(file) ?? [];
    const synced = this.#synced.get(file)!;
    if (pending.length === 0) return synced;
    const ends = pending.map((one) => (one.kind === 'write' ? one.at + one.bytes.length : 0));
    const content = Buffer.alloc(Math.max(synced.length, ...ends));
    synced.copy(content);
    let { length } = synced;
    for (const one of pending) {
      if (one.kind === 'cut') {
        if (!is_there()) continue;
        content.fill(0, one.length);
        length = one.length;
      } else if (one.kind === 'write')
        for (let done = 0; done < one.bytes.length; ) {
          const at = one.at + done;
          const end = Math.min(one.bytes.length, done + BLOCK_BYTES - (at % BLOCK_BYTES));
          if (is_there()) {
            one.bytes.copy(content, at, done, end);
            length = Math.max(length, one.at + end);
          }
          done = end;
        }
    }
    return content.subarray(0, length);
  }
}

export const logBytes = (data: string) =>
  statSync(join(data, 'sotto.db-wal'), { throwIfNoEntry: false })?.size ?? 0;
