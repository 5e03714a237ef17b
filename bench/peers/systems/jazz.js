/**
 * Jazz, in whatever shape the messages have. Two devices of one account: the full one also is the sync server that the other one connects to, as `jazz-run sync`
 * does it. Not a system by itself: `jazz-list.js` and `jazz-map.js` are.
 */

import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { getSqliteStorage } from 'cojson';
import { createWebSocketPeer } from 'cojson-transport-ws';
import {
  createJazzContextForNewAccount,
  createJazzContextFromExistingCredentials,
  Group,
  MockSessionProvider,
} from 'jazz-tools';
import { NapiCrypto } from 'jazz-tools/napi';
import { WebSocket, WebSocketServer } from 'ws';
import { listenOn } from '../listen.ts';

export const common_facts = {
  packages: ['jazz-tools', 'cojson', 'better-sqlite3'],
  seals: 'yes (each transaction under the key of its group)',
  stored:
    'in the write-ahead log of SQLite, not fsynced (WAL and synchronous=NORMAL, as better-sqlite3 sets it)',
};

/**
 * @typedef {object} Shape
 * @property {any} Messages the schema of the list
 * @property {object} resolve how deep the list is to be loaded
 * @property {(text: string, owner: any) => any} toItem
 * @property {(item: any) => string} toText
 */

/** As the published driver of Jazz for better-sqlite3 does it, but that statements are kept. */
function openStorage(folder) {
  mkdirSync(folder, { recursive: true });
  const db = new Database(join(folder, 'jazz.db'));
  db.pragma('journal_mode = WAL');
  const statements = new Map();
  const prepare = (sql) => {
    if (!statements.has(sql)) statements.set(sql, db.prepare(sql));
    return statements.get(sql);
  };
  return getSqliteStorage({
    run: (sql, params) => prepare(sql).run(params),
    query: (sql, params) => prepare(sql).all(params),
    get: (sql, params) => prepare(sql).get(params),
    transaction: (callback) => db.transaction(callback)(),
    closeDb: () => db.close(),
  });
}

/** @returns {import('../system.ts').System['openFull']} */
export const openFullAs =
  (/** @type {Shape} */ { Messages, toItem }) =>
  async (folder) => {
    const crypto = await NapiCrypto.create();
    const initialAgentSecret = crypto.newRandomAgentSecret();
    const { node, account } = await createJazzContextForNewAccount({
      creationProps: { name: 'Alice' },
      initialAgentSecret,
      peers: [],
      crypto,
      storage: openStorage(folder),
      sessionProvider: new MockSessionProvider(),
    });
    const owner = Group.create({ owner: account });
    const list = Messages.create([], { owner });
    const stored = (value) => node.syncManager.waitForStorageSync(value.$jazz.id);
    const append = async (text) => {
      const item = toItem(text, owner);
      list.$jazz.push(item);
      if (typeof item === 'object') await stored(item);
      await stored(list);
    };
    let peers = 0;
    return {
      ticket: { account: account.$jazz.id, secret: initialAgentSecret, list: list.$jazz.id },
      async fill(texts) {
        for (const text of texts) await append(text);
      },
      append,
      async listen() {
        await node.syncManager.waitForAllCoValuesSync();
        const http = createServer();
        new WebSocketServer({ server: http }).on('connection', (websocket) =>
          node.syncManager.addPeer(
            createWebSocketPeer({
              id: `client ${++peers}`,
              role: 'client',
              websocket,
              expectPings: false,
              batchingByDefault: false,
              deletePeerStateOnClose: true,
            }),
          ),
        );
        return listenOn(http);
      },
    };
  };

/** @returns {import('../system.ts').System['openEmpty']} */
export const openEmptyAs =
  (/** @type {Shape} */ { Messages, resolve, toText }) =>
  async (folder, ticket) => {
    const crypto = await NapiCrypto.create();
    const storage = openStorage(folder);
    let node;
    let list;
    let look = () => {};
    let websocket;

    const peerAt = (port) => {
      websocket = new WebSocket(`ws://127.0.0.1:${port}`);
      return createWebSocketPeer({ id: 'server', role: 'server', websocket, expectPings: false });
    };
    /** Signs in: the account comes from the peers given, or from the storage. */
    const open = async (peers) => {
      ({ node } = await createJazzContextFromExistingCredentials({
        credentials: { accountID: ticket.account, secret: ticket.secret },
        peers,
        crypto,
        storage,
        sessionProvider: new MockSessionProvider(),
        asActiveAccount: true,
      }));
      await new Promise((loaded) => {
        Messages.subscribe(ticket.list, { resolve }, (value) => {
          list = value;
          loaded(undefined);
          look();
        });
      });
    };
    const disconnect = async () => {
      const closed = new Promise((resolve) => websocket.once('close', resolve));
      websocket.close();
      await closed;
    };
    return {
      async join(port) {
        await open([peerAt(port)]);
        await disconnect();
      },
      async connect(port) {
        node.syncManager.addPeer(peerAt(port));
      },
      async until(count) {
        await new Promise((resolve) => {
          look = () => list.length >= count && resolve(undefined);
          look();
        });
        await node.syncManager.waitForStorageSync(ticket.list);
      },
      async texts(since) {
        if (node === undefined) await open([]);
        return [...list].slice(since).map(toText);
      },
      disconnect,
    };
  };
