/** Who may be connected to a node, and for how long: over real handshakes, with an engine that only says who belongs. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Random } from '../core/clock.ts';
import type { Engine, IdentityRow } from '../core/engine.ts';
import type { AfterCommit } from '../core/outcome.ts';
import type { Connection, Transport } from '../core/transport.ts';
import { randomBytes } from '../crypto/bytes.ts';
import { signerFromSeed } from '../crypto/sign.ts';
import { memoryNetwork } from '../transport/memory.ts';
import {
  type LocalDevice,
  type SecureSession,
  secureInitiator,
  secureResponder,
} from '../transport/noise.ts';
import { NAMED_MAX, SILENT_MAX } from './half-open.ts';
import { Inboxes } from './inboxes.ts';
import { GUESTS_MAX, SESSIONS_MAX, Sessions } from './sessions.ts';
import type { AddressHints } from './targets.ts';

const random: Random = { bytes: randomBytes };
const network_id = new Uint8Array(32).fill(1);
const device = (seed: number, network: Uint8Array = network_id): LocalDevice => ({
  network_id: network,
  signer: signerFromSeed(
    Uint8Array.from({ length: 32 }, (_, at) => (at < 2 ? (seed >> (8 * at)) & 255 : 77)),
  ),
});
const node = device(1);
const other_node = device(2, new Uint8Array(32).fill(2));
const idOf = (local: LocalDevice) => local.signer.public_key.toHex();
const moment = () => new Promise((resolve) => setTimeout(resolve, 20));

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Knows who belongs, and writes down what it is told. */
class StubEngine {
  rows: IdentityRow[] = [node, other_node].map((local, index) => ({
    identity: index + 1,
    network_id: local.network_id.toHex(),
    device_id: idOf(local),
    slot: index + 1,
  }));
  readonly members = new Set<string>();
  readonly removed = new Set<string>();
  peers: { device_id: string; address: string }[] = [];
  storage_fails = false;
  /** While a commit hands over what follows from it, nobody may ask anything. */
  is_committing = false;
  readonly told: string[] = [];
  readonly received: { device_id: string; bytes: number }[] = [];

  /** Each look finds that something was committed, unless that is taken back. */
  readonly pipeline = {
    still: false,
    at: 0,
    get commits() {
      return this.still ? this.at : ++this.at;
    },
  };
  asked_for_peers = 0;

  identities = () => this.#asked(this.rows);
  identity = (identity: number) => this.#asked(this.rows.find((row) => row.identity === identity) ?? null);
  query = (name: string, { device_id = '' }: { device_id?: string }, identity: number) => {
    const rows: Record<string, readonly unknown[]> = {
      get_peers_to_dial: identity === 1 ? this.peers : [],
      is_member: this.members.has(device_id) ? [{ device_id }] : [],
      is_removed_device: this.removed.has(device_id) ? [{ device_id }] : [],
    };
    if (name === 'get_peers_to_dial') this.asked_for_peers += 1;
    if (this.storage_fails && name === 'is_removed_device') throw new Error('the disk is full');
    return this.#asked(rows[name] ?? []);
  };
  instruct = (
    _identity: number,
    _host: string,
    _type: string,
    body: { device_id: string; state: string },
  ) => {
    if (this.storage_fails) throw new Error('the disk is full');
    this.#asked(null);
    this.told.push(`${body.state} ${body.device_id}`);
  };
  receive = (_identity: number, session: { device_id: string }, frame: Uint8Array) => {
    this.received.push({ device_id: session.device_id, bytes: frame.length });
  };

  #asked<T>(answer: T): T {
    if (this.is_committing) throw new Error('asked amid a commit');
    return answer;
  }
}

const running: Sessions[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((sessions) => sessions.close()));
});

