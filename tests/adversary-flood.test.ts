/**
 * Mallory is a member, and sends what never ends: events that wait for what does not exist, chains deeper than any stack, facts without number.
 * Alice's node, in a process of its own, goes on answering; Bob still has his place in her queues.
 */
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { encodeBody } from '../core/body-codec.ts';
import type { Id } from '../core/fields.ts';
import { encodeEventItem, encodeFrame } from '../core/frame-codec.ts';
import { limits } from '../core/limits.ts';
import { ANSWER_MS, dial, Peer } from './adversary.ts';
import { allIsWell, type Home, home, tearDown, Watch } from './adversary-home.ts';
import { type Forged, forge, headerBy, plaintextOf, signerOf, typeNamed, unknownKey } from './hostile.ts';
import { until } from './process.ts';
import { systemRandom, type TestNode } from './support.ts';
import { World } from './world.ts';

afterEach(tearDown);

/** Resident memory of a process at its highest, in MB; 0 where the system does not tell. */
function highestOf(pid: number): number {
  if (process.platform !== 'linux') return 0;
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1024;
}

/** Far above what a thousand events that wait take, far below what the floods would if they were let. */
const MEMORY_MB_MAX = 300;

/** What Mallory sends comes in while Alice is asked again and again. Returns how long the slowest answer took. */
async function underFlood(
  { alice, line }: Home,
  items: readonly Uint8Array[],
  counter: string,
  least: number,
): Promise<void> {
  const before = highestOf(alice.process.pid);
  const watch = new Watch(alice);
  // A member that does not wait for answers is hung up on at 32 MB: this one is not so easily caught.
  for (let at = 0; at < items.length; at += 4_000) {
    line.say(...items.slice(at, at + 4_000));
    await line.flushed();
    await alice.counts(counter, Math.min(least, Math.max(0, at - limits.waiting_per_author_max)), 30_000);
  }
  await alice.counts(counter, least, 60_000);
  expect(await watch.stop()).toBeLessThan(ANSWER_MS);
  expect(watch.answers).toBeGreaterThan(2);
  expect(highestOf(alice.process.pid) - before).toBeLessThan(MEMORY_MB_MAX);
  expect(line.closed).toBeNull();
}

/** Something of Bob's that has to wait still finds a place, and is shown when what it waits for comes. */
async function bobMayWait({ alice, bob }: Home): Promise<void> {
  bob.leave();
  const [channel_id] = bob.run('create_channel', { name: 'corner' });
  const said = bob.event(bob.say('late, but here', channel_id!));
  const line = await dial(alice.whom, bob.signer);
  line.say(encodeEventItem(said));
  await until('it waits', async () => (await alice.standing(said.event_id)) === 'waiting: key_missing');
  await bob.meet(alice.whom);
  await alice.shows('late, but here', 'corner');
}

const admission = (peer: Peer, joiner_id: Id): Forged => peer.inClear('admit', { joiner_id });

/** Grants of Mallory's, who is an admin, to herself, each by the right of the one before, all of them valid. */
function adminsChain(seed: number, length: number) {
  const world = new World({ seed });
  const alice = world.found('alice');
  for (const name of ['bob', 'mallory']) world.join('alice', name);
  const user_id = world.userOf('mallory', 'alice');
  alice.engine.command('grant_right', 1, { user_id, right: 'admin' });
  world.gather();
  const me = signerOf(world.node('mallory'));
  const rights = () => alice.query<{ grant_id: Id }>('get_rights', { user_id: null });
  let basis_id = rights()[0]!.grant_id;
  const chain = Array.from({ length }, (_, at) => {
    const place = { type: 'grant', seq: 1_000 + at, created_ms: world.clock.wall };
    const body = encodeBody(typeNamed('grant'), { user_id, right: 'admin', basis_id });
    const made = forge(headerBy(me, world.network_id, place), body, me);
    basis_id = made.event_id;
    return made.item;
  });
  const session = { session_id: 's', device_id: world.device('mallory') };
  const hear = (items: readonly Uint8Array[]) => alice.engine.receive(1, session, encodeFrame(items));
  return { world, alice, hear, chain, grants: () => rights().length };
}

