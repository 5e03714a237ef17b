/** Runs the drivers' contract over node:sqlite. */

import { describe } from 'vitest';
import { describeDriver } from './driver.contract.ts';
import { openNodeSqlite } from './node-sqlite.ts';

describe('node:sqlite', () =>
  describeDriver(openNodeSqlite, new URL('./node-sqlite.ts', import.meta.url).href));
