/**
 * Looks for secrets in files as they lie on the disk, byte for byte, whatever format they have: any 8 bytes in a row of any secret count. So
 * that many secrets cost no more than one, only every fourth place of a file is looked at: any 8 bytes hold 4 that begin at such a place.
 */

import { isUtf8 } from 'node:buffer';
import { type FileHandle, open, readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { misused } from './failure.ts';

/** Shorter than this, bytes might be there by chance. */
export const WINDOW_BYTES = 8;
/** How much of a file is in memory at a time. */
const CHUNK_BYTES = 1 << 20;
/** Of one secret in one file, so many places are named. All are counted. */
const FINDINGS_KEPT = 20;
/** Files may come and go under a search: so often what is new is looked at, too. */
const ROUNDS_MAX = 3;

export interface Finding {
  readonly file: string;
  /** Of the first byte that is part of the secret. */
  readonly offset: number;
  /** Which of the secrets that were given. */
  readonly secret_index: number;
  /** How many bytes in a row are parts of the secret. */
  readonly length: number;
}

export interface SearchResult {
  /** In the order of files and places. Not more than 20 of one secret in one file. */
  readonly findings: readonly Finding[];
  /** All places, also those that `findings` leaves out. */
  readonly found: number;
  readonly files: number;
  readonly bytes: number;
  /** What could not be looked into to its end, and why. Files that vanished meanwhile are not among them. */
  readonly unread: readonly { readonly file: string; readonly why: string }[];
}

export interface SearchProgress {
  readonly file: string;
  readonly files_done: number;
  readonly files_total: number;
  readonly bytes_done: number;
  /** As the files were when the search began: they may grow. */
  readonly bytes_total: number;
}

/**
 * Searches all files in the folders that are given, and the files that are.
 * @throws CliFailure `bad_secret` for one that cannot be looked for, `no_such_file` for a path where nothing is
 */
export async function searchFiles(
  paths: string | readonly string[],
  secrets: readonly Uint8Array[],
  on_progress?: (progress: SearchProgress) => void,
): Promise<SearchResult> {
  for (const [at, secret] of secrets.entries()) requireSearchable(secret, `Secret number ${at + 1}`);
  const scan = new Scan(new Windows(secrets), secrets.length);
  const roots = [paths].flat().map((path) => resolve(path));
  const unread = new Map<string, string>();
  const seen = new Set<string>();
  let files = 0;
  let files_done = 0;
  let bytes_total = 0;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const fresh = (await filesIn(roots, unread, round === 0)).filter(({ file }) => !seen.has(file));
    if (fresh.length === 0) break;
    for (const { file, bytes } of fresh) {
      seen.add(file);
      bytes_total += bytes;
    }
    for (const { file } of fresh) {
      const tell = () =>
        on_progress?.({
          file,
          files_done,
          files_total: seen.size,
          bytes_done: scan.bytes,
          bytes_total,
        });
      try {
        await searchFile(file, scan, tell);
        files += 1;
      } catch (thrown) {
        if (codeOf(thrown) !== 'ENOENT') unread.set(file, codeOf(thrown));
      }
      files_done += 1;
      tell();
    }
  }
  return {
    findings: scan.findings,
    found: scan.found,
    files,
    bytes: scan.bytes,
    unread: [...unread].map(([file, why]) => ({ file, why })),
  };
}

/** One secret of a file of them, and where it stands there. */
export interface SecretLine {
  readonly line: number;
  readonly bytes: Uint8Array;
}

/**
 * Reads secrets, one a line: text as it is, `hex:` and hex digits, or `base64:` and base64. Blank lines and those that begin with `#` are
 * skipped. What a line holds is in no error.
 * @throws CliFailure `no_such_file`, `bad_secret`
 */
