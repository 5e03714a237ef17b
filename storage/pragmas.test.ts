/** Which versions of SQLite are refused. */

import { expect, test } from 'vitest';
import { requireSqliteVersion } from './pragmas.ts';

test.each(['3.51.3', '3.51.10', '3.52.0', '4.0.0'])('%s is new enough', (version) => {
  expect(() => requireSqliteVersion(version)).not.toThrow();
});

test.each(['3.51.2', '3.50.9', '2.99.99', ''])('"%s" is too old', (version) => {
  expect(() => requireSqliteVersion(version)).toThrow(expect.objectContaining({ code: 'sqlite_too_old' }));
});
