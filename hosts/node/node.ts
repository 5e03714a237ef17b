/**
 * A whole node on Node.js: the engine over one SQLite file, its scheduler on a timer, sessions over WebSockets, and the local HTTP API. The
 * composition root: real time, randomness, storage and transport are chosen here and nowhere below.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, unwatchFile, watchFile } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import type { NodeFacade } from '../../api/facade.ts';
import { createApi } from '../../api/routes.ts';
import { allowedHosts, serveApi } from '../../api/serve.ts';
import { placeOf, SottoError } from '../../core/assert.ts';
import type { Clock, Random, Timers } from '../../core/clock.ts';
import { type JobSpec, loadJobs } from '../../core/config.ts';
import type { Protocol, Registered } from '../../core/protocol.ts';
import type { Transport } from '../../core/transport.ts';
import { openNodeSqlite } from '../../storage/node-sqlite.ts';
import { parseAddress } from '../../transport/address.ts';
import { websocketTransport } from '../../transport/websocket.ts';
import { Runtime } from '../runtime.ts';
import { announced } from '../sessions.ts';
import { CheckPool } from './check/pool.ts';
import { type DataDir, takeDataDir } from './data-dir.ts';
import { type NodeView, nodeView } from './facade.ts';
import { linkAddresses } from './lan/addresses.ts';
import { Lan } from './lan/lan.ts';
import { loadProtocol } from './load-protocol.ts';
import { unlocked } from './passphrase.ts';

export interface NodeOptions {
  readonly data_dir: string;
  /** Where other nodes reach this one, `host:port`; port 0 picks a free one. */
  readonly listen: string;
  /** Where the local API is served, `host:port`, loopback only. */
  readonly api: string;
  /** A protocol folder of the app's own, laid over Quiet (or in its place, if it has a pipeline.ts). */
  readonly protocol_dir?: string | undefined;
  /** A jobs.yaml in place of the protocol's. */
  readonly jobs_file?: string | undefined;
  /** The name under which others reach this node, where it listens on every interface. */
  readonly announce_host?: string | undefined;
  /** Finds peers on the same LAN, and is found there: off unless given. `port`: UDP, that of multicast DNS unless said. */
  readonly lan?: { readonly port?: number } | undefined;
  /** A file with the passphrase that seals the keys of the data directory; it sets one where there is none yet. */
  readonly passphrase_file?: string | undefined;
  /** How bytes travel to other nodes; WebSockets unless told otherwise. */
  readonly transport?: Transport | undefined;
  readonly log: Logger;
}

/** How often a jobs file is looked at for changes. */
const WATCH_EVERY_MS = 1_000;

const systemClock: Clock = { wall_ms: () => Date.now(), monotonic_ms: () => performance.now() };
const systemRandom: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) };
const systemTimers: Timers = {
  set: (run, delay_ms) => {
    const timer = setTimeout(run, delay_ms);
    return () => clearTimeout(timer);
  },
  soon: (run) => {
    setImmediate(run);
  },
};

export class SottoNode {
  readonly listen_address: string;
  readonly api_address: string;
  /** The node without HTTP, for apps that run it in their own process. */
  readonly facade: NodeFacade;
  readonly #parts: Parts;
  readonly #close_api: () => Promise<void>;

  private constructor(
    parts: Parts,
    facade: NodeFacade,
    listen_address: string,
    api: { address: string; close(): Promise<void> },
  ) {
    this.#parts = parts;
    this.facade = facade;
    this.listen_address = listen_address;
    this.api_address = api.address;
    this.#close_api = api.close;
  }

  /** Starts a node, or throws why it cannot be and leaves nothing behind. */
  static async start(options: NodeOptions): Promise<SottoNode> {
    const data_dir = takeDataDir(resolve(options.data_dir));
    try {
      const protocol = await loadProtocol(options.protocol_dir);
      const parts = new Parts(options, data_dir, protocol);
      try {
        const listen_address = await parts.sessions.listen(options.listen);
        const token = randomBytes(32).toString('base64url');
        let api_address = '';
        const announced_address = announced(listen_address, announceHost(options, listen_address));
        const view = nodeView(parts, {
          data_dir: data_dir.path,
          protocol: protocolName(options),
          announced: announced_address,
          api: () => api_address,
        });
        const app = createApi(view, { token, allowed_hosts: () => allowedHosts(api_address) });
        const api = await serveApi(app, options.api);
        api_address = api.address;
        data_dir.announce(
          { pid: process.pid, api: api.address, listen: listen_address, started_ms: Date.now() },
          token,
        );
        parts.show(view, announced_address);
        await parts.lan?.start(listen_address);
        return new SottoNode(parts, view, listen_address, api);
      } catch (thrown) {
        await parts.close();
        throw thrown;
      }
    } catch (thrown) {
      data_dir.release();
      throw thrown;
    }
  }