export async function readSecretsFile(path: string): Promise<SecretLine[]> {
  const content = await readFile(path).catch((thrown: unknown) => {
    throw misused(
      'no_such_file',
      `Expected a file of secrets at ${path}, but it cannot be read: ${codeOf(thrown)}.`,
    );
  });
  const secrets: SecretLine[] = [];
  for (const [at, raw] of linesOf(content).entries()) {
    const line = at + 1;
    if (!isUtf8(raw) || raw.includes(0)) {
      throw misused('bad_secret', `Expected UTF-8 text in line ${line} of ${path}, but came other bytes.`);
    }
    const text = raw.toString();
    if (text.trim() === '' || text.startsWith('#')) continue;
    const bytes = secretIn(raw, text, `Line ${line} of ${path}`);
    requireSearchable(bytes, `Line ${line} of ${path}`);
    secrets.push({ line, bytes });
  }
  return secrets;
}

function linesOf(content: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  const byte_order_mark = Buffer.from('\ufeff');
  let start = content.subarray(0, 3).equals(byte_order_mark) ? 3 : 0;
  while (start < content.length) {
    const end = content.indexOf(0x0a, start);
    const line = content.subarray(start, end === -1 ? content.length : end);
    lines.push(line.at(-1) === 0x0d ? line.subarray(0, -1) : line);
    start = end === -1 ? content.length : end + 1;
  }
  return lines;
}

function secretIn(raw: Buffer, text: string, where: string): Uint8Array {
  if (text.startsWith('hex:')) {
    const digits = text.slice('hex:'.length).trim();
    if (/^([0-9a-f]{2})*$/i.test(digits)) return Buffer.from(digits, 'hex');
    throw misused('bad_secret', `${where}: expected an even number of hex digits behind hex:.`);
  }
  if (text.startsWith('base64:')) {
    const encoded = text.slice('base64:'.length).trim();
    const unpadded = encoded.replace(/={0,2}$/, '');
    if (/^([\w-]*|[A-Za-z0-9+/]*)$/.test(unpadded) && unpadded.length % 4 !== 1) {
      return Buffer.from(unpadded, 'base64');
    }
    throw misused('bad_secret', `${where}: expected base64 or base64url behind base64:.`);
  }
  return raw;
}

/** Refuses what would never be found, or everywhere. */
function requireSearchable(secret: Uint8Array, what: string): void {
  if (secret.length < WINDOW_BYTES) {
    throw misused(
      'bad_secret',
      `${what} has ${secret.length} bytes. Expected ${WINDOW_BYTES} or more: fewer are found by chance.`,
    );
  }
  for (let at = 0; at + WINDOW_BYTES <= secret.length; at++) if (!isOneByteRepeated(secret, at)) return;
  throw misused('bad_secret', `${what} is one byte again and again. Expected one that proves something.`);
}

function isOneByteRepeated(bytes: Uint8Array, at: number): boolean {
  for (let next = at + 1; next < at + WINDOW_BYTES; next++) if (bytes[next] !== bytes[at]) return false;
  return true;
}

/** Every 8 bytes in a row of every secret, in a hash table of plain numbers; and a filter for the 4 bytes in a row that they hold. */
class Windows {
  /** One bit for each hash of 4 bytes: whether they are in any secret. */
  readonly filter: Int32Array;
  readonly filter_shift: number;
  /** Per place of the table: the first of the windows with that hash, 0 where none is. */
  readonly #heads: Int32Array;
  readonly #head_shift: number;
  /** Per window, from 1 on. The same 8 bytes may be there once for each of several secrets. */
  readonly #low: Int32Array;
  readonly #high: Int32Array;
  readonly #next: Int32Array;
  readonly #secret: Int32Array;