describe('a flood of what waits', () => {
  it('F18: 20,000 events that miss events or keys leave room for others, and time for everything', async () => {
    const all = await home();
    const { alice, mallory } = all;
    const channel_id = mallory.channel('general');
    const key = unknownKey(mallory.network_id, channel_id, systemRandom.bytes(32));
    const items = Array.from({ length: 20_000 }, (_, at) =>
      at % 2 === 0
        ? admission(mallory, systemRandom.bytes(32).toHex()).item
        : mallory.sealed(plaintextOf('message', { channel_id, text: `${at}` }), { key }).item,
    );
    const rejected = items.length - limits.waiting_per_author_max;
    await underFlood(all, items, 'rejected:waiting_quota_of_author', rejected);
    const waiting = await alice.waiting();
    expect(waiting).toEqual({ dependency_missing: 500, key_missing: 500 });
    await bobMayWait(all);
    await allIsWell(all);
  }, 120_000);

  it('F18: a chain of 100,000, its end first, is bounded by the same quota', async () => {
    const all = await home();
    const { alice, mallory } = all;
    const chain: Uint8Array[] = [];
    let joiner_id = systemRandom.bytes(32).toHex();
    for (let depth = 0; depth < 100_000; depth++) {
      const made = admission(mallory, joiner_id);
      joiner_id = made.event_id;
      chain.push(made.item);
    }
    chain.reverse();
    const rejected = chain.length - limits.waiting_per_author_max;
    await underFlood(all, chain, 'rejected:waiting_quota_of_author', rejected);
    expect(await alice.waiting()).toEqual({ dependency_missing: limits.waiting_per_author_max });
    await bobMayWait(all);
    await allIsWell(all);
  }, 120_000);

  it('F18: a chain within the quota is taken up in one go, however deep', () => {
    const { world, alice, hear, chain, grants } = adminsChain(18, limits.waiting_per_author_max + 1);
    const before = grants();
    hear(chain.slice(1).reverse());
    expect(world.waiting('alice')).toEqual({ dependency_missing: limits.waiting_per_author_max });
    hear(chain.slice(0, 1));
    expect(world.waiting('alice')).toEqual({});
    expect(grants()).toBe(before + chain.length);
    const counted = [...alice.engine.pipeline.counters.keys()];
    expect(counted.filter((name) => name.startsWith('failed'))).toEqual([]);
    world.close();
  });

  it('S17: an admin who grants and grants is removed as soon as anybody', () => {
    const { world, alice, hear, chain } = adminsChain(23, 1_200);
    hear(chain);
    const began = performance.now();
    alice.engine.command('remove_user', 1, { user_id: world.userOf('mallory'), group_id: null });
    expect(performance.now() - began).toBeLessThan(ANSWER_MS);
    expect(alice.query('is_removed_device', { device_id: world.device('mallory') })).toHaveLength(1);
    world.close();
  });

  it('F18, S17: strangers without number, each within its own quota, do not take the room of members', () => {
    const world = new World({ seed: 19 });
    world.found('alice');
    for (const name of ['bob', 'mallory']) world.join('alice', name);
    world.gather();
    const alice = world.node('alice');
    // As many as may wait, as if 64 each of 1,563 strangers had come: it takes half a minute to sign them all.
    alice.db
      .prepare(
        `WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < :most)
         INSERT INTO waiting (identity, id, author, group_id, seq, rule, missing, received_ms, expires_ms, header, signature, body)
         SELECT 1, randomblob(32), CAST(substr(hex(n / 64) || hex(zeroblob(32)), 1, 32) AS BLOB), NULL, 1, 'author_not_a_member', 1, :now_ms, 9007199254740991, x'', x'', x'' FROM n`,
      )
      .run({ most: limits.waiting_per_network_max / 2, now_ms: world.clock.wall });
    const session = { session_id: 's', device_id: world.device('bob') };
    const stranger = new World({ seed: 20 });
    stranger.found('eve');
    const unknown = signerOf(stranger.node('eve'));
    const by = (signer: typeof unknown) =>
      forge(
        headerBy(signer, world.network_id, { type: 'admit', seq: 900, created_ms: world.clock.wall }),
        encodeBody(typeNamed('admit'), { joiner_id: systemRandom.bytes(32).toHex() }),
        signer,
      ).item;
    alice.engine.receive(1, session, encodeFrame([by(unknown), by(signerOf(world.node('bob')))]));
    expect(alice.engine.pipeline.counters.get('rejected:waiting_quota_of_network')).toBe(1);
    expect(world.waiting('alice')).toMatchObject({ dependency_missing: 1 });
    stranger.close();
    world.close();
  });
});

