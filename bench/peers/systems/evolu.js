/**
 * Evolu: rows of a table, each change sealed, kept by a relay that cannot read them. The full peer is the relay and the device that wrote into it; the other is
 * a device of the same owner. Evolu's workers have no adapters for Node.js yet: here they talk over real message channels, as in a browser, but in one thread.
 */
import { mkdirSync } from 'node:fs';
import {
  AppName,
  createAppOwner,
  createBroadcastChannel,
  createConsole,
  createConsoleStoreOutput,
  createEvolu,
  createOwnerSecret,
  createOwnerWebSocketTransport,
  createQueryBuilder,
  createRandomBytes,
  createWebSocket,
  id,
  NonEmptyString1000,
} from '@evolu/common';
import { createEvoluDeps, initSharedWorker, startDbWorker } from '@evolu/common/local-first';
import { createBetterSqliteDriver, createRelayDeps, createRun, startRelay } from '@evolu/nodejs';
import Database from 'better-sqlite3';

/** @type {import('../system.ts').Facts} */
export const facts = {
  title: 'Evolu and its relay',
  packages: ['@evolu/common', '@evolu/nodejs', 'better-sqlite3'],
  checks_signature: 'no (there are none; whoever has the key of the owner writes as the owner)',
  seals: 'yes, on the wire and at the relay; plain in the SQLite file of a device',
  stored: 'committed to SQLite with a rollback journal and synchronous=FULL: fsynced',
  between: 'relay and the device that wrote, and another device of the owner; WebSocket; one row per message',
};

const RELAY = 'relay';
const Schema = { message: { id: id('Message'), text: NonEmptyString1000 } };
const createQuery = createQueryBuilder(Schema);
const count_query = createQuery((db) =>
  db.selectFrom('message').select((it) => it.fn.countAll().as('count')),
);

/** Evolu's port around a real one. */
const createMessagePort = (native) => ({
  native,
  postMessage: (message, transfer) => native.postMessage(message, transfer),
  set onMessage(handler) {
    native.onmessage = handler && (({ data }) => handler(data));
  },
  [Symbol.dispose]: () => native.close(),
});

function createMessageChannel() {
  const { port1, port2 } = new MessageChannel();
  return {
    port1: createMessagePort(port1),
    port2: createMessagePort(port2),
    [Symbol.dispose]: () => port1.close(),
  };
}

function createWorker(start) {
  const { port1, port2 } = createMessageChannel();
  start(port2);
  return port1;
}

function createSharedWorker(start) {
  const { port1, port2 } = createMessageChannel();
  const self = { onConnect: null, [Symbol.dispose]: () => {} };
  start(self);
  self.onConnect(port2);
  return { port: port1, [Symbol.dispose]: () => port1[Symbol.dispose]() };
}

/** A device of the owner, not yet connected. Files go to the working directory, as Evolu has it. */
async function openDevice(folder, secret) {
  mkdirSync(folder, { recursive: true });
  process.chdir(folder);
  const output = createConsoleStoreOutput();
  const platform = {
    console: createConsole({ level: 'silent', output }),
    consoleStoreOutputEntry: output.entry,
    createBroadcastChannel,
    createMessageChannel,
    createMessagePort,
    createSqliteDriver: createBetterSqliteDriver,
    createWebSocket,
    lockManager: navigator.locks,
    reloadApp: () => {},
  };
  const run = createRun(platform);
  const deps = createEvoluDeps({
    ...platform,
    createDbWorker: () => createWorker((self) => void run(startDbWorker(self))),
    sharedWorker: createSharedWorker((self) => void run(initSharedWorker(self))),
  });
  const owner = createAppOwner(secret);
  const config = { appName: AppName.orThrow('peer'), appOwner: owner, transports: [] };
  const evolu = await createRun(deps).orThrow(createEvolu(Schema, config));
  return {
    evolu,
    /** Connects to a relay; gives back what ends that. */
    use: (port) =>
      evolu.useOwner(owner, [
        createOwnerWebSocketTransport({ url: `ws://127.0.0.1:${port}`, ownerId: owner.id }),
      ]),
  };
}

/** @type {import('../system.ts').System['openFull']} */
export async function openFull(folder) {
  const secret = createOwnerSecret({ randomBytes: createRandomBytes() });
  const { evolu, use } = await openDevice(folder, secret);
  const insert = (text) =>
    new Promise((resolve) => evolu.insert('message', { text }, { onComplete: () => resolve(undefined) }));
  let appended = 0;
  let port;
  return {
    ticket: { secret: Buffer.from(secret).toString('hex') },
    async fill(texts) {
      appended += texts.length;
      await Promise.all(texts.map(insert));
    },
    async append(text) {
      appended++;
      await insert(text);
    },
    async listen() {
      const relay = await createRun(createRelayDeps()).orThrow(
        startRelay({ port: 0, name: RELAY, isOwnerWithinQuota: () => true }),
      );
      port = relay.port;
      return port;
    },
    async share() {
      const leave = use(port);
      const db = new Database(`${RELAY}.db`, { readonly: true });
      const held = db.prepare('SELECT count(*) AS held FROM evolu_message');
      while (held.get().held < appended) await new Promise((resolve) => setTimeout(resolve, 50));
      db.close();
      leave();
    },
  };
}

/** @type {import('../system.ts').System['openEmpty']} */
export async function openEmpty(folder, ticket) {
  const { evolu, use } = await openDevice(folder, Uint8Array.from(Buffer.from(ticket.secret, 'hex')));
  let leave;
  return {
    async connect(port) {
      leave = use(port);
    },
    async until(count) {
      let unsubscribe;
      await new Promise((resolve) => {
        unsubscribe = evolu.subscribeQuery(count_query)(() => {
          if (evolu.getQueryRows(count_query)[0]?.count >= count) resolve(undefined);
        });
        void evolu.loadQuery(count_query);
      });
      unsubscribe();
    },
    async texts(since) {
      // By text, since these begin with their number: many rows have the same millisecond.
      const query = createQuery((db) =>
        db.selectFrom('message').select('text').orderBy('text').limit(1_000_000).offset(since),
      );
      return (await evolu.loadQuery(query)).map(({ text }) => text);
    },
    async disconnect() {
      leave();
    },
  };
}
