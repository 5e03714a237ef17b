/**
 * Reads `jobs.yaml`: which job runs when, for whom, and with which parameters.
 *
 * A file is right as a whole or not taken at all, and everything that is wrong with it is told at once. `${NAME}` in a
 * parameter is environment: looked up at load, so that a missing one stops the start, and put in only when the job is
 * run, so that no secret reaches the database or an error. `${NETWORK_ID}` is not environment: the scheduler binds it
 * for each network, so that one file serves no network, one or ten thousand.
 */
import { isMap, isScalar, isSeq, type Node } from 'yaml';
import { SottoError } from './assert.ts';
import type { Id } from './fields.ts';
import { limits } from './limits.ts';
import type { Protocol, Registered } from './protocol.ts';
import { cronGrid, everyGrid, type Grid, type Misfire } from './schedule.ts';
import type { Job } from './sources.ts';
import { nearest, YamlFile, type YamlSection } from './yaml-file.ts';

/** One entry of a `jobs.yaml`, checked. */
export interface JobSpec {
  readonly name: string;
  readonly file: string;
  /** null: switched off. */
  readonly job: Registered<Job> | null;
  /** Of `frequency_ms` and `cron` exactly one is given. */
  readonly frequency_ms: number | null;
  readonly cron: string | null;
  readonly offset_ms: number;
  /** The occurrences that these make. */
  readonly grid: Grid;
  /** The job whose completed runs this one follows. */
  readonly after: string | null;
  readonly misfire: Misfire;
  readonly for_each: 'node' | 'network';
  readonly drain: boolean;
  readonly enabled: boolean;
  /**
   * The parameters of one run, with environment and network put in; a fresh object at each call.
   * `network_id` is null for what runs once per node. Throws `SottoError('bad_parameter')`, without any value in it,
   * if the environment has changed since the load so that it no longer fits.
   */
  readonly paramsFor: (network_id: Id | null) => Record<string, unknown>;
}

export type Environment = Readonly<Record<string, string | undefined>>;

// biome-ignore lint/suspicious/noTemplateCurlyInString: this is what stands in the file
const NETWORK_ID = '${NETWORK_ID}';
/** Stands for a network's id while parameters are checked. */
const ANY_NETWORK: Id = '0'.repeat(64);
const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
const KEYS: readonly string[] = [
  'name',
  'function',
  'frequency_ms',
  'cron',
  'offset_ms',
  'after',
  'misfire',
  'for_each',
  'drain',
  'enabled',
  'params',
];

/** A job with the places in its file that are complained about when all files are known. */
interface Entry {
  readonly spec: JobSpec;
  readonly section: YamlSection;
}

/**
 * Reads all files together: a name is unique across them, and `after` may name a job of another one.
 * Throws `SottoError('bad_jobs_file')` with a line for each mistake of each file:
 * `file:line:column: what was expected, what came, and the nearest right word`.
 */
export function loadJobs(
  files: readonly Registered<string>[],
  protocol: Pick<Protocol, 'jobs'>,
  env: Environment,
): readonly JobSpec[] {
  const read: YamlFile[] = [];
  const entries: Entry[] = [];
  for (const { file, value } of files) {
    const yaml = new YamlFile(file, value);
    read.push(yaml);
    if (yaml.broken) continue;
    const top = yaml.section(yaml.top, `'jobs:' with a list of jobs`, ['jobs']);
    for (const node of top?.list('jobs', 'a list of jobs') ?? []) {
      const section = yaml.section(node, 'a job with name, function and frequency_ms', KEYS);
      const spec = section && readJob(section, file, protocol, env);
      if (section && spec) entries.push({ section, spec });
    }
  }
  checkNames(entries);
  checkAfter(entries);
  const mistakes = read.flatMap((yaml) => yaml.mistakes());
  if (mistakes.length > 0) throw new SottoError('bad_jobs_file', mistakes.join('\n'));
  return entries.map(({ spec }) => spec);
}

/** One job. Null only where it has no usable name; other mistakes are complained about and the rest is still checked. */
function readJob(
  section: YamlSection,
  file: string,
  protocol: Pick<Protocol, 'jobs'>,
  env: Environment,
): JobSpec | null {
  for (const key of ['name', 'function']) {
    if (!section.has(key)) section.file.complain(section.node, `expected a job with '${key}', got none`);
  }
  const name = section.text('name', 'a name of letters, digits, _ and -, 64 at most,', NAME);
  const enabled = section.boolean('enabled') ?? true;
  const found = readFunction(section, protocol, enabled);
  const template = readParams(section, found, env);
  const explicit = section.choice('for_each', ['node', 'network']);
  const timing = readTiming(section);
  if (template.has_network && explicit === 'node') {
    section.file.complain(
      section.at('for_each'),
      `expected for_each: network, because of ${NETWORK_ID} in params, got 'node'`,
    );
  }
  if (name === null) return null;
  return Object.freeze({
    name,
    file,
    job: enabled ? found : null,
    ...timing,
    after: section.text('after', 'the name of a job', NAME),
    misfire: section.choice('misfire', ['once', 'skip', 'all']) ?? 'once',
    for_each: template.has_network ? 'network' : (explicit ?? found?.value.options.for_each ?? 'node'),
    drain: section.boolean('drain') ?? false,
    enabled,
    paramsFor: (network_id: Id | null) => checkedParams(name, found, template, env, network_id),
  });
}

