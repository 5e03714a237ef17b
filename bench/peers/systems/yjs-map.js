/** Yjs with a map per message in an array: what somebody takes who wants to edit a message or say who wrote it. */
import { common_facts, openEmptyAs, openFullAs, YMap } from './yjs.js';

/** @type {import('../system.ts').Facts} */
export const facts = {
  ...common_facts,
  title: 'Yjs, a map per message',
  between: 'y-websocket server that keeps the document, and a client; one Y.Array of Y.Map',
};

const shape = { toItem: (text) => new YMap([['text', text]]), toText: (item) => item.get('text') };
export const openFull = openFullAs(shape);
export const openEmpty = openEmptyAs(shape);
