/** Sessions between Alice and Bob, and what Eve may try between them or as one of them. */

import NoiseState from 'noise-handshake';
import { afterEach, describe, expect, test } from 'vitest';
import type { Random } from '../core/clock.ts';
import type { Connection, Listener, Transport } from '../core/transport.ts';
import { blake2b256, keyedHash } from '../crypto/hash.ts';
import { signerFromSeed } from '../crypto/sign.ts';
import { memoryNetwork } from './memory.ts';
import { type LocalDevice, type SecureSession, secureInitiator, secureResponder } from './noise.ts';
import { recorded, settle } from './transport.contract.ts';
import { websocketTransport } from './websocket.ts';

const network_id = new Uint8Array(32).fill(1);
const other_network_id = new Uint8Array(32).fill(2);
const device = (seed: number, network = network_id): LocalDevice => ({
  network_id: network,
  signer: signerFromSeed(new Uint8Array(32).fill(seed)),
});
const alice = device(10);
const bob = device(11);
const eve = device(12);
const key = (local: LocalDevice) => local.signer.public_key;
const text = (value: string) => new TextEncoder().encode(value);
const code = (value: string) => expect.objectContaining({ code: value });
const closed_early = expect.objectContaining({
  code: expect.stringMatching(/^(closed_by_peer|connection_lost)$/),
});

/** Hands out a counter's hashes: the same bytes in every run. */
function repeatable(seed: number): Random {
  let count = 0;
  return {
    bytes(length) {
      count += 1;
      return blake2b256(new Uint8Array([seed, count])).slice(0, length);
    },
  };
}

/** What Eve makes of the messages that one side sends; `number` counts from 0. */
type Tamper = (message: Uint8Array, number: number) => Uint8Array[];

function tampered(connection: Connection, tamper: Tamper): Connection {
  let number = 0;
  return {
    send(message) {
      for (const changed of tamper(message, number++)) connection.send(changed);
    },
    close: (reason) => connection.close(reason),
    get buffered_bytes() {
      return connection.buffered_bytes;
    },
    set on_message(receiver: (message: Uint8Array) => void) {
      connection.on_message = receiver;
    },
    set on_close(receiver: (reason: string) => void) {
      connection.on_close = receiver;
    },
  };
}

function recordedSession(session: SecureSession) {
  const record = {
    session,
    frames: [] as Uint8Array[],
    reasons: [] as string[],
    async until(condition: () => boolean) {
      while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
    },
  };
  session.on_frame = (frame) => record.frames.push(frame);
  session.on_close = (reason) => record.reasons.push(reason);
  return record;
}

const transports: Record<string, () => { transport: Transport; address: string }> = {
  memory: () => ({ transport: memoryNetwork().transport('node'), address: 'node:0' }),
  websocket: () => ({ transport: websocketTransport(), address: '127.0.0.1:0' }),
};

