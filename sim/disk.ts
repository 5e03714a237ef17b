/**
 * The disk of a simulated machine: a real SQLite file, whose statements can fail, or be the last of a process. After a crash the machine goes on from an
 * image: what lay in the files at that moment, and after a power cut what a disk may make of writes that were never made durable.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Db, SqlRow, Statement } from '../core/db.ts';
import type { Chance } from './chance.ts';
import { Secrets } from './secrets.ts';
import { Violation } from './truth.ts';

/** Storage that fails as SQLite tells it. */
class StorageFault extends Error {
  readonly errcode: number;
  constructor(errcode: number, message: string) {
    super(message);
    this.errcode = errcode;
  }
}
const FULL = 13;
const IO_ERROR = 10;

/** What needs room on the disk. */
const WRITES = /^\s*(INSERT|UPDATE|DELETE|CREATE)/;
/** What touches no disk, whatever state that is in. */
const NEVER_FAILS = /^\s*(ROLLBACK|RELEASE|BEGIN$)/;

/** Moments of an erasure at which a process may die, each the next time that it comes to it: from the zeroing of a slot to the receipt. */
export const ERASING: Readonly<Record<string, RegExp>> = {
  'a slot is zeroed': /UPDATE key_slot SET secret = zeroblob/,
  'its intent is noted': /INSERT INTO purge /,
  'the log is copied into the database': /wal_checkpoint\(RESTART\)/,
  'the log is overwritten': /UPDATE log_padding/,
  'the log is cut off': /wal_checkpoint\(TRUNCATE\)/,
  'the receipt is written': /UPDATE purge SET zeroed_ms/,
};

export type Fault = 'full' | 'io_error';
export type Open = (path: string) => Db;

export class Disk {
  readonly #folder: string;
  readonly #open: Open;
  readonly #chance: Chance;
  #generation = 0;
  #raw: Db | null = null;
  /** So many more statements, and the process is dead. */
  #left = Number.POSITIVE_INFINITY;
  #fault: { kind: Fault; from: number; until: number } | null = null;
  /** After so many more statements like this, the next is the last of the process. */
  #dies_at: { statement: RegExp; after: number } | null = null;
  /** So many of the next commits fail. */
  #failing_commits = 0;
  /** Somebody else who reads what there was at some moment, and does not come to an end: a tool for backups, say. */
  #reader: Db | null = null;
  #is_power_cut = false;
  #torn_database: Uint8Array | null = null;
  readonly secrets = new Secrets();
  /** Not thrown where it is found: jobs and handlers may fail. */
  gave_secret: Violation | null = null;
  is_dead = false;
  statements = 0;
  faults_met = 0;
  /** What the statement was at which it died, and whether amid a transaction. */
  died_at = '';
  died_in_transaction = false;
  #in_transaction = false;
  /** Whether there is something to commit. */
  #has_written = false;

  constructor(folder: string, open: Open, chance: Chance) {
    this.#folder = folder;
    this.#open = open;
    this.#chance = chance;
    mkdirSync(folder, { recursive: true });
  }