describe('a flood of what counts', () => {
  it('S17: facts that are true a thousand times over do not stop a node in which somebody was removed', async () => {
    const all = await home();
    const { alice, mallory, line } = all;
    const eve = new Peer('eve');
    await eve.join(await alice.invite(), alice.whom);
    await alice.process.ask('DELETE', `/members/${eve.user_id}`);
    eve.leave();
    const items = Array.from({ length: 1_500 }, () => admission(mallory, all.bob.user_id));
    const watch = new Watch(alice);
    line.say(...items.map(({ item }) => item));
    await line.flushed();
    const last = items.at(-1)!.event_id;
    await until('all have come', async () => (await alice.standing(last)) === 'valid', 60_000);
    expect(await watch.stop()).toBeLessThan(ANSWER_MS);
    await allIsWell(all);
  }, 120_000);

  it('S17: more facts than one query may return do not keep anybody from being removed', () => {
    const world = new World({ seed: 21 });
    world.found('alice');
    for (const name of ['bob', 'eve', 'mallory']) world.join('alice', name);
    world.gather();
    const alice = world.node('alice');
    // Admissions of Bob, again and again: each is valid, and Mallory may say it.
    many(alice, 'admit', world.device('mallory'));
    alice.db
      .prepare(
        "INSERT INTO admit (event, joiner) SELECT e.n, (SELECT n FROM event WHERE id = :joiner) FROM event e WHERE e.type = 'admit' AND e.seq > 1000",
      )
      .run({ joiner: Uint8Array.fromHex(world.userOf('bob', 'alice')) });
    alice.engine.command('remove_user', 1, { user_id: world.userOf('eve', 'alice'), group_id: null });
    expect(alice.query('is_removed_device', { device_id: world.device('eve') })).toHaveLength(1);
    world.close();
  });

  it('S17: more channels than one query may return do not keep anybody from reading', () => {
    const world = new World({ seed: 22 });
    world.found('alice');
    for (const name of ['bob', 'mallory']) world.join('alice', name);
    world.gather();
    const alice = world.node('alice');
    many(alice, 'channel', world.device('mallory'));
    alice.db
      .prepare("INSERT INTO channel (event) SELECT n FROM event WHERE type = 'channel' AND seq > 1000")
      .run();
    expect(alice.query('get_channels')).toContainEqual(expect.objectContaining({ name: 'general' }));
    world.close();
  });
});

/** As if a member had said a little more than a query returns: to sign that much takes half a minute. */
function many({ db, clock }: TestNode, type: string, author: Id): void {
  db.prepare(
    `WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < :most)
     INSERT INTO event (identity, id, type, author, seq, created_ms, expires_ms, header, signature, body)
     SELECT 1, randomblob(32), :type, :author, 1000 + n, :now_ms, 9007199254740991, x'00', x'00', x'a0' FROM n`,
  ).run({ most: limits.query_rows_max + 1, type, author: Uint8Array.fromHex(author), now_ms: clock.wall });
}