describe.each(Object.keys(transports))('noise over %s', (name) => {
  const listeners: Listener[] = [];
  afterEach(async () => {
    for (const listener of listeners.splice(0)) await listener.close();
  });

  /** A connection, as both ends see it. */
  async function link(): Promise<[Connection, Connection]> {
    const { transport, address } = transports[name]!();
    const { promise, resolve } = Promise.withResolvers<Connection>();
    const listener = await transport.listen(address, resolve);
    listeners.push(listener);
    return [await transport.dial(listener.address, { timeout_ms: 2000 }), await promise];
  }

  interface Attempt {
    from?: LocalDevice;
    wanted?: Uint8Array;
    identities?: LocalDevice[];
    tamper_near?: Tamper;
    tamper_far?: Tamper;
    randoms?: [Random, Random];
  }

  /** Both sides of a handshake, however it ends. */
  async function attempt({ from = alice, wanted = key(bob), identities = [bob], ...eves }: Attempt = {}) {
    const [near, far] = await link();
    const options = (side: 0 | 1) => ({
      timeout_ms: 500,
      ...(eves.randoms ? { random: eves.randoms[side] } : {}),
    });
    const untouched: Tamper = (message) => [message];
    return Promise.allSettled([
      secureInitiator(tampered(near, eves.tamper_near ?? untouched), from, wanted, options(0)),
      secureResponder(tampered(far, eves.tamper_far ?? untouched), () => identities, options(1)),
    ]);
  }

  async function joined(options: Attempt = {}) {
    const [near, far] = await attempt(options);
    if (near.status === 'rejected') throw near.reason;
    if (far.status === 'rejected') throw far.reason;
    return { near: recordedSession(near.value), far: recordedSession(far.value) };
  }

  const refused = (near: unknown, far: unknown) => [
    { status: 'rejected', reason: near },
    { status: 'rejected', reason: far },
  ];

  describe('a handshake', () => {
    test('leaves both sides agreeing on devices, network and transcript', async () => {
      const others = [eve, device(11, other_network_id), device(13)];
      const { near, far } = await joined({ identities: [...others, bob] });
      expect(near.session.local_device).toEqual(key(alice));
      expect(near.session.remote_device).toEqual(key(bob));
      expect(far.session.local_device).toEqual(key(bob));
      expect(far.session.remote_device).toEqual(key(alice));
      expect(far.session.network_id).toEqual(network_id);
      expect(near.session.network_id).toEqual(network_id);
      expect(near.session.handshake_hash).toHaveLength(64);
      expect(near.session.handshake_hash).toEqual(far.session.handshake_hash);
    });

    test('is another one each time, and the same with the same randomness', async () => {
      const hash = async (randoms?: [Random, Random]) =>
        (await joined(randoms ? { randoms } : {})).near.session.handshake_hash;
      const same = () => [repeatable(1), repeatable(2)] as [Random, Random];
      expect(await hash(same())).toEqual(await hash(same()));
      expect(await hash()).not.toEqual(await hash());
    });

    test('fails without an answer for who does not know the network', async () => {
      let answers = 0;
      const tamper_far: Tamper = (message) => {
        answers += 1;
        return [message];
      };
      const outcome = await attempt({ from: device(10, other_network_id), tamper_far });
      expect(outcome).toEqual(refused(closed_early, code('unknown_hint')));
      expect(answers).toBe(0);
    });

    /** A first message made here by hand, as the wire format says, and what Bob makes of it. */
    async function firstMessage(psk: Uint8Array, forged: { prologue?: Uint8Array } = {}) {
      const salt = new Uint8Array(16).fill(9);
      const hint = keyedHash(network_id, 'sotto hint v1', salt, key(bob));
      const opening = new Uint8Array([1, ...salt, ...hint]);
      const noise = new NoiseState('XXpsk0', true, eve.signer.dh_keypair(), { psk });
      noise.initialise(forged.prologue ?? opening);
      const [near, far] = await link();
      const record = recorded(near);
      const answered = secureResponder(far, () => [bob], { timeout_ms: 500 });
      near.send(new Uint8Array([...opening, ...noise.send()]));
      return { near, record, noise, answered };
    }
    const network_psk = keyedHash(network_id, 'sotto noise psk v1');

    test('is Noise XXpsk0 with the network’s key and the first 49 bytes as prologue', async () => {
      const { near, record, noise, answered } = await firstMessage(network_psk);
      await record.messageCount(1);
      expect(Uint8Array.from(noise.recv(record.messages[0]!))).toEqual(key(bob));
      near.send(noise.send(key(eve)));
      expect((await answered).remote_device).toEqual(key(eve));
      expect((await answered).handshake_hash).toEqual(Uint8Array.from(noise.hash!));
    });

    test.each([
      ['knows a hint but not the network', keyedHash(other_network_id, 'sotto noise psk v1'), {}],
      ['knows a hint and guesses no key', new Uint8Array(32), {}],
      ['has bound nothing to the first bytes', network_psk, { prologue: new Uint8Array(0) }],
    ])('fails at the first message, without an answer, for who %s', async (_name, psk, forged) => {
      const { record, answered } = await firstMessage(psk, forged);
      await expect(answered).rejects.toEqual(code('bad_handshake'));
      await record.closed();
      expect(record.messages).toEqual([]);
    });

    test('fails when nobody at the other end is the wanted device', async () => {
      expect(await attempt({ wanted: key(eve) })).toEqual(refused(closed_early, code('unknown_hint')));
    });

    test('fails when another member answers in the wanted device’s place', async () => {
      // Eve is a member, so she can compute Bob's hint, and answers it with her own keys.
      const eve_as_bob: LocalDevice = {
        network_id,
        signer: { ...eve.signer, public_key: key(bob) },
      };
      expect(await attempt({ identities: [eve_as_bob] })).toEqual(
        refused(code('device_mismatch'), closed_early),
      );
    });

    test('fails when the responder tells its own name instead of the wanted one', async () => {
      let asked = 0;
      const signer = { ...eve.signer };
      // Bob's key while the hint is compared, Eve's own afterwards.
      Object.defineProperty(signer, 'public_key', { get: () => (asked++ === 0 ? key(bob) : key(eve)) });
      expect(await attempt({ identities: [{ network_id, signer }] })).toEqual(
        refused(code('wrong_device'), closed_early),
      );
    });

    test('fails at the responder when the initiator names a device that it does not hold', async () => {
      const eve_as_alice: LocalDevice = { network_id, signer: { ...eve.signer, public_key: key(alice) } };
      const [near, far] = await attempt({ from: eve_as_alice });
      expect(far).toEqual({ status: 'rejected', reason: code('device_mismatch') });
      // The initiator sends last, so it learns of the refusal by the end of its session.
      expect(near.status).toBe('fulfilled');
      const session = recordedSession((near as PromiseFulfilledResult<SecureSession>).value);
      await session.until(() => session.reasons.length === 1);
      expect(session.frames).toEqual([]);
    });

    test.each([
      ['no device key', new Uint8Array(0)],
      ['a key that is no point', new Uint8Array(32).fill(255)],
      ['a small-order key', new Uint8Array(32)],
    ])('fails for %s', async (_name, public_key) => {
      const strange: LocalDevice = { network_id, signer: { ...eve.signer, public_key } };
      const [, far] = await attempt({ from: strange });
      expect(far).toEqual({ status: 'rejected', reason: code('device_mismatch') });
    });

    test('fails for every changed byte of every message', async () => {
      const flip =
        (at: number, in_message: number): Tamper =>
        (message, number) => {
          if (number !== in_message) return [message];
          const changed = message.slice();
          changed[at]! ^= 1;
          return [changed];
        };
      const step = name === 'memory' ? 1 : 16;
      for (let at = 0; at < 97; at += step) {
        const [, far] = await attempt({ tamper_near: flip(at, 0) });
        expect(far.status).toBe('rejected');
      }
      for (let at = 0; at < 128; at += step) {
        const [near] = await attempt({ tamper_far: flip(at, 0) });
        expect(near).toEqual({ status: 'rejected', reason: code('bad_handshake') });
      }
      for (let at = 0; at < 96; at += step) {
        const [, far] = await attempt({ tamper_near: flip(at, 1) });
        expect(far).toEqual({ status: 'rejected', reason: code('bad_handshake') });
      }
    });

    test.each([
      ['nothing at all', new Uint8Array(0), 'unknown_version'],
      ['another version', new Uint8Array(97).fill(2), 'unknown_version'],
      ['only a version', new Uint8Array([1]), 'unknown_hint'],
      ['garbage', new Uint8Array(97).fill(1), 'unknown_hint'],
      ['too much', new Uint8Array(513).fill(1), 'bad_handshake'],
    ])('fails without an answer for a first message of %s', async (_name, message, reason) => {
      const [near, far] = await link();
      const record = recorded(near);
      const answered = secureResponder(far, () => [bob]);
      near.send(message);
      await expect(answered).rejects.toEqual(code(reason));
      await record.closed();
      expect(record.messages).toEqual([]);
    });

    test('a first message seen before gives no session to who repeats it', async () => {
      let first: Uint8Array | null = null;
      const tamper_near: Tamper = (message) => {
        first ??= message;
        return [message];
      };
      await joined({ tamper_near });
      const [near, far] = await link();
      const record = recorded(near);
      const answered = secureResponder(far, () => [bob], { timeout_ms: 100 });
      near.send(first!);
      await record.messageCount(1);
      near.send(first!.subarray(0, 96));
      await expect(answered).rejects.toEqual(code('bad_handshake'));
    });

    test('that stops half-way closes the connection at the timeout', async () => {
      const outcome = await attempt({ tamper_near: (message, number) => (number === 0 ? [message] : []) });
      expect(outcome[1]).toEqual({ status: 'rejected', reason: code('handshake_timeout') });

      const [near, far] = await link();
      const record = recorded(near);
      await expect(secureResponder(far, () => [bob], { timeout_ms: 30 })).rejects.toEqual(
        code('handshake_timeout'),
      );
      await record.closed();

      const [silent_near, silent_far] = await link();
      const silent = recorded(silent_far);
      const dialled = secureInitiator(silent_near, alice, key(bob), { timeout_ms: 30 });
      await expect(dialled).rejects.toEqual(code('handshake_timeout'));
      await silent.closed();
    });

    test('what breaks in looking up identities comes out as it is', async () => {
      const [near, far] = await link();
      const dialled = secureInitiator(near, alice, key(bob), { timeout_ms: 500 });
      const answered = secureResponder(far, () => {
        throw new RangeError('the lookup is broken');
      });
      await expect(answered).rejects.toThrow(RangeError);
      await expect(dialled).rejects.toEqual(closed_early);
    });
  });

  describe('a session', () => {
    test('carries frames both ways, an empty one and one of 1 MiB too, none of it readable', async () => {
      const seen: Uint8Array[] = [];
      const { near, far } = await joined({
        tamper_near: (message) => {
          seen.push(message);
          return [message];
        },
      });
      const large = new Uint8Array(2 ** 20).fill(42);
      for (const frame of [text('a readable frame'), new Uint8Array(0), large]) near.session.send(frame);
      far.session.send(text('an answer'));
      await far.until(() => far.frames.length === 3);
      await near.until(() => near.frames.length === 1);
      expect(far.frames[0]).toEqual(text('a readable frame'));
      expect(far.frames[1]).toHaveLength(0);
      expect(Buffer.from(far.frames[2]!).equals(large)).toBe(true);
      expect(near.frames).toEqual([text('an answer')]);
      expect(Buffer.concat(seen).includes('readable')).toBe(false);
      expect(Buffer.concat(seen).includes(key(alice))).toBe(false);
      expect(Buffer.concat(seen).includes(network_id)).toBe(false);
    });

    test('holds frames that come before anyone listens', async () => {
      const [near, far] = await link();
      const dialled = secureInitiator(near, alice, key(bob)).then((session) => {
        for (let number = 0; number < 50; number += 1) session.send(new Uint8Array([number]));
        return session;
      });
      const answered = await secureResponder(far, () => [bob]);
      await dialled;
      await settle();
      const late = recordedSession(answered);
      await late.until(() => late.frames.length === 50);
      expect(late.frames.map((frame) => frame[0])).toEqual(Array.from({ length: 50 }, (_, number) => number));
    });

    test('ends when nobody ever listens and too much is held', async () => {
      const [near, far] = await link();
      const dialled = secureInitiator(near, alice, key(bob));
      const answered = await secureResponder(far, () => [bob]);
      const session = recordedSession(await dialled);
      for (let number = 0; number < 1025; number += 1) session.session.send(new Uint8Array(1));
      await session.until(() => session.reasons.length === 1);
      const late = recordedSession(answered);
      await late.until(() => late.reasons.length === 1);
      expect(late.reasons).toEqual(['held_too_much']);
    });

    test('is closed once, on both sides, after the frames before', async () => {
      const { near, far } = await joined();
      near.session.send(text('last words'));
      near.session.close('had_enough');
      near.session.send(text('too late'));
      await far.until(() => far.reasons.length === 1);
      far.session.close();
      await settle();
      expect(near.reasons).toEqual(['had_enough']);
      expect(far.reasons).toEqual(['closed_by_peer']);
      expect(far.frames).toEqual([text('last words')]);
    });

    test('refuses a frame above the limit, and goes on', async () => {
      const { near, far } = await joined();
      expect(() => near.session.send(new Uint8Array(4 * 2 ** 20 + 1))).toThrow(code('frame_too_large'));
      near.session.send(text('small'));
      await far.until(() => far.frames.length === 1);
    });

    // The initiator's messages 0 and 1 are the handshake's; frames 'a', 'b' and 'c' are 2, 3 and 4.
    let kept: Uint8Array;
    const attacks: Record<string, { tamper: Tamper; arrives: string[] }> = {
      'a changed bit': {
        tamper: (message, number) => {
          if (number === 3) message[0]! ^= 1;
          return [message];
        },
        arrives: ['a'],
      },
      'a changed tag': {
        tamper: (message, number) => {
          if (number === 3) message[message.length - 1]! ^= 128;
          return [message];
        },
        arrives: ['a'],
      },
      'a dropped frame': { tamper: (message, number) => (number === 3 ? [] : [message]), arrives: ['a'] },
      'swapped frames': {
        tamper: (message, number) => {
          if (number === 2) kept = message;
          if (number === 2) return [];
          return number === 3 ? [message, kept] : [message];
        },
        arrives: [],
      },
      'a repeated frame': {
        tamper: (message, number) => (number === 3 ? [message, message] : [message]),
        arrives: ['a', 'b'],
      },
      'a shortened frame': {
        tamper: (message, number) => [number === 3 ? message.subarray(0, message.length - 1) : message],
        arrives: ['a'],
      },
      'an empty message': {
        tamper: (message, number) => (number === 3 ? [new Uint8Array(0), message] : [message]),
        arrives: ['a'],
      },
      'an inserted frame': {
        tamper: (message, number) => (number === 3 ? [new Uint8Array(17), message] : [message]),
        arrives: ['a'],
      },
    };
    test.each(Object.entries(attacks))('ends at %s', async (_name, { tamper, arrives }) => {
      const { near, far } = await joined({ tamper_near: tamper });
      for (const frame of ['a', 'b', 'c']) near.session.send(text(frame));
      await far.until(() => far.reasons.length === 1);
      await near.until(() => near.reasons.length === 1);
      await settle();
      expect(far.reasons).toEqual(['bad_frame']);
      expect(near.reasons).toEqual(['closed_by_peer']);
      expect(far.frames).toEqual(arrives.map(text));
    });

    test('ends at its own frame sent back', async () => {
      const [near, far] = await link();
      const dialled = secureInitiator(near, alice, key(bob));
      let mirrored = false;
      const mirror = tampered(far, (message) => [message]);
      const answered = secureResponder(mirror, () => [bob]);
      const session = recordedSession(await dialled);
      await answered;
      far.on_message = (message) => {
        mirrored = true;
        far.send(message);
      };
      session.session.send(text('a'));
      await session.until(() => session.reasons.length === 1);
      expect(mirrored).toBe(true);
      expect(session.reasons).toEqual(['bad_frame']);
      expect(session.frames).toEqual([]);
    });
  });
});
