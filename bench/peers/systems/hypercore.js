/** Hypercore: an append-only log of one writer; the reader checks the writer's signed tree. Two logs joined over a TCP stream, no swarm. */
import { connect as connectTcp, createServer } from 'node:net';
import Hypercore from 'hypercore';
import { listenOn } from '../listen.ts';

/** @type {import('../system.ts').Facts} */
export const facts = {
  title: 'Hypercore',
  packages: ['hypercore', 'hypercore-storage', 'rocksdb-native'],
  checks_signature: 'no: one of the head of the tree whenever it grows; each block by its hash in that tree',
  seals: 'no (blocks are stored and sent as they are; the connection is encrypted)',
  stored: 'in the write-ahead log of RocksDB, not fsynced',
  between: 'writer and reader, one core, replicate() over TCP',
};

/** @type {import('../system.ts').System['openFull']} */
export async function openFull(folder) {
  const core = new Hypercore(folder);
  await core.ready();
  return {
    ticket: { key: core.key.toString('hex') },
    async fill(texts) {
      await core.append(texts.map((text) => Buffer.from(text)));
    },
    async append(text) {
      await core.append(Buffer.from(text));
    },
    listen: () => listenOn(createServer((socket) => join(core, socket, false))),
  };
}

/** @type {import('../system.ts').System['openEmpty']} */
export async function openEmpty(folder, ticket) {
  const core = new Hypercore(folder, Buffer.from(/** @type {string} */ (ticket.key), 'hex'));
  await core.ready();
  core.download({ start: 0, end: -1 });
  /** @type {import('node:net').Socket | undefined} */
  let socket;
  return {
    async connect(port) {
      socket = connectTcp(port, '127.0.0.1');
      join(core, socket, true);
    },
    async until(count) {
      await new Promise((resolve) => {
        const look = () => {
          if (core.contiguousLength < count) return;
          core.off('download', look);
          resolve(undefined);
        };
        core.on('download', look);
        look();
      });
    },
    async texts(since) {
      const blocks = core.createReadStream({ start: since, end: core.contiguousLength });
      const texts = [];
      for await (const block of blocks) texts.push(block.toString());
      return texts;
    },
    async disconnect() {
      const closed = new Promise((resolve) => socket?.once('close', resolve));
      socket?.destroy();
      await closed;
    },
  };
}

function join(core, socket, is_initiator) {
  socket.setNoDelay(true);
  const stream = core.replicate(is_initiator);
  stream.on('error', () => {}); // the other side goes away at the end of a run
  socket.on('error', () => {});
  stream.pipe(socket).pipe(stream);
}
