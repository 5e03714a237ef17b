/** Jazz with one list of strings: one log, signed every 100 kB; none of its messages can be edited or told from the others. */
import { co, z } from 'jazz-tools';
import { common_facts, openEmptyAs, openFullAs } from './jazz.js';

/** @type {import('../system.ts').Facts} */
export const facts = {
  ...common_facts,
  title: 'Jazz, one list',
  checks_signature: 'no: one per 100 kB of the log of a session',
  between: 'two devices of one account, one of them the sync server; WebSocket; one co.list of strings',
};

const shape = {
  Messages: co.list(z.string()),
  resolve: {},
  toItem: (text) => text,
  toText: (item) => item,
};
export const openFull = openFullAs(shape);
export const openEmpty = openEmptyAs(shape);