function readFunction(
  section: YamlSection,
  protocol: Pick<Protocol, 'jobs'>,
  enabled: boolean,
): Registered<Job> | null {
  const wanted = section.text('function', 'the name of a job function', /^\S+$/);
  if (wanted === null) return null;
  const found = protocol.jobs.get(wanted);
  if (found === undefined && enabled) {
    const near = nearest(wanted, [...protocol.jobs.keys()]);
    section.file.complain(
      section.at('function'),
      `expected a function that jobs/ exports, got '${wanted}'.${near}`,
    );
  }
  return found ?? null;
}

/** When it runs. After a mistake: something that lets the rest be checked. */
function readTiming(section: YamlSection): Pick<JobSpec, 'frequency_ms' | 'cron' | 'offset_ms' | 'grid'> {
  const { file, node } = section;
  const has_frequency = section.has('frequency_ms');
  const has_cron = section.has('cron');
  if (has_frequency && has_cron) file.complain(section.at('cron'), `expected frequency_ms or cron, got both`);
  if (!has_frequency && !has_cron) file.complain(node, `expected frequency_ms or cron, got neither`);

  const frequency_ms = section.integer('frequency_ms', 1, limits.frequency_ms_max);
  const offset_ms = section.integer('offset_ms', 0, limits.frequency_ms_max) ?? 0;
  if (section.has('offset_ms') && has_cron) {
    file.complain(section.at('offset_ms'), 'expected offset_ms only with frequency_ms, got it with cron');
  } else if (frequency_ms !== null && offset_ms >= frequency_ms) {
    file.complain(
      section.at('offset_ms'),
      `expected offset_ms below frequency_ms (${frequency_ms}), got ${offset_ms}`,
    );
  }
  const cron = section.text(
    'cron',
    'five fields in UTC (minute hour day month weekday)',
    /^\s*(\S+\s+){4}\S+\s*$/,
  );
  const grid = cron === null ? null : readCron(section, cron);
  return {
    frequency_ms: cron === null ? frequency_ms : null,
    cron,
    offset_ms,
    grid: grid ?? everyGrid(frequency_ms ?? 1, offset_ms),
  };
}

function readCron(section: YamlSection, pattern: string): Grid | null {
  try {
    const grid = cronGrid(pattern.trim().replace(/\s+/g, ' '));
    if (grid.next(0) <= 8.64e15) return grid;
    section.file.complain(section.at('cron'), `expected a cron pattern that some day fits, got '${pattern}'`);
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message.replace(/^CronPattern: /, '') : 'unknown reason';
    section.file.complain(
      section.at('cron'),
      `expected five cron fields in UTC, got '${pattern}': ${reason}`,
    );
  }
  return null;
}

// --- parameters -----------------------------------------------------------------------------------------------------

/** Parameters as they stand in the file, placeholders not yet replaced. */
interface Template {
  readonly params: Readonly<Record<string, unknown>>;
  readonly has_network: boolean;
}

function readParams(section: YamlSection, job: Registered<Job> | null, env: Environment): Template {
  const none: Template = { params: {}, has_network: false };
  const node = section.has('params') ? section.file.resolved(section.at('params')) : null;
  if (node !== null && !isMap(node)) {
    section.file.complain(section.at('params'), 'expected a map of parameters, got something else');
    return none;
  }
  const scan = node === null ? { has_network: false, whole: true } : scanPlaceholders(section, node, env, 0);
  const params = node === null ? {} : (section.file.plain(node) as Record<string, unknown>);
  const template = { params, has_network: scan.has_network };
  if (job !== null && scan.whole) checkParams(section, node, job, filled(template, env, ANY_NETWORK));
  return template;
}

/** Looks at every string below `node` for `${...}`. `whole`: all of them can be replaced. */
function scanPlaceholders(
  section: YamlSection,
  given: Node,
  env: Environment,
  depth: number,
): { has_network: boolean; whole: boolean } {
  const node = section.file.resolved(given);
  const result = { has_network: false, whole: true };
  const wrong = (message: string) => {
    result.whole = false;
    section.file.complain(given, message);
  };
  if (depth > limits.cbor_depth_max) {
    wrong(`expected parameters nested ${limits.cbor_depth_max} deep at most, got more`);
  } else if (isMap(node) || isSeq(node)) {
    for (const item of node.items) {
      const inner = isMap(node) ? (item as { value: Node | null }).value : (item as Node);
      if (inner === null) continue;
      const below = scanPlaceholders(section, inner, env, depth + 1);
      result.has_network ||= below.has_network;
      result.whole &&= below.whole;
    }
  } else if (isScalar(node) && typeof node.value === 'string') {
    if (node.value === NETWORK_ID) return { has_network: true, whole: true };
    for (const [placeholder, name] of node.value.matchAll(/\$\{([^}]*)\}?/g)) {
      if (name === 'NETWORK_ID') wrong(`expected ${NETWORK_ID} as the whole value, got it as a part of one`);
      else if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name!) || !placeholder.endsWith('}'))
        wrong(`expected '\${NAME}', got '${placeholder}'`);
      else if (env[name!] === undefined) {
        const near = nearest(name!, [...Object.keys(env), 'NETWORK_ID']);
        wrong(`expected the environment variable ${name} to be set, got nothing.${near}`);
      }
    }
  }
  return result;
}

