/**
 * What the removed, or a thief of their key, say afterwards takes nothing from anybody: neither in the network nor in a private group, whatever rights
 * they had, whoever removed them, and in whatever order it is heard of. Stories with real engines; each is told to somebody who was away, in every
 * order.
 */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../core/frame-codec.ts';
import type { Facts } from '../protocols/quiet/rules/facts.ts';
import { judgeFacts } from '../protocols/quiet/rules/standing.ts';
import { openNodeSqlite } from '../storage/node-sqlite.ts';
import { openedDb, seededRandom, TestNode, temporaryFolder } from './support.ts';
import { eventItems, World } from './world.ts';

/** Orders in which somebody hears of a story at the most: all of them where there are fewer. */
const ORDERS_MAX = 24;

/** A network in which Olga is away: she hears of everything afterwards, in any order. */
class Story extends World {
  readonly admins: string[] = [];
  #known = new Set<string>();
  #before = '';

  constructor(seed: number, ...names: string[]) {
    super({ seed });
    this.found('alice');
    for (const name of [...names, 'olga']) this.join('alice', name);
    this.gather();
  }

  /** Olga goes, and hears nothing of what follows. */
  olgaGoes(): void {
    this.#before = join(temporaryFolder(), 'olga.db');
    this.node('olga').db.prepare('VACUUM INTO :path').all({ path: this.#before });
    for (const node of this.nodes.values())
      for (const id of eventItems(node).items.keys()) this.#known.add(id);
    this.node('olga').db.close();
    this.nodes.delete('olga');
  }

  grant(by: string, to: string, right = 'admin'): void {
    this.clock.pass(10);
    this.node(by).engine.command('grant_right', 1, { user_id: this.userOf(to, by), right });
    this.gather();
  }

  /** Returns the event. */
  remove(by: string, whom: string, group_id: string | null = null): string {
    this.clock.pass(10);
    const input = { user_id: this.userOf(whom, 'alice'), group_id };
    return this.node(by).engine.command('remove_user', 1, input).event_ids[0] ?? '';
  }

  removeDevice(by: string, device: string): string {
    this.clock.pass(10);
    const input = { device_id: this.device(device) };
    return this.node(by).engine.command('remove_device', 1, input).event_ids[0] ?? '';
  }

  group(by: string, ...members: string[]): string {
    const member_ids = members.map((name) => this.userOf(name, by));
    const made = this.node(by).engine.command('create_group', 1, { name: 'plans', member_ids });
    this.gather();
    return made.event_ids[0] ?? '';
  }

  closeGroups(...names: string[]): void {
    for (const name of names) this.runJob(name, 'close_groups_job');
  }

  /** Brings to some what one has said, by hands that refuse nobody's words. */
  bring(from: string, event_ids: readonly string[], to: readonly string[]): void {
    const { items } = eventItems(this.node(from));
    for (const name of to) for (const id of event_ids) hear(this.node(name), items.get(id) as Uint8Array);
  }

  /** Who of these is in the network (or in a group), as each of the others sees it, and as Olga does in every order. All must agree. */
  inside(names: readonly string[], seen_by: readonly string[], group_id: string | null = null): string[] {
    const of = (node: TestNode) =>
      names.filter((name) => isInside(node, this.device(name), group_id)).join(' ');
    const seen = new Set(seen_by.map((name) => of(this.node(name))));
    for (const items of this.#orders()) {
      const path = join(temporaryFolder(), 'olga.db');
      copyFileSync(this.#before, path);
      const db = openedDb(path, openNodeSqlite);
      db.exec('PRAGMA synchronous = OFF');
      const olga = new TestNode({ clock: this.clock, db, random: seededRandom(5) });
      for (const item of items) hear(olga, item);
      seen.add(of(olga));
      db.close();
    }
    return [...seen];
  }

  #orders(): Uint8Array[][] {
    if (this.#before === '') return [];
    const items = new Map<string, Uint8Array>();
    for (const node of this.nodes.values())
      for (const [id, item] of eventItems(node).items) if (!this.#known.has(id)) items.set(id, item);
    const all = [...items.values()];
    if (all.length <= 4) return permutations(all);
    const random = seededRandom(this.seed);
    const shuffle = () =>
      all.map((item) => ({ item, key: random.bytes(6).toHex() })).sort((a, b) => (a.key < b.key ? -1 : 1));
    const shuffled = Array.from({ length: ORDERS_MAX - 2 }, () => shuffle().map(({ item }) => item));
    return [all, all.toReversed(), ...shuffled];
  }
}

function permutations<T>(all: readonly T[]): T[][] {
  if (all.length <= 1) return [[...all]];
  return all.flatMap((one, at) => permutations(all.toSpliced(at, 1)).map((rest) => [one, ...rest]));
}

/** As from somebody whom nobody knows, and so refuses. */
const hear = (node: TestNode, item: Uint8Array) =>
  node.engine.receive(1, { session_id: 'by hand', device_id: 'ab'.repeat(32) }, encodeFrame([item]));

function isInside(node: TestNode, device_id: string, group_id: string | null): boolean {
  if (group_id === null) return node.query('is_removed_device', { device_id }).length === 0;
  const rows = node.all(
    `SELECT 1 FROM current_group_device WHERE hex(device) = '${device_id.toUpperCase()}' AND hex(group_id) = '${group_id.toUpperCase()}'`,
  );
  return rows.length > 0;
}

const DAY_MS = 86_400_000;

describe('S12, F11: whoever removes a device of their own, or leaves', () => {
  it.each([
    ['a phone, by the first device', 'bob', 'phone'],
    ['the first device, by a phone', 'phone', 'bob'],
  ])(
    "the thief of an admin's device that its owner has removed (%s) removes nobody",
    (_what, owner, stolen) => {
      const story = new Story(1, 'bob', 'carol', 'mallory');
      story.grant('alice', 'bob');
      story.link('bob', 'phone');
      story.gather();
      story.olgaGoes();
      story.removeDevice(owner, stolen);
      story.gather(['alice', 'carol', 'mallory', owner]);
      story.clock.pass(DAY_MS);
      story.bring(stolen, [story.remove(stolen, 'carol')], ['alice', 'carol']);
      expect(story.inside(['carol', owner, stolen], ['alice', 'carol'])).toEqual([`carol ${owner}`]);
    },
  );

  it('nor does somebody to whom the thief gives rights', () => {
    const story = new Story(2, 'bob', 'carol', 'mallory');
    story.grant('alice', 'bob');
    story.link('bob', 'phone');
    story.gather();
    story.olgaGoes();
    story.removeDevice('bob', 'phone');
    story.gather(['alice', 'bob', 'carol']);
    const made = story
      .node('phone')
      .engine.command('grant_right', 1, { user_id: story.userOf('mallory', 'phone'), right: 'admin' });
    story.bring('phone', [made.event_ids[0] as string], ['mallory', 'alice', 'carol']);
    story.bring('mallory', [story.remove('mallory', 'carol')], ['alice', 'carol']);
    expect(story.inside(['carol', 'mallory', 'phone'], ['alice', 'carol'])).toEqual(['carol mallory']);
  });

  it('an admin who has left removes nobody', () => {
    const story = new Story(3, 'bob', 'carol');
    story.grant('alice', 'bob');
    story.olgaGoes();
    story.node('bob').engine.command('leave_network', 1, {});
    story.gather(['alice', 'bob', 'carol']);
    story.clock.pass(DAY_MS);
    story.bring('bob', [story.remove('bob', 'carol')], ['alice', 'carol']);
    expect(story.inside(['bob', 'carol'], ['alice', 'carol'])).toEqual(['carol']);
  });

  it('and what such a thief has said counts no more once somebody else removes the device, too', () => {
    const story = new Story(4, 'bob', 'carol');
    story.grant('alice', 'bob');
    story.link('bob', 'phone');
    story.gather();
    story.olgaGoes();
    story.removeDevice('bob', 'phone');
    story.gather(['alice', 'bob', 'carol']);
    story.bring('phone', [story.remove('phone', 'carol')], ['alice', 'carol']);
    // More removals, of an earlier date than the true one, than anybody lists as known.
    story.clock.pass(-5_000);
    const false_ones = Array.from({ length: 17 }, () => story.removeDevice('phone', 'phone'));
    story.bring('phone', false_ones, ['alice', 'carol']);
    story.clock.pass(5_000);
    // Alice knows of the removal, and has what the thief said since; she does not name it as something that counts.
    story.removeDevice('alice', 'phone');
    story.gather(['alice', 'carol']);
    expect(story.inside(['bob', 'carol', 'phone'], ['alice', 'carol'])).toEqual(['bob carol']);
  });

  it('an invite that such a thief takes back still lets in; what was taken back before stays so', () => {
    const story = new Story(17, 'bob', 'carol');
    story.grant('alice', 'bob');
    story.link('bob', 'phone');
    const [before, after] = [story.invite('alice'), story.invite('alice')];
    story.gather();
    const takeBack = (invite: ReturnType<Story['invite']>) =>
      story.node('phone').engine.command('take_invite_back', 1, { invite_id: invite.made.event_ids[1] })
        .event_ids[0] as string;
    takeBack(before);
    story.gather();
    story.olgaGoes();
    story.removeDevice('bob', 'phone');
    story.gather(['alice', 'bob', 'carol']);
    story.bring('phone', [takeBack(after)], ['alice', 'bob', 'carol']);
    for (const [name, invite] of [
      ['dave', after],
      ['eve', before],
    ] as const) {
      story.useInvite(invite, story.node(name));
      story.meet('alice', name);
    }
    expect(
      ['dave', 'eve'].map(
        (name) => story.node('alice').query('is_member', { device_id: story.device(name) }).length,
      ),
    ).toEqual([1, 0]);
  });

  it('what a device removed before it was removed itself stays removed', () => {
    const story = new Story(5, 'bob', 'carol', 'eve');
    story.grant('alice', 'bob');
    story.link('bob', 'phone');
    story.gather();
    story.olgaGoes();
    story.remove('phone', 'eve');
    story.gather(['alice', 'bob', 'carol', 'phone']);
    story.removeDevice('bob', 'phone');
    story.gather(['alice', 'bob', 'carol']);
    expect(story.inside(['carol', 'eve', 'phone'], ['alice', 'carol'])).toEqual(['carol']);
  });

  it('the first device answers a thief of a later one, though it knows that it was removed', () => {
    const story = new Story(6, 'bob', 'carol');
    story.link('bob', 'phone');
    story.gather();
    story.olgaGoes();
    const stolen = story.removeDevice('phone', 'bob');
    story.bring('phone', [stolen], ['alice', 'bob', 'carol']);
    expect(story.inside(['bob', 'phone'], ['alice', 'bob', 'carol'])).toEqual(['phone']);
    story.bring('bob', [story.removeDevice('bob', 'phone')], ['alice', 'carol']);
    expect(story.inside(['bob', 'phone'], ['alice', 'bob', 'carol'])).toEqual(['bob']);
  });
});

describe('S12, F11: in a private group', () => {
  it.each(['she is removed', 'she leaves'])(
    'its founder, cut off there after %s, removes nobody from it',
    (how) => {
      const story = new Story(7, 'bob', 'carol', 'dave', 'mallory');
      const group_id = story.group('carol', 'bob', 'dave', 'mallory', 'olga');
      story.olgaGoes();
      if (how === 'she leaves') {
        story.node('carol').engine.command('leave_network', 1, {});
        story.gather(['alice', 'carol', 'bob', 'dave', 'mallory']);
      } else story.remove('alice', 'carol');
      story.gather(['alice', 'bob', 'dave', 'mallory']);
      // One says where her events end; for the others that is enough.
      story.closeGroups('bob');
      story.gather(['alice', 'bob', 'dave', 'mallory']);
      expect(story.inside(['bob', 'carol'], ['bob', 'dave'], group_id)).toEqual(['bob']);
      story.clock.pass(DAY_MS);
      story.bring('carol', [story.remove('carol', 'bob', group_id)], ['bob', 'dave']);
      expect(story.inside(['bob', 'carol'], ['bob', 'dave'], group_id)).toEqual(['bob']);
      // Nor when its members look again at what they have of hers.
      story.closeGroups('bob', 'dave', 'mallory');
      story.gather(['bob', 'dave', 'mallory']);
      expect(story.inside(['bob', 'carol'], ['bob', 'dave'], group_id)).toEqual(['bob']);
    },
  );

  it.each(['is removed', 'loses the right'])('an admin who %s removes nobody from it', (how) => {
    const story = new Story(8, 'bob', 'carol', 'dave', 'mallory');
    story.grant('alice', 'carol');
    const group_id = story.group('bob', 'carol', 'dave', 'mallory', 'olga');
    story.olgaGoes();
    if (how === 'is removed') story.remove('alice', 'carol');
    else
      story
        .node('alice')
        .engine.command('revoke_right', 1, { user_id: story.userOf('carol'), right: 'admin' });
    story.gather(['alice', 'bob', 'dave', 'mallory']);
    story.closeGroups('bob');
    story.gather(['alice', 'bob', 'dave', 'mallory']);
    story.clock.pass(DAY_MS);
    story.bring('carol', [story.remove('carol', 'dave', group_id)], ['bob', 'dave', 'mallory']);
    expect(story.inside(['dave'], ['bob', 'dave'], group_id)).toEqual(['dave']);
    story.closeGroups('bob', 'dave', 'mallory');
    story.gather(['bob', 'dave', 'mallory']);
    expect(story.inside(['dave'], ['bob', 'dave'], group_id)).toEqual(['dave']);
  });

  it('somebody put out by its founder says nothing there any more about those who left the network', () => {
    const story = new Story(9, 'bob', 'carol', 'dave', 'mallory');
    const group_id = story.group('carol', 'bob', 'dave', 'mallory', 'olga');
    story.olgaGoes();
    const out = story.remove('carol', 'mallory', group_id);
    story.gather(['alice', 'bob', 'carol', 'dave']);
    const removal = story.remove('alice', 'dave');
    story.gather(['alice', 'bob', 'carol']);
    story.closeGroups('bob', 'carol');
    story.gather(['bob', 'carol']);
    const late = story.node('dave').engine.command('send_message', 1, {
      channel_id: channelOf(story, 'dave', group_id),
      text: 'late',
      ttl_ms: 0,
    }).event_ids[0] as string;
    // Mallory, who has not heard that she is out, has what Dave said since.
    story.bring('alice', [removal], ['mallory']);
    story.bring('dave', [late], ['mallory']);
    const closing = saidByJob(story, 'mallory', 'close_groups_job');
    story.bring('mallory', closing, ['bob', 'carol']);
    story.bring('dave', [late], ['bob', 'carol']);
    for (const name of ['bob', 'carol'])
      expect(story.read(name, channelOf(story, name, group_id))).toEqual([]);
    expect(story.inside(['mallory'], ['bob', 'carol'], group_id)).toEqual(['']);
    expect(out).not.toBe('');
  });
});

const channelOf = (story: Story, name: string, group_id: string) =>
  story
    .node(name)
    .query<{ channel_id: string; group_id: string | null }>('get_channels')
    .find((channel) => channel.group_id === group_id)?.channel_id ?? '';

/** The events that a job of one has written. */
function saidByJob(story: Story, name: string, job: string): string[] {
  const { until } = eventItems(story.node(name));
  story.runJob(name, job);
  return [...eventItems(story.node(name), until).items.keys()];
}

describe('S12: between admins', () => {
  /** Bob and Carol, both made admins by Alice; Bob's grant has the lower id. */
  function equals(seed: number): Story {
    const story = new Story(seed, 'bob', 'carol', 'dave', 'mallory');
    story.grant('alice', 'bob');
    story.grant('alice', 'carol');
    story.olgaGoes();
    return story;
  }

  it('whoever was removed by an equal removes nobody else', () => {
    const story = equals(10);
    story.remove('carol', 'bob');
    story.gather(['alice', 'carol', 'dave']);
    story.clock.pass(DAY_MS);
    story.bring('bob', [story.remove('bob', 'dave')], ['alice', 'carol', 'dave']);
    expect(story.inside(['bob', 'carol', 'dave'], ['alice', 'carol'])).toEqual(['carol dave']);
  });

  it('nor does whoever lost the right to one', () => {
    const story = equals(11);
    story
      .node('carol')
      .engine.command('revoke_right', 1, { user_id: story.userOf('bob', 'carol'), right: 'admin' });
    story.gather(['alice', 'carol', 'dave']);
    story.clock.pass(DAY_MS);
    story.bring('bob', [story.remove('bob', 'dave')], ['alice', 'carol', 'dave']);
    expect(story.inside(['bob', 'carol', 'dave'], ['alice', 'carol'])).toEqual(['bob carol dave']);
  });

  it('nor the one by whom they were removed, whom they show to have heard', () => {
    const story = equals(12);
    const removal = story.remove('carol', 'bob');
    story.gather(['alice', 'carol', 'dave']);
    story.bring('carol', [removal], ['bob']);
    story.clock.pass(DAY_MS);
    story.bring('bob', [story.remove('bob', 'carol')], ['alice', 'carol', 'dave']);
    expect(story.inside(['bob', 'carol', 'dave'], ['alice', 'bob', 'carol'])).toEqual(['carol dave']);
  });

  it.each([
    ['the lower grant id', ['bob', 'carol']],
    ['the higher one', ['carol', 'bob']],
  ])(
    'who has not heard of the other: %s makes no difference to when it is said',
    (_what, [first, second]) => {
      const story = equals(13);
      const removals = [story.remove(first as string, second as string)];
      story.clock.pass(DAY_MS);
      removals.push(story.remove(second as string, first as string));
      story.bring(first as string, removals.slice(0, 1), ['alice', 'dave']);
      story.bring(second as string, removals.slice(1), ['alice', 'dave']);
      expect(story.inside(['bob', 'carol'], ['alice', 'dave'])).toEqual(['bob']);
    },
  );

  it('three in a circle end alike everywhere: the first by id holds, and what that leaves', () => {
    const story = new Story(14, 'bob', 'carol', 'dave');
    for (const name of ['bob', 'carol', 'dave']) story.grant('alice', name);
    story.olgaGoes();
    story.remove('bob', 'carol');
    story.remove('carol', 'dave');
    story.remove('dave', 'bob');
    for (const name of ['bob', 'carol', 'dave']) {
      const removal = story.node(name).all("SELECT hex(id) AS id FROM event WHERE type = 'remove'")[0]?.id;
      story.bring(name, [String(removal).toLowerCase()], ['alice']);
    }
    expect(story.inside(['bob', 'carol', 'dave'], ['alice'])).toEqual(['dave']);
  });

  it('a senior who was removed by a junior removes that one in answer, and is in again', () => {
    const story = new Story(15, 'bob', 'carol', 'dave');
    story.grant('alice', 'bob');
    story.olgaGoes();
    const removal = story.remove('bob', 'alice');
    story.bring('bob', [removal], ['alice', 'carol']);
    expect(story.inside(['alice', 'bob'], ['alice', 'bob', 'carol'])).toEqual(['bob']);
    story.clock.pass(DAY_MS);
    story.bring('alice', [story.remove('alice', 'bob')], ['carol', 'dave']);
    expect(story.inside(['alice', 'bob'], ['alice', 'carol'])).toEqual(['alice']);
  });

  it('what a senior did before stays, whatever end of the chain a junior claims', () => {
    const story = new Story(16, 'bob', 'carol', 'dave', 'eve');
    story.grant('alice', 'bob');
    story.grant('bob', 'dave');
    story.olgaGoes();
    // Dave has not heard that Bob removed Eve.
    story.remove('bob', 'eve');
    story.gather(['alice', 'bob', 'carol']);
    story.bring('dave', [story.remove('dave', 'bob')], ['alice', 'carol']);
    expect(story.inside(['bob', 'carol', 'eve'], ['alice', 'carol'])).toEqual(['carol']);
  });
});

describe('S17: judging what the hostile write', () => {
  const id = (number: number) => number.toString(16).padStart(64, '0');
  const [founder, alice, bob] = [id(1), id(2), id(3)];
  const [first, ...linked] = [id(10), id(11), id(12)] as [string, string, string];
  const base: Facts = {
    founder_device: founder,
    devices: [
      { peer_id: id(20), device_id: founder, user_id: alice, is_linked: false },
      { peer_id: id(21), device_id: first, user_id: bob, is_linked: false },
      ...linked.map((device_id, at) => ({ peer_id: id(22 + at), device_id, user_id: bob, is_linked: true })),
    ],
    admissions: [
      { event_id: id(30), author: founder, joiner_id: bob },
      ...linked.map((_, at) => ({ event_id: id(31 + at), author: founder, joiner_id: id(22 + at) })),
    ],
    grants: [],
    revocations: [],
    removals: [],
    group_members: [],
    heads: new Map(),
    known: new Map(),
    is_known: () => false,
    onChain: () => new Set(),
    missing: () => [],
  };
  const EACH = 3_000;
  /** Two devices of Bob, each removing the other again and again. */
  const removals = linked.flatMap((author, of) =>
    Array.from({ length: EACH }, (_, at) => ({
      event_id: id(1_000 + 2 * at + of),
      author,
      seq: at + 1,
      group_id: null as string | null,
      user_id: bob,
      whole_user: false,
      basis_id: null,
      because_id: null as string | null,
      aimed_at: linked[1 - of] as string,
    })),
  );
  const headsOf = (of: readonly { readonly event_id: string; readonly aimed_at: string }[]) =>
    new Map(
      of.map(({ event_id, aimed_at }, at) => [
        event_id,
        new Map([[aimed_at, { seq: 5 + at, head: id(50_000 + at) }]]),
      ]),
    );
  const judged = (facts: Facts) => {
    const started = performance.now();
    const { cuts } = judgeFacts(facts);
    expect(performance.now() - started).toBeLessThan(2_000);
    return cuts;
  };

  it('thousands of removals of their own devices', () => {
    expect(judged({ ...base, removals, heads: headsOf(removals) })).toEqual([
      { device_id: linked[1], group_id: null, seq: 5, head: id(50_000) },
    ]);
  });

  it('the same once an admin has removed them', () => {
    const removal = { ...removals[0]!, event_id: id(999), author: founder, whole_user: true };
    const heads = headsOf([...removals, ...linked.map((aimed_at) => ({ ...removal, aimed_at }))]);
    heads.set(id(999), new Map());
    const cuts = judged({ ...base, removals: [...removals, removal], heads });
    expect(cuts.map(({ device_id, seq }) => [device_id, seq])).toEqual(
      [first, ...linked].map((device) => [device, 0]),
    );
  });

  it('thousands of closings in a private group, each with another end', () => {
    const group_id = id(40);
    const because_id = id(999);
    const removal = { ...removals[0]!, event_id: because_id, author: founder, whole_user: true };
    const [eve, eves_device] = [id(4), id(13)];
    const closings = removals.map((one, at) => ({
      ...one,
      seq: at + 1,
      author: eves_device,
      group_id,
      because_id,
      aimed_at: first,
    }));
    const cuts = judged({
      ...base,
      devices: [...base.devices, { peer_id: id(25), device_id: eves_device, user_id: eve, is_linked: false }],
      admissions: [...base.admissions, { event_id: id(35), author: founder, joiner_id: eve }],
      group_members: [bob, eve].map((user_id) => ({
        event_id: group_id,
        author: founder,
        group_id,
        user_id,
        creator_id: alice,
      })),
      removals: [removal, ...closings],
      heads: headsOf(closings),
    });
    // All by one, who knew of the first.
    expect(cuts).toContainEqual({ device_id: first, group_id, seq: 5, head: id(50_000) });
  });
});
