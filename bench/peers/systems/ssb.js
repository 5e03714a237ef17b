/** SSB: one feed of signed posts in ssb-db2, replicated by epidemic broadcast trees (ssb-ebt) over a secret handshake. Settings are the default ones. */

import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { listenOn } from '../listen.ts';

const require = createRequire(import.meta.url);
const SecretStack = require('secret-stack');
const caps = require('ssb-caps');
const { loadOrCreateSync } = require('ssb-keys');
const {
  and,
  author,
  paginate,
  sortByArrival,
  startFrom,
  toCallback,
  type,
  where,
} = require('ssb-db2/operators');

/** More than there are: all in one page. */
const PAGE = 1_000_000;

/** @type {import('../system.ts').Facts} */
export const facts = {
  title: 'SSB, ssb-db2 and EBT',
  packages: ['ssb-db2', 'ssb-ebt', 'secret-stack'],
  checks_signature: 'yes, and the hash chain of the feed',
  seals: 'no (public posts; the connection is encrypted)',
  stored: 'receiver: the log is written and fsynced; append: in memory, written up to 250 ms later',
  between: 'author and follower, one feed, over a secret handshake',
};

/** A port that was free a moment ago: the server tells its address with the port it was given, so that it cannot be 0. */
async function freePort() {
  const server = createServer();
  const port = await listenOn(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function open(folder) {
  const keys = loadOrCreateSync(join(folder, 'secret'));
  const port = await freePort();
  const incoming = { net: [{ scope: ['device', 'local'], transform: 'shs', host: '127.0.0.1', port }] };
  const ssb = SecretStack({ caps })
    .use(require('ssb-db2'))
    .use(require('ssb-db2/compat/ebt'))
    .use(require('ssb-ebt'))
    .call(null, {
      path: folder,
      keys,
      connections: { incoming, outgoing: { net: [{ transform: 'shs' }] } },
    });
  ssb.ebt.request(ssb.id, true);
  return { ssb, port };
}

/** @type {import('../system.ts').System['openFull']} */
export async function openFull(folder) {
  const { ssb, port } = await open(folder);
  const create = promisify(ssb.db.create);
  return {
    ticket: { id: ssb.id },
    async fill(texts) {
      for (const text of texts) await create({ content: { type: 'post', text } });
      await new Promise((resolve) => ssb.db.onDrain(resolve));
    },
    async append(text) {
      await create({ content: { type: 'post', text } });
    },
    async listen() {
      return port;
    },
  };
}

/** @type {import('../system.ts').System['openEmpty']} */
export async function openEmpty(folder, ticket) {
  const { ssb } = await open(folder);
  const id = /** @type {string} */ (ticket.id);
  let arrived = 0;
  let look = () => {};
  ssb.db.onMsgAdded(({ kvt }) => {
    if (kvt.value.author !== id) return;
    arrived = kvt.value.sequence;
    look();
  });
  ssb.ebt.request(id, true);
  let peer;
  return {
    async connect(port) {
      const key = id.slice(1, -'.ed25519'.length);
      peer = await promisify(ssb.connect)(`net:127.0.0.1:${port}~shs:${key}`);
    },
    async until(count) {
      await new Promise((resolve) => {
        look = () => arrived >= count && resolve(undefined);
        look();
      });
      await new Promise((resolve) => ssb.db.onDrain(resolve));
    },
    texts: (since) =>
      new Promise((resolve, reject) =>
        ssb.db.query(
          where(and(author(id), type('post'))),
          sortByArrival(),
          startFrom(since),
          paginate(PAGE),
          toCallback((error, answer) =>
            error ? reject(error) : resolve(answer.results.map(({ value }) => value.content.text)),
          ),
        ),
      ),
    async disconnect() {
      await promisify(peer.close)(true);
    },
  };
}