  constructor(secrets: readonly Uint8Array[]) {
    const windows_max = secrets.reduce((sum, { length }) => sum + length - WINDOW_BYTES + 1, 0);
    const bits = (per_window: number, least: number) =>
      Math.min(27, Math.max(least, Math.ceil(Math.log2(Math.max(1, windows_max) * per_window))));
    const filter_bits = bits(32, 15);
    this.filter = new Int32Array(2 ** (filter_bits - 5));
    this.filter_shift = 32 - filter_bits;
    const head_bits = bits(2, 4);
    this.#heads = new Int32Array(2 ** head_bits);
    this.#head_shift = 32 - head_bits;
    this.#low = new Int32Array(windows_max + 1);
    this.#high = new Int32Array(windows_max + 1);
    this.#next = new Int32Array(windows_max + 1);
    this.#secret = new Int32Array(windows_max + 1);
    let count = 0;
    for (const [secret_index, secret] of secrets.entries()) {
      for (let at = 0; at + WINDOW_BYTES <= secret.length; at++) {
        if (isOneByteRepeated(secret, at)) continue;
        const low = fourBytes(secret, at);
        const high = fourBytes(secret, at + 4);
        const head = hashOf(low, high) >>> this.#head_shift;
        if (this.#has(head, low, high, secret_index)) continue;
        count += 1;
        this.#low[count] = low;
        this.#high[count] = high;
        this.#secret[count] = secret_index;
        this.#next[count] = this.#heads[head]!;
        this.#heads[head] = count;
        for (let inner = at; inner <= at + 4; inner++) {
          const hash = Math.imul(fourBytes(secret, inner), 0x9e3779b1) >>> this.filter_shift;
          this.filter[hash >>> 5]! |= 1 << (hash & 31);
        }
      }
    }
  }

  #has(head: number, low: number, high: number, secret_index: number): boolean {
    for (let window = this.#heads[head]!; window !== 0; window = this.#next[window]!) {
      if (this.#secret[window] !== secret_index) continue;
      if (this.#low[window] === low && this.#high[window] === high) return true;
    }
    return false;
  }

  /** Calls `found` for each secret that has the 8 bytes at this place. */
  at(bytes: Uint8Array, at: number, found: (secret_index: number) => void): void {
    const low = fourBytes(bytes, at);
    const high = fourBytes(bytes, at + 4);
    let window = this.#heads[hashOf(low, high) >>> this.#head_shift]!;
    for (; window !== 0; window = this.#next[window]!) {
      if (this.#low[window] === low && this.#high[window] === high) found(this.#secret[window]!);
    }
  }
}

/** As an Int32Array over the same bytes has it, on all processors that Node runs on. */
function fourBytes(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

function hashOf(low: number, high: number): number {
  return Math.imul(Math.imul(low, 0x9e3779b1) ^ high, 0x85ebca6b);
}

/** Whether all the windows that hold these 4 bytes are one byte again and again: files are full of zeros. */
function isInRun(words: Int32Array, word: number, length: number): boolean {
  const here = words[word]!;
  if (word === 0 || word * 4 + 8 > length || words[word - 1] !== here || words[word + 1] !== here)
    return false;
  return here === ((here << 8) | (here >>> 24));
}

/** What was found so far. Windows that overlap or touch are one finding. */
class Scan {
  readonly findings: Finding[] = [];
  found = 0;
  bytes = 0;
  readonly #windows: Windows;
  /** Per secret, in this file: where the finding that may still grow begins and ends (0: there is none), and how many were kept. */
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;
  readonly #kept: Int32Array;
  #in_file: Finding[] = [];
  #file = '';
  #base = 0;
  #at = 0;

  constructor(windows: Windows, secret_count: number) {
    this.#windows = windows;
    this.#starts = new Float64Array(secret_count);
    this.#ends = new Float64Array(secret_count);
    this.#kept = new Int32Array(secret_count);
  }

  begin(file: string): void {
    this.#file = file;
    this.#kept.fill(0);
    this.#in_file = [];
  }

  /** Looks at every place of `bytes` (of which the first is at `base` of the file) where 8 are left. `words` are the same bytes. */
  look(bytes: Uint8Array, words: Int32Array, length: number, base: number): void {
    const { filter, filter_shift } = this.#windows;
    const last = length - WINDOW_BYTES;
    // The last place of all has its 4 bytes at most 3 behind it.
    const word_count = last < 0 ? 0 : ((last + 3) >> 2) + 1;
    this.#base = base;
    for (let word = 0; word < word_count; word++) {
      const hash = Math.imul(words[word]!, 0x9e3779b1) >>> filter_shift;
      if (((filter[hash >>> 5]! >>> (hash & 31)) & 1) === 0) continue;
      if (isInRun(words, word, length)) continue;
      const end = Math.min(last, word * 4);
      for (let at = Math.max(0, word * 4 - 3); at <= end; at++) {
        this.#at = at;
        this.#windows.at(bytes, at, this.#note);
      }
    }
  }

  /** No more of this file comes. */
  end(): void {
    for (const [secret_index, end] of this.#ends.entries()) if (end !== 0) this.#close(secret_index);
    this.#in_file.sort((a, b) => a.offset - b.offset || a.secret_index - b.secret_index);
    for (const finding of this.#in_file) this.findings.push(finding);
  }

  readonly #note = (secret_index: number): void => {
    const place = this.#base + this.#at;
    const end = this.#ends[secret_index]!;
    if (end !== 0 && place > end) this.#close(secret_index);
    if (this.#ends[secret_index] === 0) this.#starts[secret_index] = place;
    this.#ends[secret_index] = place + WINDOW_BYTES;
  };

  #close(secret_index: number): void {
    const offset = this.#starts[secret_index]!;
    const length = this.#ends[secret_index]! - offset;
    this.#ends[secret_index] = 0;
    this.found += 1;
    if (this.#kept[secret_index]! >= FINDINGS_KEPT) return;
    this.#kept[secret_index]! += 1;
    this.#in_file.push({ file: this.#file, offset, secret_index, length });
  }
}

/** Of what is read, the last 7 bytes stay for the next time: a window may begin in them. */
async function searchFile(file: string, scan: Scan, tell: () => void): Promise<void> {
  const handle = await open(file, 'r');
  try {
    scan.begin(file);
    await readThrough(handle, scan, tell);
  } finally {
    scan.end();
    await handle.close();
  }
}

async function readThrough(handle: FileHandle, scan: Scan, tell: () => void): Promise<void> {
  const bytes = Buffer.from(new ArrayBuffer(CHUNK_BYTES));
  const words = new Int32Array(bytes.buffer);
  let held = 0;
  for (let position = 0; ; ) {
    const { bytesRead } = await handle.read(bytes, held, CHUNK_BYTES - held, position);
    if (bytesRead === 0) return;
    const length = held + bytesRead;
    scan.look(bytes, words, length, position - held);
    scan.bytes += bytesRead;
    position += bytesRead;
    const kept = Math.min(length, WINDOW_BYTES - 1);
    bytes.copyWithin(0, length - kept, length);
    held = kept;
    tell();
  }
}

/** All files at these paths and in the folders there, in order. Through links to files, but not to folders: those may lead in circles. */
async function filesIn(
  roots: readonly string[],
  unread: Map<string, string>,
  must_exist: boolean,
): Promise<{ file: string; bytes: number }[]> {
  const found = new Map<string, number>();
  const waiting = roots.map((path) => ({ path, is_given: true, is_link: false }));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { path, is_given, is_link } = next;
    try {
      const about = await stat(path);
      if (about.isFile()) found.set(path, about.size);
      else if (!about.isDirectory()) unread.set(path, 'not a file');
      else if (is_link) unread.set(path, 'a link to a folder: name the folder itself');
      else {
        for (const entry of await readdir(path, { withFileTypes: true })) {
          waiting.push({ path: join(path, entry.name), is_given: false, is_link: entry.isSymbolicLink() });
        }
      }
    } catch (thrown) {
      const code = codeOf(thrown);
      if (is_given && must_exist && code === 'ENOENT') {
        throw misused('no_such_file', `Expected a file or a folder at ${path}, but nothing is there.`);
      }
      if (code !== 'ENOENT') unread.set(path, code);
    }
  }
  return [...found].map(([file, bytes]) => ({ file, bytes })).sort((a, b) => (a.file < b.file ? -1 : 1));
}

/** The system's own word, such as EACCES. */
function codeOf(thrown: unknown): string {
  const { code } = thrown as { code?: unknown };
  return typeof code === 'string' ? code : 'unknown error';
}
