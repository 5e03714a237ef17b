/**
 * A protocol is a folder; this turns the folder's modules into one checked registry. What is found is sorted, named after its export, and
 * complete: a file that exports nothing recognisable, an export under a wrong name, or two things of one name stop the start.
 *
 *     events/<type>/  schema.ts <type>.sql commands.ts queries.ts projector.ts reflectors.ts
 *     jobs/<job>.ts
 *     jobs.yaml
 *     pipeline.ts     only where the folder brings a pipeline of its own; without it, it is laid over another protocol
 */
import { SottoError } from './assert.ts';
import { type EventType, everyEvent } from './event-type.ts';
import type { AnyHandler, PipelineDefinition } from './handler.ts';
import type { QueryDefinition } from './query.ts';
import type { Command, Job, Projector, Reflector } from './sources.ts';

/** One protocol folder, read. Paths are relative to it, with `/`. */
export interface ProtocolFolder {
  /** Where it is, for error messages: `protocols/quiet`. */
  readonly root: string;
  readonly modules: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly sql: Readonly<Record<string, string>>;
  /** Text of `jobs.yaml`, if there is one. */
  readonly jobs_yaml: string | null;
}

/** A thing of the registry with its name and the file it came from. */
export interface Registered<T> {
  readonly name: string;
  readonly file: string;
  readonly value: T;
}

export interface Protocol {
  readonly types: ReadonlyMap<string, Registered<EventType>>;
  readonly queries: ReadonlyMap<string, Registered<QueryDefinition>>;
  readonly jobs: ReadonlyMap<string, Registered<Job>>;
  readonly commands: ReadonlyMap<string, Registered<Command>>;
  readonly projectors: ReadonlyMap<EventType, Registered<Projector>>;
  readonly reflectors: ReadonlyMap<EventType, readonly Registered<Reflector>[]>;
  readonly pipeline: PipelineDefinition;
  /** DDL in the order of its paths, base folder first; the pipeline's own tables before all others. */
  readonly sql: readonly Registered<string>[];
  readonly job_files: readonly Registered<string>[];
}

const EVENT_FILES = new Set(['schema.ts', 'commands.ts', 'queries.ts', 'projector.ts', 'reflectors.ts']);

/** `getEventsForSync` -> `get_events_for_sync`. */
export function snakeCase(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
}

/**
 * Builds the registry from one folder, or from a base folder and one laid over it.
 * Throws `SottoError('bad_protocol')` naming the file and what was expected there.
 */
export function assembleProtocol(folders: readonly ProtocolFolder[]): Protocol {
  const types = new Map<string, Registered<EventType>>();
  const queries = new Map<string, Registered<QueryDefinition>>();
  const jobs = new Map<string, Registered<Job>>();
  const commands = new Map<string, Registered<Command>>();
  const projectors = new Map<EventType, Registered<Projector>>();
  const reflectors = new Map<EventType, Registered<Reflector>[]>();
  const sql: Registered<string>[] = [];
  const job_files: Registered<string>[] = [];
  let pipeline: PipelineDefinition | null = null;

  for (const folder of folders) {
    for (const path of Object.keys(folder.modules).sort()) {
      const file = `${folder.root}/${path}`;
      const exported = folder.modules[path]!;
      if (path === 'pipeline.ts') {
        pipeline = pipelineIn(file, exported);
        continue;
      }
      const kind = kindOfFile(file, path);
      const found = recognise(file, exported, kind);
      for (const { export_name, value } of found) {
        const name = snakeCase(export_name);
        switch (value.kind) {
          case 'event_type':
            add(types, value.name, { name: value.name, file, value });
            break;
          case 'query':
            add(queries, name, { name, file, value });
            break;
          case 'job':
            add(jobs, name, { name, file, value });
            break;
          case 'command':
            add(commands, name, { name, file, value });
            break;
          case 'projector':
            add(projectors, value.of, { name, file, value });
            break;
          case 'reflector': {
            const same = reflectors.get(value.on) ?? [];
            if (same.some((other) => other.name === name))
              bad(file, `there is a reflector '${name}' already`);
            same.push({ name, file, value });
            reflectors.set(value.on, same);
            break;
          }
        }
      }
    }
    for (const path of Object.keys(folder.sql).sort((a, b) => depthOf(a) - depthOf(b) || (a < b ? -1 : 1))) {
      if (!/^events\/([^/]+)\/\1\.sql$|^[^/]+\.sql$/.test(path)) {
        bad(`${folder.root}/${path}`, 'expected SQL at events/<type>/<type>.sql');
      }
      sql.push({ name: path, file: `${folder.root}/${path}`, value: folder.sql[path]! });
    }
    if (folder.jobs_yaml !== null) {
      job_files.push({ name: 'jobs.yaml', file: `${folder.root}/jobs.yaml`, value: folder.jobs_yaml });
    }
  }

  const known = new Set([...types.values()].map((type) => type.value));
  for (const [type, registered] of projectors) {
    if (!known.has(type))
      bad(registered.file, `its projector is of type '${type.name}', which no schema.ts exports`);
  }
  for (const [type, list] of reflectors) {
    if (!known.has(type) && type !== everyEvent)
      bad(list[0]!.file, `'${list[0]!.name}' is on type '${type.name}', which no schema.ts exports`);
  }
  if (pipeline === null) {
    const root = folders.map((folder) => folder.root).join(', ');
    throw new SottoError('bad_protocol', `${root}: no pipeline.ts, and nothing to lay it over.`);
  }
  return { types, queries, jobs, commands, projectors, reflectors, pipeline, sql, job_files };
}

