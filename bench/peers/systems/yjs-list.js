/** Yjs with an array of strings: the least that it can keep of a message; none can be edited or told from the others. */
import { common_facts, openEmptyAs, openFullAs } from './yjs.js';

/** @type {import('../system.ts').Facts} */
export const facts = {
  ...common_facts,
  title: 'Yjs, one list',
  between: 'y-websocket server that keeps the document, and a client; one Y.Array of strings',
};

const shape = { toItem: (text) => text, toText: (item) => item };
export const openFull = openFullAs(shape);
export const openEmpty = openEmptyAs(shape);