/** A node that accepts, and dials what its engine says; `now` is its clock. */
async function started(transport?: Transport, hints?: AddressHints) {
  const network = memoryNetwork();
  const engine = new StubEngine();
  const clock = { now_ms: 0 };
  const log: { event: string; details: Record<string, unknown> }[] = [];
  const soon: (() => void)[] = [];
  const sessions = new Sessions({
    engine: engine as unknown as Engine,
    transport: transport ?? network.transport('node'),
    hints,
    clock: { wall_ms: () => clock.now_ms, monotonic_ms: () => clock.now_ms },
    random,
    timers: {
      set: (run, delay_ms) => {
        const timer = setTimeout(run, delay_ms);
        return () => clearTimeout(timer);
      },
      soon: (run) => soon.push(run),
    },
    deviceOf: (identity) => (identity === 1 ? node : other_node),
    log: (event, details) => log.push({ event, details }),
  });
  running.push(sessions);
  const address = await sessions.listen('node:0');
  const outside = network.transport('outside');

  /** A connection whose end is written down. */
  const opened = async () => {
    const record = { connection: await outside.dial(address, { timeout_ms: 1_000 }), is_closed: false };
    record.connection.on_close = () => {
      record.is_closed = true;
    };
    return record;
  };
  const connected = async (from: LocalDevice, to = node) => {
    const connection = await outside.dial(address, { timeout_ms: 1_000 });
    const session = await secureInitiator(connection, from, to.signer.public_key, { random });
    const record = { from, session, is_closed: false };
    session.on_close = () => {
      record.is_closed = true;
    };
    return record;
  };
  /** Does what has been put off until soon. */
  const turn = () => {
    for (const run of soon.splice(0)) run();
  };
  return { engine, sessions, clock, log, address, network, opened, connected, turn };
}

/** A connection that keeps back what is sent over it after the first message. */
function halting(connection: Connection): { connection: Connection; goOn: () => void } {
  let sent = 0;
  const kept: Uint8Array[] = [];
  return {
    connection: {
      send: (message) => (sent++ === 0 ? connection.send(message) : kept.push(message)),
      close: (reason) => connection.close(reason),
      buffered_bytes: 0,
      set on_message(receiver: (message: Uint8Array) => void) {
        connection.on_message = receiver;
      },
      set on_close(receiver: (reason: string) => void) {
        connection.on_close = receiver;
      },
    },
    goOn: () => {
      for (const message of kept.splice(0)) connection.send(message);
    },
  };
}