type Piece = EventType | QueryDefinition | Job | Command | Projector | Reflector;
type PieceKind = Piece['kind'];

const KINDS: Readonly<Record<string, PieceKind>> = {
  'schema.ts': 'event_type',
  'commands.ts': 'command',
  'queries.ts': 'query',
  'projector.ts': 'projector',
  'reflectors.ts': 'reflector',
};

function kindOfFile(file: string, path: string): PieceKind {
  const in_events = /^events\/[a-z0-9_-]+\/([^/]+)$/.exec(path);
  if (in_events !== null && EVENT_FILES.has(in_events[1]!)) return KINDS[in_events[1]!]!;
  if (/^jobs\/[a-z0-9_-]+\.ts$/.test(path)) return 'job';
  return bad(
    file,
    `expected events/<type>/{${[...EVENT_FILES].join(',')}}, events/<type>/<type>.sql, jobs/<job>.ts or pipeline.ts`,
  );
}

function recognise(file: string, exported: Readonly<Record<string, unknown>>, kind: PieceKind) {
  const found: { export_name: string; value: Piece }[] = [];
  for (const export_name of Object.keys(exported).sort()) {
    const value = exported[export_name];
    if (!isPiece(value)) continue;
    if (value.kind !== kind) bad(file, `'${export_name}' is a ${value.kind}; this file is for a ${kind}`);
    if (kind === 'reflector' && !export_name.startsWith('reflect')) {
      bad(file, `expected reflectors to be named reflect..., got '${export_name}'`);
    }
    if (kind === 'job' && !export_name.endsWith('Job'))
      bad(file, `expected jobs to be named ...Job, got '${export_name}'`);
    found.push({ export_name, value });
  }
  if (found.length === 0) {
    const got = Object.keys(exported).sort().join(', ') || 'nothing';
    bad(
      file,
      `expected an exported ${kind} (made with ${kind === 'event_type' ? 'eventType' : kind}()), found ${got}`,
    );
  }
  return found;
}

function isPiece(value: unknown): value is Piece {
  const kind =
    value !== null && (typeof value === 'object' || typeof value === 'function')
      ? (value as { kind?: unknown }).kind
      : undefined;
  return typeof kind === 'string' && (kind === 'job' || Object.values<string>(KINDS).includes(kind));
}

function pipelineIn(file: string, exported: Readonly<Record<string, unknown>>): PipelineDefinition {
  const found = exported.pipeline as PipelineDefinition | undefined;
  if (!Array.isArray(found?.handlers))
    return bad(file, `expected an export 'pipeline' with an array of handlers`);
  const names = new Set<string>();
  for (const handler of found.handlers as readonly AnyHandler[]) {
    if (typeof handler?.process !== 'function')
      bad(file, `a handler in the pipeline has no process function`);
    if (names.has(handler.name)) bad(file, `the handler '${handler.name}' stands in the pipeline twice`);
    names.add(handler.name);
  }
  return found;
}

function add<K, T>(map: Map<K, Registered<T>>, key: K, registered: Registered<T>): void {
  const other = map.get(key);
  if (other !== undefined) bad(registered.file, `'${registered.name}' is in ${other.file} already`);
  map.set(key, registered);
}

function depthOf(path: string): number {
  return path.split('/').length;
}

function bad(file: string, what: string): never {
  throw new SottoError('bad_protocol', `${file}: ${what}.`);
}
