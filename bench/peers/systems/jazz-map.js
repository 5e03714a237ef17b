/** Jazz with a map per message, as its documentation has it: each a log of its own with a signature of its own. */
import { co, z } from 'jazz-tools';
import { common_facts, openEmptyAs, openFullAs } from './jazz.js';

const Message = co.map({ text: z.string() });

/** @type {import('../system.ts').Facts} */
export const facts = {
  ...common_facts,
  title: 'Jazz, a map per message',
  checks_signature: 'yes (one per map)',
  between:
    'two devices of one account, one of them the sync server; WebSocket; one co.list of co.map, all of one group',
};

const shape = {
  Messages: co.list(Message),
  resolve: { $each: true },
  toItem: (text, owner) => Message.create({ text }, { owner }),
  toText: (item) => item.text,
};
export const openFull = openFullAs(shape);
export const openEmpty = openEmptyAs(shape);
