/**
 * Reads a protocol folder from disk: which files there are, and what they export. The rules on what belongs where are `core/protocol.ts`'s;
 * here only tests are passed over.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SottoError } from '../../core/assert.ts';
import type { ProtocolFolder } from '../../core/protocol.ts';

/** Folders whose files are found by others' imports and not by discovery. */
const NOT_DISCOVERED = new Set(['handlers', 'rules', 'reconcile', 'node_modules']);

export interface ProtocolFiles {
  readonly modules: readonly string[];
  readonly sql: readonly string[];
  readonly jobs_yaml: boolean;
}

/** The files of a protocol folder, sorted, relative to it, with `/`. Throws `SottoError('bad_protocol')` where there is no such folder. */
export function listProtocolFiles(dir: string): ProtocolFiles {
  let names: string[];
  try {
    names = readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(dir, join(entry.parentPath, entry.name)).split(sep).join('/'))
      .filter((path) => !NOT_DISCOVERED.has(path.split('/')[0]!))
      .sort();
  } catch (thrown) {
    throw new SottoError(
      'bad_protocol',
      `Expected a protocol folder at ${dir}: ${thrown instanceof Error ? thrown.message : 'cannot be read'}.`,
    );
  }
  return {
    modules: names.filter((path) => /\.(ts|js)$/.test(path) && !/\.(test|gen|d)\.(ts|js)$/.test(path)),
    sql: names.filter((path) => path.endsWith('.sql')),
    jobs_yaml: names.includes('jobs.yaml'),
  };
}

/** Imports and reads everything in a protocol folder. */
export async function readProtocolFolder(dir: string): Promise<ProtocolFolder> {
  const root = resolve(dir);
  const files = listProtocolFiles(root);
  const modules: Record<string, Record<string, unknown>> = {};
  for (const path of files.modules) {
    try {
      modules[path.replace(/\.js$/, '.ts')] = (await import(pathToFileURL(join(root, path)).href)) as Record<
        string,
        unknown
      >;
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      throw new SottoError('bad_protocol', `${root}/${path} does not load: ${reason}`, { cause: thrown });
    }
  }
  const read = (path: string) => readFileSync(join(root, path), 'utf8');
  return {
    root,
    modules,
    sql: Object.fromEntries(files.sql.map((path) => [path, read(path)])),
    jobs_yaml: files.jobs_yaml ? read('jobs.yaml') : null,
  };
}
