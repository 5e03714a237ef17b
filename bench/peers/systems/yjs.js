/**
 * Yjs, in whatever shape the messages have in the document. The full peer is the y-websocket server that keeps the document; the other is a y-websocket
 * client; both store by y-leveldb. Not a system by itself: `yjs-list.js` and `yjs-map.js` are.
 */
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { listenOn } from '../listen.ts';

// By require throughout: the server is published for require only, and two copies of Yjs in a process do not understand each other.
const require = createRequire(import.meta.url);
const { Doc, Map: YMap, applyUpdate, encodeStateAsUpdate } = require('yjs');
const { WebsocketProvider } = require('y-websocket');
const { docs, getYDoc, setPersistence, setupWSConnection } = require('y-websocket/bin/utils');
const { LeveldbPersistence } = require('y-leveldb');
const { WebSocket, WebSocketServer } = require('ws');

export { YMap };

const ROOM = 'messages';

export const common_facts = {
  packages: ['yjs', 'y-websocket', 'y-leveldb'],
  checks_signature: 'no (there are none)',
  seals: 'no (the server reads everything; the connection is a plain WebSocket)',
  stored: 'the update is in LevelDB, written without fsync',
};

/**
 * How a text becomes an item of the array, and back.
 * @typedef {{ toItem: (text: string) => unknown, toText: (item: any) => string }} Shape
 */

/** Stores every update of a document; `settled` waits for those so far. */
function storeUpdatesOf(doc, store) {
  /** @type {Promise<unknown>} */
  let stored = Promise.resolve();
  doc.on('update', (update) => {
    stored = store.storeUpdate(ROOM, update); // y-leveldb stores one after the other
  });
  return { settled: () => stored };
}

/** @returns {import('../system.ts').System['openFull']} */
export const openFullAs = (/** @type {Shape} */ shape) => async (folder) => {
  const store = new LeveldbPersistence(folder);
  let settled = () => Promise.resolve();
  setPersistence({
    provider: store,
    bindState: async (_name, doc) => {
      ({ settled } = storeUpdatesOf(doc, store));
    },
    writeState: async () => {},
  });
  const items = getYDoc(ROOM).getArray('messages');
  return {
    ticket: {},
    async fill(texts) {
      for (const text of texts) items.push([shape.toItem(text)]);
      await settled();
    },
    async append(text) {
      items.push([shape.toItem(text)]);
      await settled();
    },
    async listen() {
      const http = createServer();
      const server = new WebSocketServer({ server: http });
      server.on('connection', (socket, request) => setupWSConnection(socket, request, { docName: ROOM }));
      // The server drops a document when the last connection goes; the writer holds it open, as somebody who is connected would.
      docs.get(ROOM).conns.set({ readyState: WebSocket.OPEN, send() {}, close() {} }, new Set());
      return listenOn(http);
    },
  };
};

/** @returns {import('../system.ts').System['openEmpty']} */
export const openEmptyAs = (/** @type {Shape} */ shape) => async (folder) => {
  const store = new LeveldbPersistence(folder);
  const doc = new Doc();
  applyUpdate(doc, encodeStateAsUpdate(await store.getYDoc(ROOM)));
  const items = doc.getArray('messages');
  const { settled } = storeUpdatesOf(doc, store);
  let provider;
  return {
    async connect(port) {
      provider = new WebsocketProvider(`ws://127.0.0.1:${port}`, ROOM, doc, {
        WebSocketPolyfill: WebSocket,
        disableBc: true,
      });
    },
    async until(count) {
      await new Promise((resolve) => {
        const look = () => {
          if (items.length < count) return;
          items.unobserve(look);
          resolve(undefined);
        };
        items.observe(look);
        look();
      });
      await settled();
    },
    async texts(since) {
      return items.slice(since).map(shape.toText);
    },
    async disconnect() {
      provider.disconnect();
      provider.destroy();
    },
  };
};