describe('connections without a session', () => {
  it('are bounded; of the silent ones the oldest goes, and a member gets in', async () => {
    const { opened, connected, engine, log } = await started();
    const silent = [];
    for (let count = 0; count < SILENT_MAX + 10; count++) silent.push(await opened());
    await moment();
    expect(silent.map((record) => record.is_closed)).toEqual(silent.map((_, index) => index < 10));
    const member = await connected(device(10));
    await moment();
    expect(member.is_closed).toBe(false);
    expect(engine.told).toEqual([`opened ${idOf(member.from)}`]);
    expect(silent.filter((record) => record.is_closed)).toHaveLength(11);
    // Eleven that failed, and one line, so far.
    expect(log.filter(({ event }) => event === 'handshakes_failed')).toHaveLength(1);
  });

  it('that have named one of our devices are not pushed out by such as have not', async () => {
    const { opened, address, network, engine } = await started();
    const slow = halting(await network.transport('slow').dial(address, { timeout_ms: 1_000 }));
    const member = secureInitiator(slow.connection, device(10), node.signer.public_key, { random });
    const session: SecureSession = await member; // as far as its own side knows: the last message is kept back
    for (let count = 0; count < 2 * SILENT_MAX; count++) await opened();
    slow.goOn();
    await until(() => engine.told.length > 0);
    expect(engine.told).toEqual([`opened ${idOf(device(10))}`]);
    session.close();
  });

  it('of those that have named one of our devices and prove nothing, the oldest goes', async () => {
    const { address, network, connected } = await started();
    const closed: number[] = [];
    for (let count = 0; count < NAMED_MAX + 5; count++) {
      const slow = halting(await network.transport('slow').dial(address, { timeout_ms: 1_000 }));
      const session = await secureInitiator(slow.connection, device(10), node.signer.public_key, { random });
      session.on_close = () => closed.push(count);
    }
    await moment();
    expect(closed).toEqual([0, 1, 2, 3, 4]);
    const member = await connected(device(11));
    await moment();
    expect(member.is_closed).toBe(false);
    expect(closed).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('a silent one is closed after two seconds, and one that stops later after five', async () => {
    const { opened, address, network } = await started();
    const silent = await opened();
    const slow = halting(await network.transport('slow').dial(address, { timeout_ms: 1_000 }));
    const session = await secureInitiator(slow.connection, device(10), node.signer.public_key, { random });
    let is_closed = false;
    session.on_close = () => {
      is_closed = true;
    };
    await new Promise((resolve) => setTimeout(resolve, 1_800));
    expect(silent.is_closed).toBe(false);
    await until(() => silent.is_closed);
    expect(is_closed).toBe(false);
    await until(() => is_closed);
  }, 10_000);
});

describe('sessions', () => {
  it('of guests are few, and the oldest gives way to the next', async () => {
    const { connected, engine } = await started();
    const guests = [];
    for (let count = 0; count < GUESTS_MAX + 3; count++) guests.push(await connected(device(100 + count)));
    await moment();
    expect(guests.map((guest) => guest.is_closed)).toEqual(guests.map((_, index) => index < 3));
    expect(engine.told).toContain(`closed ${idOf(guests[0]!.from)}`);
  });

  it('of guests give way to members when all places are taken; those of members never', async () => {
    const { connected, engine } = await started();
    const members = [];
    for (let count = 0; count < SESSIONS_MAX - 2; count++) {
      const from = device(1_000 + count);
      engine.members.add(idOf(from));
      members.push(await connected(from));
    }
    const guests = [await connected(device(100)), await connected(device(101))];
    await moment();
    // One of the guests has become a member since.
    engine.members.add(idOf(guests[0]!.from));
    for (const seed of [2_000, 2_001]) engine.members.add(idOf(device(seed)));
    const first = await connected(device(2_000));
    await moment();
    expect(guests.map((guest) => guest.is_closed)).toEqual([false, true]);
    expect(first.is_closed).toBe(false);
    const second = await connected(device(2_001));
    const guest = await connected(device(102));
    await moment();
    expect([second.is_closed, guest.is_closed]).toEqual([true, true]);
    expect([...members, guests[0]!, first].filter((record) => record.is_closed)).toEqual([]);
    // A device that comes again takes its own place.
    const again = await connected(first.from);
    await moment();
    expect([first.is_closed, again.is_closed]).toEqual([true, false]);
  }, 20_000);

  it('with a device that was removed are refused, and the engine hears nothing of them', async () => {
    const { connected, engine } = await started();
    engine.removed.add(idOf(device(10)));
    const removed = await connected(device(10));
    await until(() => removed.is_closed);
    expect(engine.told).toEqual([]);
  });

  it('with a device that is removed end with the commit that says so, and only those', async () => {
    const { connected, engine, sessions, log } = await started();
    const [kept, removed] = [await connected(device(10)), await connected(device(11))];
    const elsewhere = await connected(device(11, other_node.network_id), other_node);
    await moment();
    engine.removed.add(idOf(device(11)));
    const effects: AfterCommit[] = [{ effect: 'standing_changed', identity: 1 }];
    engine.is_committing = true;
    sessions.send(effects);
    engine.is_committing = false;
    await until(() => removed.is_closed);
    await moment();
    expect([kept.is_closed, elsewhere.is_closed]).toEqual([false, false]);
    expect(engine.told).toContain(`closed ${idOf(device(11))}`);
    expect(log.at(-1)).toMatchObject({
      event: 'session_closed',
      details: { reason: 'removed', identity: 1 },
    });
    sessions.endRemoved(2);
    await until(() => elsewhere.is_closed);
  });

  it('F3: with a device that is removed end later, where the storage fails at that moment', async () => {
    const { connected, engine, sessions, log } = await started();
    const removed = await connected(device(10));
    await moment();
    engine.removed.add(idOf(device(10)));
    engine.storage_fails = true;
    sessions.send([{ effect: 'standing_changed', identity: 1 }]);
    await until(() => log.some(({ event }) => event === 'removed_not_ended'));
    expect(removed.is_closed).toBe(false);
    engine.storage_fails = false;
    sessions.look();
    await until(() => removed.is_closed);
  });

  it('are looked for anew when something was committed, and after a minute, since addresses run out; else nothing is asked', async () => {
    const { engine, sessions, clock } = await started();
    engine.pipeline.still = true;
    sessions.look();
    const before = engine.asked_for_peers;
    for (let looks = 0; looks < 5; looks++) sessions.look();
    expect(engine.asked_for_peers).toBe(before);
    engine.pipeline.at += 1;
    sessions.look();
    expect(engine.asked_for_peers).toBeGreaterThan(before);
    const then = engine.asked_for_peers;
    clock.now_ms += 60_001;
    sessions.look();
    expect(engine.asked_for_peers).toBeGreaterThan(then);
  });

  it('of an identity that is gone end, and it is neither dialed nor answered any more', async () => {
    const dialed: string[] = [];
    const from = device(10);
    const network = memoryNetwork();
    const inner = network.transport('node');
    const transport: Transport = {
      listen: (address, on_connection) => inner.listen(address, on_connection),
      dial: (address, options) => {
        dialed.push(address);
        return inner.dial(address, options);
      },
    };
    const { engine, sessions, clock, address } = await started(transport);
    const outside = network.transport('outside');
    const connect = async () =>
      secureInitiator(await outside.dial(address, { timeout_ms: 1_000 }), from, node.signer.public_key);
    let is_closed = false;
    (await connect()).on_close = () => {
      is_closed = true;
    };
    engine.peers = [{ device_id: idOf(device(20)), address: 'nobody:1' }];
    sessions.look();
    await moment();
    expect(dialed).toHaveLength(1);

    engine.rows = engine.rows.filter((row) => row.identity !== 1);
    clock.now_ms += 60_000;
    sessions.look();
    await until(() => is_closed);
    await expect(connect()).rejects.toMatchObject({ code: 'closed_by_peer' });
    expect(dialed).toHaveLength(1);
    expect(engine.told).toEqual([`opened ${idOf(device(10))}`]); // there is nobody to tell of its end
  });

  it('with an identity that goes during the handshake do not begin', async () => {
    const { engine, network, address } = await started();
    const slow = halting(await network.transport('slow').dial(address, { timeout_ms: 1_000 }));
    const session = await secureInitiator(slow.connection, device(10), node.signer.public_key, { random });
    let is_closed = false;
    session.on_close = () => {
      is_closed = true;
    };
    engine.rows = [];
    slow.goOn();
    await until(() => is_closed);
    expect(engine.told).toEqual([]);
  });

  it('with an identity that goes while it dials do not begin either', async () => {
    const { engine, sessions, network, connected, log } = await started();
    const listener = await network.transport('far').listen('far:0', (connection) => {
      engine.rows = engine.rows.filter((row) => row.identity !== 1);
      void secureResponder(connection, () => [device(20)]).catch(() => null);
    });
    engine.peers = [{ device_id: idOf(device(20)), address: listener.address }];
    sessions.look();
    await moment();
    await connected(device(10, other_node.network_id), other_node);
    await moment();
    expect(engine.told).toEqual([`opened ${idOf(device(10))}`]);
    expect(log.filter(({ event }) => event === 'session_opened')).toHaveLength(1);
  });

  it('that the engine could not be told of do not stand in the way of the next', async () => {
    const { engine, connected } = await started();
    engine.storage_fails = true;
    const first = await connected(device(10));
    await until(() => first.is_closed);
    engine.storage_fails = false;
    const second = await connected(device(10));
    await until(() => engine.told.includes(`opened ${idOf(device(10))}`));
    expect(second.is_closed).toBe(false);
  });

  it('F3: whose end could not be written are ended once that can be: else all would be sent to one that nobody hears', async () => {
    const { engine, sessions, connected, log } = await started();
    const first = await connected(device(10));
    await until(() => engine.told.includes(`opened ${idOf(device(10))}`));
    engine.storage_fails = true;
    first.session.close('gone');
    await until(() => log.some(({ event }) => event === 'session_close_failed'));
    expect(engine.told).not.toContain(`closed ${idOf(device(10))}`);
    engine.storage_fails = false;
    sessions.look();
    expect(engine.told).toContain(`closed ${idOf(device(10))}`);
  });
});

describe('dialing', () => {
  it('forgets peers that are not to be dialed any more, and how often they failed', async () => {
    const { engine, sessions, clock, log } = await started();
    const peer = { device_id: idOf(device(20)), address: 'nobody:1' };
    const failed = () => log.filter(({ event }) => event === 'dial_failed').length;
    engine.peers = [peer];
    for (let attempt = 0; attempt < 8; attempt++) {
      clock.now_ms += 60_000;
      sessions.look();
      await moment();
    }
    expect(failed()).toBe(1); // told once; and the pause is at its longest now
    sessions.look();
    engine.peers = [];
    sessions.look();
    engine.peers = [peer];
    sessions.look();
    await moment();
    expect(failed()).toBe(2);
  });

  it('waits longer and longer for a peer that hangs up at once', async () => {
    const { engine, sessions, clock, network } = await started();
    let accepted = 0;
    const listener = await network.transport('far').listen('far:0', (connection) => {
      void secureResponder(connection, () => [device(20)]).then((session) => session.close());
      accepted += 1;
    });
    engine.peers = [{ device_id: idOf(device(20)), address: listener.address }];
    for (let seconds = 0; seconds < 120; seconds++) {
      clock.now_ms += 1_000;
      sessions.look();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(accepted).toBeGreaterThan(5);
    expect(accepted).toBeLessThan(25);
  });
});

describe('a hint where a peer may be', () => {
  /** A node that looks for device 20; whoever is at the hint shows another device, or the right one. */
  async function hinted(answers_as: LocalDevice) {
    const told: string[] = [];
    const at: string[] = [];
    const { engine, sessions, clock, log, network } = await started(undefined, {
      seek: (seekers) => told.push(`seeks as ${seekers.map(({ device_id }) => device_id.slice(0, 4))}`),
      addressesOf: (identity) => (identity === 1 ? at : []),
      failed: (_identity, _device_id, address) => told.push(`failed ${address}`),
      reached: (_identity, _device_id, address) => told.push(`reached ${address}`),
    });
    let accepted = 0;
    const listener = await network.transport('near').listen('near:0', (connection) => {
      accepted += 1;
      secureResponder(connection, () => [answers_as]).catch(() => {});
    });
    engine.peers = [{ device_id: idOf(device(20)), address: 'nobody:1' }];
    at.push(listener.address);
    const look = async () => {
      clock.now_ms += 60_000;
      sessions.look();
      await moment();
    };
    const dials = () => accepted;
    return { look, engine, log, told, dials, address: listener.address };
  }

  it('leads to a session if the peer is there', async () => {
    const { look, engine, told, address } = await hinted(device(20));
    await look();
    await look();
    expect(engine.told).toEqual([`opened ${idOf(device(20))}`]);
    expect(told).toContain(`reached ${address}`);
    expect(told[0]).toBe(`seeks as ${engine.rows.map(({ device_id }) => device_id.slice(0, 4))}`);
  });

  it('makes nobody the peer: another device that answers there gets no session, and no line of the log', async () => {
    const { look, engine, log, told, dials, address } = await hinted(device(21));
    for (let times = 0; times < 5; times++) await look();
    expect(dials()).toBe(4);
    expect(engine.told).toEqual([]);
    expect(told).toContain(`failed ${address}`);
    expect(told).not.toContain(`reached ${address}`);
    expect(log.filter(({ details }) => details.address === address)).toEqual([]);
    expect(log.filter(({ event }) => event === 'dial_failed')).toHaveLength(1);
  });
});

describe('frames that wait', () => {
  const MB = 1024 * 1024;

  it('of one peer are bounded, and its session ends', async () => {
    const { connected, engine, turn } = await started();
    const [busy, other] = [await connected(device(10)), await connected(device(11))];
    const frame = new Uint8Array(4 * MB - 1024);
    for (let count = 0; count < 8; count++) busy.session.send(frame);
    other.session.send(new Uint8Array(3));
    await moment();
    expect(busy.is_closed).toBe(false);
    busy.session.send(new Uint8Array(1));
    await until(() => busy.is_closed);
    turn();
    expect(engine.received).toEqual([{ device_id: idOf(other.from), bytes: 3 }]);
  });

  it('of all peers together are bounded; whoever sent most goes first', async () => {
    const { connected, turn, engine } = await started();
    const frame = new Uint8Array(4 * MB - 1024);
    const peers: Awaited<ReturnType<typeof connected>>[] = [];
    for (let count = 0; count < 6; count++) peers.push(await connected(device(10 + count)));
    // 6 x 20 MB, and two more of 4 MB: 128 MB. One byte more, and it is not its sender who goes.
    for (const { session } of peers) for (let count = 0; count < 5; count++) session.send(frame);
    await moment();
    peers[2]!.session.send(frame);
    peers[2]!.session.send(frame);
    await moment();
    expect(peers.filter((peer) => peer.is_closed)).toEqual([]);
    peers[3]!.session.send(new Uint8Array(1));
    await until(() => peers[2]!.is_closed);
    peers[0]!.session.send(frame); // there is room again
    await moment();
    expect(peers.map((peer) => peer.is_closed)).toEqual([false, false, true, false, false, false]);
    for (let count = 0; count < 7; count++) turn();
    expect(engine.received).toHaveLength(5 * 5 + 2);
    expect(engine.received.slice(0, 5).map(({ device_id }) => device_id)).toEqual(
      [0, 1, 3, 4, 5].map((index) => idOf(peers[index]!.from)),
    );
  });

  it('count as more than their bytes, and what was ended takes no room', () => {
    const soon: (() => void)[] = [];
    const over: string[] = [];
    const taken: string[] = [];
    const inboxes: Inboxes<string> = new Inboxes({
      soon: (run) => soon.push(run),
      takeIn: (owner) => {
        taken.push(owner);
        if (owner === 'a') inboxes.remove('b');
      },
      overflows: (owner) => {
        over.push(owner);
        inboxes.remove(owner);
      },
    });
    const tiny = new Uint8Array(1);
    let count = 0;
    for (; over.length === 0; count++) inboxes.add('flood', tiny);
    expect(count).toBeLessThan(33_000);
    for (const owner of ['a', 'b', 'c']) inboxes.add(owner, tiny);
    expect(soon).toHaveLength(1);
    soon.shift()?.();
    expect(taken).toEqual(['a', 'c']);
    expect(soon).toHaveLength(0);
  });
});
