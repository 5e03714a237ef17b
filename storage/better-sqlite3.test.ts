/** Runs the drivers' contract over better-sqlite3. */

import { describe } from 'vitest';
import { openBetterSqlite3 } from './better-sqlite3.ts';
import { describeDriver } from './driver.contract.ts';

describe('better-sqlite3', () =>
  describeDriver(openBetterSqlite3, new URL('./better-sqlite3.ts', import.meta.url).href));