  get path(): string {
    return join(this.#folder, `${this.#generation}.db`);
  }

  /** The database, for those who see everything and disturb nothing. */
  get raw(): Db | null {
    return this.#raw;
  }

  /** The files as they are. */
  files(): Buffer[] {
    return [this.path, `${this.path}-wal`, `${this.path}-journal`]
      .filter((file) => existsSync(file))
      .map((file) => readFileSync(file));
  }

  open(): Db {
    this.is_dead = false;
    this.#left = Number.POSITIVE_INFINITY;
    this.#fault = null;
    this.#dies_at = null;
    this.#failing_commits = 0;
    this.#in_transaction = false;
    this.#raw = this.#open(this.path);
    return this.#watched(this.#raw);
  }

  /** The process dies so many statements from here; `with_power`: the disk goes off with it. */
  dieIn(statements: number, with_power: boolean): void {
    this.#left = statements;
    this.#is_power_cut = with_power;
  }

  /** The process dies when it comes to a statement like this, after so many others like it. */
  dieAt(statement: RegExp, after: number, with_power: boolean): void {
    this.#dies_at = { statement, after };
    this.#is_power_cut = with_power;
  }

  /** The disk is full, which shows only as the next so many transactions are to be made durable. */
  failCommits(count: number): void {
    this.#failing_commits = count;
  }

  /** From here on somebody reads, until they end or the machine does. */
  beginReading(): void {
    if (this.#reader !== null || this.#raw === null) return;
    this.#reader = this.#open(this.path);
    this.#reader.exec('BEGIN');
    this.#reader.prepare('SELECT count(*) AS n FROM event').get();
  }

  endReading(): void {
    this.#reader?.exec('ROLLBACK');
    this.#reader?.close();
    this.#reader = null;
  }

  get is_read(): boolean {
    return this.#reader !== null;
  }

  failFrom(statements: number, count: number, kind: Fault): void {
    const from = this.statements + statements;
    this.#fault = { kind, from, until: from + count };
  }

  get is_failing(): boolean {
    return this.#failing_commits > 0 || (this.#fault !== null && this.statements < this.#fault.until);
  }

  /** Nothing fails any more, and nobody dies who has not died yet. */
  heal(): void {
    this.#fault = null;
    this.#dies_at = null;
    this.#failing_commits = 0;
    this.endReading();
    if (!this.is_dead) this.#left = Number.POSITIVE_INFINITY;
  }

  /** The process is gone, wherever it was. From here on the machine has what is in the image. */
  die(with_power: boolean): void {
    const is_power_cut = with_power || this.#is_power_cut;
    this.endReading();
    const [from, torn] = [this.path, this.#torn_database];
    this.#generation += 1;
    copyFileSync(from, this.path);
    if (existsSync(`${from}-wal`)) copyFileSync(`${from}-wal`, `${this.path}-wal`);
    if (is_power_cut) this.#cutPower(torn);
    this.#let(from);
    this.#is_power_cut = false;
    this.#torn_database = null;
  }

  /** Of the log's end, whatever had been written since the last sync may be there, or not, or torn; of a checkpoint any page. */
  #cutPower(torn_database: Uint8Array | null): void {
    const log = `${this.path}-wal`;
    const begun = this.#chance.bytes(this.#chance.below(3) * this.#chance.below(9_000));
    if (existsSync(log) && readFileSync(log).length > 0)
      writeFileSync(log, Buffer.concat([readFileSync(log), begun]));
    if (torn_database !== null) writeFileSync(this.path, torn_database);
  }

  /** A copy for later, of a moment in which nothing is written. */
  backup(name: string): void {
    copyFileSync(this.path, join(this.#folder, `${name}.db`));
    const log = `${this.path}-wal`;
    const copy = join(this.#folder, `${name}.db-wal`);
    rmSync(copy, { force: true });
    if (existsSync(log)) copyFileSync(log, copy);
  }

  /** Goes back to a backup, of this machine's or another's. The process must have ended. */
  restore(name: string, of: Disk = this): boolean {
    const from = join(of.#folder, `${name}.db`);
    if (!existsSync(from)) return false;
    const before = this.path;
    this.#generation += 1;
    copyFileSync(from, this.path);
    if (existsSync(`${from}-wal`)) copyFileSync(`${from}-wal`, `${this.path}-wal`);
    this.#remove(before);
    return true;
  }

  #let(path: string): void {
    try {
      this.endReading();
      this.#raw?.close();
    } catch {
      // In the middle of something: the file is not used any more.
    }
    this.#raw = null;
    this.#remove(path);
  }

  #remove(path: string): void {
    for (const end of ['', '-wal', '-shm', '-journal']) rmSync(path + end, { force: true });
  }

  destroy(): void {
    this.#let(this.path);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #step<T>(sql: string, run: () => T): T {
    this.statements += 1;
    if (this.is_dead) throw new StorageFault(IO_ERROR, 'the process has ended');
    this.#left -= 1;
    if (this.#left < 0 || this.#isLast(sql)) {
      if (this.#is_power_cut && sql.startsWith('PRAGMA wal_checkpoint')) this.#tear(run);
      this.is_dead = true;
      this.died_at = sql.trim().slice(0, 60);
      this.died_in_transaction = this.#in_transaction;
      throw new StorageFault(IO_ERROR, 'the process ends here');
    }
    if (this.#fails(sql)) {
      this.faults_met += 1;
      throw new StorageFault(
        this.#fault?.kind === 'io_error' ? IO_ERROR : FULL,
        `the disk: ${this.#fault?.kind ?? 'full'}`,
      );
    }
    if (sql.startsWith('BEGIN')) {
      this.#in_transaction = true;
      this.#has_written = false;
    } else if (sql === 'COMMIT' || sql === 'ROLLBACK') this.#in_transaction = false;
    else if (WRITES.test(sql)) this.#has_written = true;
    return run();
  }

  #isLast(sql: string): boolean {
    const at = this.#dies_at;
    return at?.statement.test(sql) === true && at.after-- <= 0;
  }

  #fails(sql: string): boolean {
    const commits = sql === 'COMMIT' && this.#has_written;
    if (commits && this.#failing_commits > 0) {
      this.#failing_commits -= 1;
      return true;
    }
    const fault = this.#fault;
    if (fault === null || this.statements < fault.from) return false;
    if (this.statements >= fault.until) {
      this.#fault = null;
      return false;
    }
    if (fault.kind === 'full') return commits || WRITES.test(sql);
    return sql === 'COMMIT' ? commits : !NEVER_FAILS.test(sql);
  }

  /** A power cut amid a checkpoint: of the pages that it writes any may have come to the disk, and the log is still there. */
  #tear(run: () => unknown): void {
    const page = 4096;
    const before = readFileSync(this.path);
    const log = existsSync(`${this.path}-wal`) ? readFileSync(`${this.path}-wal`) : null;
    run();
    const torn = Buffer.from(readFileSync(this.path));
    for (let at = 0; at < before.length; at += page)
      if (this.#chance.holds(0.5)) before.copy(torn, at, at, Math.min(at + page, before.length));
    this.#torn_database = torn;
    if (log !== null) writeFileSync(`${this.path}-wal`, log);
  }

  /** S14: no query gives a secret to those who ask. */
  #withoutSecrets(sql: string, rows: SqlRow[]): SqlRow[] {
    for (const row of rows)
      for (const value of Object.values(row))
        if (value instanceof Uint8Array && value.length === 32 && this.secrets.has(value))
          this.gave_secret ??= new Violation('S14', `a query gives a secret: ${sql.trim().slice(0, 100)}`);
    return rows;
  }

  #watched(raw: Db): Db {
    const watched = (sql: string, statement: Statement): Statement => ({
      run: (params) => {
        if (params?.secret instanceof Uint8Array) this.secrets.keep(params.secret);
        return this.#step(sql, () => statement.run(params));
      },
      get: (params) => this.#step(sql, () => statement.get(params)),
      all: (params) => this.#step(sql, () => statement.all(params)),
    });
    return {
      prepare: (sql) => watched(sql, raw.prepare(sql)),
      prepareRead: (sql) => {
        const { all, columns } = raw.prepareRead(sql);
        return {
          columns,
          all: (params) =>
            this.#withoutSecrets(
              sql,
              this.#step(sql, () => all(params)),
            ),
        };
      },
      exec: (sql) => this.#step(sql, () => raw.exec(sql)),
      setQueryOnly: (on) => raw.setQueryOnly(on),
      scalar: (name, options, fn) => raw.scalar(name, options, fn),
      aggregate: (name, options) => raw.aggregate(name, options),
      close: () => {
        if (!this.is_dead) raw.close();
      },
    };
  }
}