  /** Ends everything within two seconds; what was acknowledged is on disk. */
  async stop(): Promise<void> {
    await this.#close_api();
    await this.#parts.close();
    this.#parts.data_dir.release();
  }
}

/** A runtime on this machine, with its data directory and its jobs file. */
export class Parts extends Runtime {
  readonly data_dir: DataDir;
  readonly started_ms = Date.now();
  readonly lan: Lan | null;
  readonly #shown: { view: NodeView | null };
  readonly #checks: CheckPool;
  readonly #log: Logger;
  readonly #options: NodeOptions;
  #jobs: readonly JobSpec[] = [];
  #watched: string | null = null;

  constructor(options: NodeOptions, data_dir: DataDir, protocol: Protocol) {
    const db = openNodeSqlite(data_dir.database);
    // Apart, since what was cut short is finished, and told, while this is made.
    const shown: { view: NodeView | null } = { view: null };
    const checks = new CheckPool((error) =>
      options.log.warn({ ...placeOf(error) }, 'signatures_not_checked_ahead'),
    );
    const lan = options.lan === undefined ? null : lanOf(options, options.lan.port);
    super({
      db,
      path: data_dir.database,
      protocol,
      clock: systemClock,
      random: systemRandom,
      timers: systemTimers,
      transport: options.transport ?? websocketTransport(),
      hints: lan?.hints,
      check: checks.check,
      log: (level, event, details) => options.log[level](details, event),
      unlock: (make) => unlocked(db, options.passphrase_file, systemRandom, make),
      on_commit: (effects) => shown.view?.changed(effects),
    });
    this.lan = lan;
    this.#shown = shown;
    this.#checks = checks;
    this.#options = options;
    this.#log = options.log;
    this.data_dir = data_dir;
    try {
      this.#takeOverJobs();
    } catch (thrown) {
      db.close();
      throw thrown;
    }
  }

  /** Begins to dial, to run jobs, and to tell `view` of changes. */
  show(view: NodeView, announced_address: string): void {
    this.#shown.view = view;
    this.begin(announced_address);
    this.#watchJobs();
  }

  /** The jobs as they were loaded last. */
  jobs(): readonly JobSpec[] {
    return this.#jobs;
  }

  #takeOverJobs(): void {
    const jobs = loadJobs(this.#jobFiles(), this.protocol, process.env);
    this.scheduler.load(jobs);
    this.#jobs = jobs;
  }

  #jobFiles(): readonly Registered<string>[] {
    const file = this.#options.jobs_file ?? this.#protocolJobsFile();
    if (file === null) return this.protocol.job_files;
    const own: Registered<string> = { name: 'jobs.yaml', file, value: readText(file) };
    if (this.#options.jobs_file !== undefined) return [own];
    return [...this.protocol.job_files.slice(0, -1), own];
  }

  #protocolJobsFile(): string | null {
    if (this.#options.protocol_dir === undefined) return null;
    const file = join(resolve(this.#options.protocol_dir), 'jobs.yaml');
    return existsSync(file) ? file : null;
  }

  /** Takes a changed jobs file over, whole or not at all. */
  #watchJobs(): void {
    const file = this.#options.jobs_file ?? this.#protocolJobsFile();
    if (file === null) return;
    this.#watched = file;
    watchFile(file, { interval: WATCH_EVERY_MS, persistent: false }, () => {
      try {
        this.#takeOverJobs();
        this.#log.info({ file }, 'jobs_file_taken_over');
        this.tick();
      } catch (thrown) {
        const message = thrown instanceof SottoError ? thrown.message : placeOf(thrown).error_class;
        this.#log.error({ file, message }, 'jobs_file_not_taken_over');
      }
    });
  }

  override async close(): Promise<void> {
    if (this.#watched !== null) unwatchFile(this.#watched);
    this.#watched = null;
    this.#shown.view?.close();
    this.#shown.view = null;
    await this.lan?.close();
    await this.#checks.close();
    await super.close();
  }
}

function lanOf({ log }: NodeOptions, port: number | undefined): Lan {
  return new Lan({
    clock: systemClock,
    random: systemRandom,
    timers: systemTimers,
    log: (level, event, details) => log[level](details, event),
    port,
  });
}

/** The name under which others reach what listens on every interface: without one, but with peers on the LAN, the machine's address there. */
function announceHost({ announce_host, lan }: NodeOptions, listen_address: string): string | null {
  if (announce_host !== undefined || lan === undefined) return announce_host ?? null;
  return linkAddresses(parseAddress(listen_address).host)[0]?.address ?? '127.0.0.1';
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    throw new SottoError(
      'bad_jobs_file',
      `Expected a jobs file at ${file}: ${thrown instanceof Error ? thrown.message : 'cannot be read'}.`,
    );
  }
}

function protocolName(options: NodeOptions): string {
  return options.protocol_dir === undefined ? 'quiet' : resolve(options.protocol_dir);
}