/** The template with its placeholders replaced; nothing of it is shared with other calls. */
function filled(template: Template, env: Environment, network_id: Id | null): Record<string, unknown> {
  const fill = (value: unknown): unknown => {
    if (value === NETWORK_ID) return network_id;
    if (typeof value === 'string') {
      return value.replace(/\$\{([^}]*)\}/g, (_, name: string) => {
        const found = env[name];
        if (found === undefined)
          throw new SottoError('bad_parameter', `The environment variable ${name} is no longer set.`);
        return found;
      });
    }
    if (Array.isArray(value)) return value.map(fill);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fill(inner)]));
  };
  return fill(template.params) as Record<string, unknown>;
}

/** Complains about each parameter that the job does not know, lacks or cannot take; never quotes a value, it may be secret. */
function checkParams(
  section: YamlSection,
  node: Node | null,
  job: Registered<Job>,
  params: Record<string, unknown>,
): void {
  const known = Object.keys(job.value.options.params);
  const place = (path: readonly PropertyKey[]): Node => {
    let found: Node = node ?? section.node;
    for (const key of path) {
      const inner = isMap(found) || isSeq(found) ? (found.get(key, true) as Node | undefined) : undefined;
      if (inner === undefined) break;
      found = section.file.resolved(inner);
    }
    return found;
  };
  const checked = job.value.check.safeParse(params);
  for (const issue of checked.error?.issues ?? []) {
    const name = issue.path.join('.');
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        const at = isMap(node)
          ? (node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === key)?.key as Node)
          : null;
        const expected =
          known.length === 0 ? 'no parameters' : `a parameter of ${job.name} (${known.join(', ')})`;
        section.file.complain(
          issue.path.length === 0 ? at : place(issue.path),
          `expected ${expected}, got '${key}'.${nearest(key, known)}`,
        );
      }
    } else if (issue.path.length === 1 && !(name in params)) {
      section.file.complain(
        node ?? section.node,
        `expected the parameter '${name}' of ${job.name}, got none`,
      );
    } else {
      section.file.complain(
        place(issue.path),
        `expected another value for the parameter '${name}' of ${job.name}: ${issue.message}`,
      );
    }
  }
}

function checkedParams(
  name: string,
  job: Registered<Job> | null,
  template: Template,
  env: Environment,
  network_id: Id | null,
): Record<string, unknown> {
  if (job === null)
    throw new SottoError('job_disabled', `Job '${name}' is switched off and its function does not exist.`);
  const checked = job.value.check.safeParse(filled(template, env, network_id));
  if (checked.success) return checked.data;
  const fields = checked.error.issues.map((issue) => issue.path.join('.')).join(', ');
  throw new SottoError(
    'bad_parameter',
    `Job '${name}': ${fields} no longer fits. Has the environment changed?`,
  );
}

// --- across entries and files ---------------------------------------------------------------------------------------

function checkNames(entries: readonly Entry[]): void {
  const files = new Map<string, string>();
  for (const { section, spec } of entries) {
    const other = files.get(spec.name);
    if (other !== undefined)
      section.file.complain(
        section.at('name'),
        `expected a name of its own, got '${spec.name}', which is in ${other} already`,
      );
    else files.set(spec.name, spec.file);
  }
}

function checkAfter(entries: readonly Entry[]): void {
  const by_name = new Map(entries.map((entry) => [entry.spec.name, entry]));
  const in_known_cycle = new Set<string>();
  for (const { section, spec } of entries) {
    if (spec.after === null) continue;
    if (!by_name.has(spec.after)) {
      const near = nearest(spec.after, [...by_name.keys()]);
      section.file.complain(section.at('after'), `expected the name of a job, got '${spec.after}'.${near}`);
    }
    const path = [spec.name];
    let next: string | null = spec.after;
    while (next !== null && !path.includes(next)) {
      path.push(next);
      next = by_name.get(next)?.spec.after ?? null;
    }
    if (next === spec.name && !in_known_cycle.has(spec.name)) {
      for (const name of path) in_known_cycle.add(name);
      section.file.complain(
        section.at('after'),
        `expected jobs that follow each other to begin somewhere, got the circle ${[...path, next].join(' -> ')}`,
      );
    }
  }
}
