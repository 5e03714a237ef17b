/**
 * A real node under a flood of connections from strangers, each kind as nasty as it can be: a member comes back meanwhile, is let in, and
 * memory stays bounded.
 */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Connection } from '../core/transport.ts';
import { signerFromSeed } from '../crypto/sign.ts';
import { secureInitiator } from '../transport/noise.ts';
import { freePort, NodeProcess, until } from './process.ts';

const nodes: NodeProcess[] = [];
const floods: Flood[] = [];
afterEach(async () => {
  for (const flood of floods.splice(0)) flood.stop();
  await Promise.all(nodes.splice(0).map((node) => node.end('SIGKILL')));
});

const UPGRADE = [
  'GET / HTTP/1.1',
  'Host: 127.0.0.1',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  `Sec-WebSocket-Key: ${'A'.repeat(22)}==`,
  '\r\n',
].join('\r\n');

/** A binary message as a WebSocket client sends it, masked with zeros. `length`: what it claims to have. */
function message(payload: Uint8Array, length = payload.length): Buffer {
  const head = Buffer.alloc(14);
  head.set([0x82, 0x80 | 127]);
  head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}

/** Opens `per_wave` connections to a node every `WAVE_MS` until it is stopped, and lets go of none by itself. */
const WAVE_MS = 100;
class Flood {
  opened = 0;
  readonly #sockets = new Set<Socket>();
  readonly #timer: NodeJS.Timeout;

  constructor(listen: string, per_wave: number, bytes: readonly (string | Uint8Array)[]) {
    const port = Number(listen.slice(listen.lastIndexOf(':') + 1));
    const wave = () => {
      for (let index = 0; index < per_wave; index++) {
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => undefined);
        socket.on('close', () => this.#sockets.delete(socket));
        socket.on('connect', () => {
          this.opened += 1;
          for (const part of bytes) socket.write(part);
        });
        socket.resume();
        this.#sockets.add(socket);
      }
    };
    this.#timer = setInterval(wave, WAVE_MS);
    wave();
    floods.push(this);
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** What somebody who knows a network's id says first to one of its devices. The same one again is as good as a fresh one. */
async function firstMessage(network_id: string, device_id: string): Promise<Uint8Array> {
  let first: Uint8Array | null = null;
  const connection: Connection = {
    send: (sent) => {
      first ??= sent;
    },
    close: () => undefined,
    buffered_bytes: 0,
    on_message: () => undefined,
    on_close: () => undefined,
  };
  const local = {
    network_id: Uint8Array.fromHex(network_id),
    signer: signerFromSeed(new Uint8Array(32).fill(9)),
  };
  await secureInitiator(connection, local, Uint8Array.fromHex(device_id), { timeout_ms: 1 }).catch(
    () => null,
  );
  return first ?? new Uint8Array(0);
}

/** Resident memory of a process in MB: now, and at its highest. Zeros where the system does not tell. */
function memoryOf(pid: number): { now: number; highest: number } {
  if (process.platform !== 'linux') return { now: 0, highest: 0 };
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return { now: kilobytes('VmRSS') / 1024, highest: kilobytes('VmHWM') / 1024 };
}

/** Garbage in the largest frame that a member could send. */
const LARGE = Buffer.alloc(4 * 1024 * 1024, 1);

/** How many a wave, and what each says: from who knows nothing but the address to who knows the network. */
const KINDS: Record<string, readonly [number, (first: Uint8Array) => readonly (string | Uint8Array)[]]> = {
  'are not even WebSockets': [300, () => []],
  'send nothing': [300, () => [UPGRADE]],
  'send garbage': [300, () => [UPGRADE, message(new Uint8Array(97).fill(1))]],
  // Of each, all but the last byte: the message is never whole, and nobody ever gets to see it.
  'send most of a large first message': [60, () => [UPGRADE, message(LARGE.subarray(1), LARGE.length)]],
  'send one message that names the node, then nothing': [200, (first) => [UPGRADE, message(first)]],
};

/** Far below what the floods would take if they were let: 60 large messages in each of ten waves alone are 2.4 GB. */
const MEMORY_MB_MAX = 250;
/** Two rounds of sync (three seconds apart), on a busy machine. A dial that is kept out takes for ever. */
const BACK_MS_MAX = 12_000;

describe('under a flood of connections', () => {
  it.each(Object.entries(KINDS))(
    'that %s, a member gets in, and memory is bounded',
    async (_that, [per_wave, says]) => {
      const alice = new NodeProcess(`127.0.0.1:${await freePort()}`);
      const bob = new NodeProcess(`127.0.0.1:${await freePort()}`);
      nodes.push(alice, bob);
      const { listen, pid } = await alice.start();
      await bob.start();
      const { network_id, device_id } = await alice.ask<{ network_id: string; device_id: string }>(
        'POST',
        '/networks',
        { name: 'Home', as: 'alice' },
      );
      const { link } = await alice.ask<{ link: string }>('POST', '/invites', { uses: 1 });
      await bob.ask('POST', '/join', { link, as: 'bob' });
      // Bob comes back under another address, so that Alice cannot be the one who dials.
      await bob.end('SIGKILL');
      const back = new NodeProcess('127.0.0.1:0', { data: bob.data });
      nodes.push(back);
      await alice.ask('POST', '/messages', { channel: 'general', text: 'missed' });
      const before = memoryOf(pid);

      const flood = new Flood(listen, per_wave, says(await firstMessage(network_id, device_id)));
      await until('the flood has risen', () => flood.opened > per_wave * 10);
      await back.start();
      await until(
        'Bob has what he missed',
        async () => (await back.ask<unknown[]>('GET', '/messages?channel=general')).length === 1,
        BACK_MS_MAX,
      );
      await back.ask('POST', '/messages', { channel: 'general', text: 'back' });
      await until(
        'Alice has what he answers',
        async () => (await alice.ask<unknown[]>('GET', '/messages?channel=general')).length === 2,
        BACK_MS_MAX,
      );
      await until(
        'there were 2,000 of them, or ten waves',
        () => flood.opened > Math.min(2_000, per_wave * 20),
      );
      const after = memoryOf(pid);
      expect(after.highest - before.now).toBeLessThan(MEMORY_MB_MAX);
      flood.stop();
      // The session outlasts the flood, and those who failed did not become as many lines in the log.
      await alice.ask('POST', '/messages', { channel: 'general', text: 'after' });
      await until(
        'the session goes on',
        async () => (await back.ask<unknown[]>('GET', '/messages?channel=general')).length === 3,
      );
      expect(alice.output.split('\n').length).toBeLessThan(100);
    },
  );
});
