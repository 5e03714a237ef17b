/**
 * The part of `sotto audit` that looks at every record: a process of its own, which reads the database beside the node and opens nothing inside it.
 * Prints JSON lines: how far it is, and at last what it found.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { SottoError } from '../../core/assert.ts';
import { openNodeSqliteToRead } from '../../storage/node-sqlite.ts';
import { checkIntegrity } from './integrity.ts';
import { loadProtocol } from './load-protocol.ts';
import { unlockedToRead } from './passphrase.ts';

const print = (line: unknown) => process.stdout.write(`${JSON.stringify(line)}\n`);

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      data: { type: 'string' },
      'passphrase-file': { type: 'string' },
      protocol: { type: 'string' },
    },
  });
  const path = join(resolve(values.data ?? '.'), 'sotto.db');
  if (!existsSync(path))
    throw new SottoError('no_database', `Expected a database at ${path}, there is none.`);
  const protocol = await loadProtocol(values.protocol);
  const db = openNodeSqliteToRead(path);
  try {
    unlockedToRead(db, values['passphrase-file'], {
      bytes: (length) => new Uint8Array(randomBytes(length)),
    });
    print({ result: await checkIntegrity(db, protocol, (done, of) => print({ progress: { done, of } })) });
  } finally {
    db.close();
  }
}

try {
  await main();
} catch (thrown) {
  process.stderr.write(
    `${thrown instanceof SottoError ? thrown.message : `It failed: ${(thrown as Error).name}.`}\n`,
  );
  process.exitCode = 1;
}
