/**
 * One story, told by the command line alone: three people, their nodes in processes of their own, from the founding of a network to its end.
 * What a person types is what is typed here; nothing looks behind the commands.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, onTestFailed } from 'vitest';
import { freePort, NodeProcess, type Ran, sotto, until } from './process.ts';

const DAY_MS = 86_400_000;
/** A month as far as prekeys go; a node that finds its clock 30 days ahead would ask first whether that is true. */
const MONTH_MS = 29 * DAY_MS;

interface Message {
  readonly message_id: string;
  readonly text: string;
  readonly author: string;
  readonly edited_ms: number | null;
  readonly reactions: readonly { readonly emoji: string; readonly count: number }[];
}
interface Member {
  readonly name: string | null;
  readonly state: string;
  readonly rights: readonly string[];
  readonly devices: number;
}
interface Channel {
  readonly channel_id: string;
  readonly name: string;
  readonly group_kind: string;
  readonly unread: number;
}
interface Key {
  readonly key_id: string;
  readonly group_name: string | null;
  readonly channel_name: string | null;
  readonly held: boolean;
  readonly devices: number;
  readonly devices_owed: number;
}
interface Peer {
  readonly device_id: string;
  readonly user_name: string | null;
  readonly connected: boolean;
  readonly is_this_device: boolean;
}
interface Who {
  readonly network_id: string;
  readonly user_name: string | null;
  readonly device_id: string;
  readonly rights: readonly string[];
  readonly state: string;
}
type Invite = { invite_id: string; kind: string; made_by: string; used: number; uses: number; state: string };
type Link = { link: string; invite_id: string };

const short = (event_id: string) => event_id.slice(12, 20);
const folder = mkdtempSync(join(tmpdir(), 'sotto-story-'));
const nodes: NodeProcess[] = [];

/** Somebody at a terminal. */
class Person {
  readonly node: NodeProcess;

  constructor(port: number, name: string) {
    this.node = new NodeProcess(`127.0.0.1:${port}`, { data: join(folder, name) });
    nodes.push(this.node);
  }

  /** What the command answers. Rejects where it is refused. */
  async types<T = unknown>(...words: string[]): Promise<T> {
    const { code, stdout, stderr } = await sotto(this.node, ...words, '--json');
    const answer = JSON.parse(stdout) as T & { error?: { code: string; message: string } };
    if (answer.error !== undefined) throw new Error(`${answer.error.code}: ${answer.error.message}`);
    expect([code, stderr]).toEqual([0, '']);
    return answer;
  }

  /** The code with which the command is refused. */
  async isRefused(...words: string[]): Promise<string> {
    const { code, stdout, stderr } = await sotto(this.node, ...words, '--json');
    expect([words.join(' '), code, stderr]).toEqual([words.join(' '), 1, '']);
    return (JSON.parse(stdout) as { error: { code: string } }).error.code;
  }

  /** What the command shows to people. */
  async sees(...words: string[]): Promise<string> {
    const { code, stdout, stderr }: Ran = await sotto(this.node, ...words);
    expect([words.join(' '), code, stderr]).toEqual([words.join(' '), 0, '']);
    return stdout;
  }

  /** The messages of a channel, noting nothing as read; none where there is no such channel yet. */
  async messages(channel: string): Promise<readonly Message[]> {
    const { stdout } = await sotto(this.node, 'read', channel, '--keep-unread', '--json');
    const answer = JSON.parse(stdout) as Message[] | { error: unknown };
    return Array.isArray(answer) ? answer : [];
  }

  async texts(channel: string): Promise<readonly string[]> {
    return (await this.messages(channel)).map(({ text }) => text);
  }

  /** Waits until a channel holds exactly these texts. */
  async reads(channel: string, ...texts: string[]): Promise<void> {
    let last: readonly string[] = [];
    try {
      await until(`${channel} is there`, async () => {
        last = await this.texts(channel);
        return last.join('\n') === texts.join('\n');
      });
    } catch {
      expect(last).toEqual(texts);
    }
  }

  async message(channel: string, text: string): Promise<Message> {
    const found = (await this.messages(channel)).find((message) => message.text === text);
    expect(found, text).toBeDefined();
    return found!;
  }

  async member(name: string): Promise<Member | undefined> {
    return (await this.types<Member[]>('members')).find((member) => member.name === name);
  }

  async me(): Promise<Who> {
    return (await this.types<Who[]>('whoami'))[0]!;
  }

  /** The devices of others to which there is a session. */
  async company(): Promise<readonly Peer[]> {
    const peers = await this.types<Peer[]>('peers');
    return peers.filter(({ connected, is_this_device }) => connected && !is_this_device);
  }
}

/** Waits, where a command may still be refused because something has not come yet. */
const eventually = (what: string, holds: () => Promise<boolean>) =>
  until(what, () => holds().catch(() => false));

const later = (shift_ms: number): Readonly<Record<string, string>> => ({
  NODE_OPTIONS: `--import=${new URL('./fixtures/shifted-clock.mjs', import.meta.url).href}`,
  SHIFT_MS: String(shift_ms),
});

const [alice, bob, carol, phone] = (await Promise.all(
  ['alice', 'bob', 'carol', 'phone'].map(async (name) => new Person(await freePort(), name)),
)) as [Person, Person, Person, Person];

/** What is written until Carol goes away for a month. */
const OF_GENERAL = ['an empty room', 'not any more', 'hello Carol', 'from the phone'];
const OF_TEAM = ['hello, team', 'bob in team', 'carol in team'];

/** All ask each other for news at once, where the story need not wait for the clock to do it. */
async function everybodyAsks(...people: Person[]): Promise<void> {
  for (const one of people.length > 0 ? people : [alice, bob, carol, phone])
    await one.types('jobs', 'run', 'sync_request');
}

async function isWithout(person: Person, device_id: string): Promise<void> {
  await eventually('it is gone', async () =>
    (await person.types<Peer[]>('peers')).every((peer) => peer.device_id !== device_id),
  );
}

/** A removed device says something, and tries to reach the others, also once it has been restarted: none lets it in. */
async function saysInVain(person: Person, text: string, others: readonly Person[]): Promise<void> {
  const { device_id } = await person.me();
  // Whether it knows by now that nobody hears it makes no difference.
  await sotto(person.node, 'send', 'general', text);
  expect(await person.company()).toEqual([]);
  await person.node.end('SIGTERM');
  const before = person.node.output.length;
  await person.node.start();
  await until('it has tried several times, or knows', async () => {
    const hung_up = person.node.output.slice(before).match(/"closed_by_peer"/g) ?? [];
    return hung_up.length > 2 * others.length || (await person.me()).state === 'removed';
  });
  await everybodyAsks(...others, person);
  expect(await person.company()).toEqual([]);
  for (const other of others) {
    await isWithout(other, device_id);
    expect(await other.texts('general')).not.toContain(text);
  }
}

/** Names of the files of a data directory in which the bytes of an id are. */
function filesWith(data_dir: string, event_id: string): string[] {
  const bytes = Buffer.from(event_id, 'hex');
  return readdirSync(data_dir).filter((name) => readFileSync(join(data_dir, name)).includes(bytes));
}

let is_broken = false;
beforeEach(({ skip }) => {
  // Chapters build on each other.
  skip(is_broken, 'an earlier chapter failed');
  onTestFailed(() => {
    is_broken = true;
  });
});
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.end('SIGKILL')));
  rmSync(folder, { recursive: true, force: true });
});

describe('Alice, Bob and Carol', () => {
  /** By group: its id, that of its channel, and that of a message in it. Outside of the group nobody may know of them. */
  const hidden = new Map<string, readonly string[]>();
  let network_id = '';

  it('Alice founds a network, and Bob joins it by a link', async () => {
    await Promise.all([alice.node.start(), bob.node.start()]);
    expect(await alice.isRefused('send', 'general', 'is anybody there?')).toBe('not_found');
    ({ network_id } = await alice.types<{ network_id: string }>(
      'network',
      'create',
      'Home',
      '--as',
      'alice',
    ));
    await alice.types('send', 'general', 'an empty room');
    const invite = await alice.types<Link>('invite', 'create', '--uses', '1', '--expires', '1d');
    expect(await alice.sees('invite', 'list')).toMatch(/person +alice +0 of 1 +in 1 day +open/);
    expect(await bob.types('join', invite.link, '--as', 'bob')).toMatchObject({ network_id });
    await eventually('alice knows bob by name', async () => (await alice.member('bob'))?.state === 'member');
    expect(await alice.types('invite', 'list')).toMatchObject([
      { kind: 'person', made_by: 'alice', used: 1, uses: 1, state: 'used_up' },
    ]);
    await bob.reads('general', 'an empty room');
    await bob.types('send', 'general', 'not any more');
    await alice.reads('general', 'an empty room', 'not any more');
    expect(await bob.me()).toMatchObject({ user_name: 'bob', rights: [], state: 'member' });
  });

  it('the two of them talk in private groups', async () => {
    const names = ['team', 'books'];
    for (const name of names) {
      type Made = { group_id: string; channel_id: string };
      const made = await alice.types<Made>('group', 'create', name, '--with', 'bob');
      const sent = await alice.types<{ message_id: string }>('send', name, `hello, ${name}`);
      hidden.set(name, [made.group_id, made.channel_id, sent.message_id]);
    }
    for (const name of names) {
      await bob.reads(name, `hello, ${name}`);
      await bob.types('send', name, `bob in ${name}`);
    }
    for (const name of names) await alice.reads(name, `hello, ${name}`, `bob in ${name}`);
  });

  it('Carol joins: she reads what was said to everybody, and of the groups she learns nothing at all', async () => {
    await carol.node.start();
    // The first link was taken back before she used it.
    const dead = await alice.types<Link>('invite', 'create');
    expect(await alice.sees('invite', 'revoke', short(dead.invite_id))).toMatch(/lets nobody else in/);
    expect(await carol.isRefused('join', dead.link, '--as', 'carol', '--timeout', '2s')).toBe('join_timeout');
    expect(await carol.me()).toMatchObject({ state: 'not_yet_let_in' });
    await carol.types('network', 'delete', short(network_id));
    const invite = await alice.types<Link>('invite', 'create');
    await carol.types('join', invite.link, '--as', 'carol');
    await carol.reads('general', 'an empty room', 'not any more');
    await eventually('she knows both, and is connected to them', async () => {
      const peers = await carol.company();
      return ['alice', 'bob'].every((name) => peers.some(({ user_name }) => user_name === name));
    });
    await alice.types('send', 'general', 'hello Carol');
    await everybodyAsks(alice, bob, carol);
    await carol.reads('general', 'an empty room', 'not any more', 'hello Carol');
    await seesNothingOf(carol, ['team', 'books']);
  });

  async function seesNothingOf(person: Person, groups: readonly string[]): Promise<void> {
    const shown = `${await person.sees('group', 'list')}${await person.sees('channel', 'list')}${await person.sees('keys', 'list')}`;
    for (const name of groups) {
      expect(shown).not.toContain(name);
      for (const words of [
        ['read', name],
        ['send', name, 'let me in'],
        ['members', '--group', name],
      ])
        expect([...words, await person.isRefused(...words)]).toEqual([...words, 'not_found']);
      for (const id of hidden.get(name) ?? [])
        for (const command of ['why', 'read'])
          expect([command, await person.isRefused(command, short(id))]).toEqual([command, 'not_found']);
    }
  }

  it('S12, L1: Carol is put into one of the groups, and reads its history, but not that of the other', async () => {
    expect(await bob.isRefused('group', 'add', 'team', 'carol')).toBe('author_may_add');
    expect(await alice.sees('group', 'add', 'team', 'carol')).toMatch(/^Added carol .*to group team/);
    await carol.reads('team', 'hello, team', 'bob in team');
    await carol.types('send', 'team', 'carol in team');
    await everybodyAsks(alice, bob);
    for (const one of [alice, bob]) await one.reads('team', ...OF_TEAM);
    expect(await carol.types('group', 'list')).toMatchObject([
      { kind: 'main', members: ['alice', 'bob', 'carol'] },
      { kind: 'private', name: 'team', members: ['alice', 'bob', 'carol'] },
    ]);
    await seesNothingOf(carol, ['books']);
  });

  it('Bob and Carol write to each other, which Alice does not see', async () => {
    const sent = await bob.types<{ message_id: string; group_id: string }>('dm', 'carol', 'just us');
    await carol.reads('@bob', 'just us');
    await carol.types('send', '@bob', 'so it is');
    await everybodyAsks(alice, bob);
    await bob.reads('@carol', 'just us', 'so it is');
    for (const id of [sent.message_id, sent.group_id])
      expect(await alice.isRefused('why', short(id))).toBe('not_found');
    expect(await alice.isRefused('read', '@bob')).toBe('not_found');
    expect(await alice.sees('group', 'list')).not.toMatch(/direct/);
  });

  it("Bob's phone joins by a link alone, is Bob, and reads what Bob can read", async () => {
    await phone.node.start();
    const { link } = await bob.types<Link>('device', 'link', '--expires', '10m');
    expect(await phone.isRefused('join', link, '--as', 'bob')).toBe('bad_input');
    await phone.types('join', link);
    await phone.reads('general', 'an empty room', 'not any more', 'hello Carol');
    await phone.reads('team', ...OF_TEAM);
    await phone.reads('books', 'hello, books', 'bob in books');
    await phone.reads('@carol', 'just us', 'so it is');
    expect(await phone.me()).toMatchObject({ user_name: 'bob', rights: [], state: 'member' });
    for (const one of [alice, bob, carol, phone])
      await eventually('bob has two devices', async () => (await one.member('bob'))?.devices === 2);
    await phone.types('send', 'general', 'from the phone');
    await eventually('it is from Bob', async () => {
      return (await alice.message('general', 'from the phone')).author === 'bob';
    });
  });

  it('they edit, react, delete, rename, and see what they have not read', async () => {
    const typo = await bob.types<{ message_id: string }>('send', 'team', 'meet at nooon');
    const wrong = await carol.types<{ message_id: string }>('send', 'team', 'never mind');
    for (const one of [alice, carol, phone])
      await eventually('it is there', async () => (await one.texts('team')).includes('meet at nooon'));
    expect(await alice.isRefused('edit', short(typo.message_id), 'meet at one')).toBe('author_may_edit');
    expect(await phone.isRefused('delete', short(wrong.message_id))).toBe('author_may_delete');
    expect(await phone.sees('edit', short(typo.message_id), 'meet at noon')).toMatch(/^Edited /);
    expect(await carol.sees('react', short(typo.message_id), '🦀')).toMatch(/^Reacted /);
    await carol.types('delete', short(wrong.message_id));
    await everybodyAsks();
    for (const one of [alice, bob, carol, phone]) {
      await one.reads('team', ...OF_TEAM, 'meet at noon');
      await eventually('the reaction is there', async () => {
        const { edited_ms, reactions } = await one.message('team', 'meet at noon');
        return edited_ms !== null && reactions.some(({ emoji, count }) => emoji === '🦀' && count === 1);
      });
    }
    const versions = await carol.sees('versions', short(typo.message_id));
    expect(versions.match(/bob/g)).toHaveLength(2);
    expect(versions).not.toContain('noo');
    expect(await bob.sees('why', short(typo.message_id))).toMatch(/ {2}message by bob, .*\nvalid: /);
    expect(await bob.sees('why', short(wrong.message_id))).toMatch(/ by carol, .*\ndead \(deleted\): /);

    expect(await carol.sees('unread')).toMatch(/team +team +3 /);
    expect(await carol.sees('read', 'team')).toMatch(/bob +meet at noon {2}\(edited\) {2}🦀 1\n$/);
    expect(await carol.sees('unread')).not.toMatch(/team/);
    await alice.types('send', 'team', 'noon it is');
    await bob.types('rename', 'robert');
    await carol.types('rename', 'work', '--channel', 'team');
    await everybodyAsks();
    await eventually('carol has one unread', async () => /work +team +1 /.test(await carol.sees('unread')));
    expect(await carol.types<Channel[]>('unread')).toContainEqual(
      expect.objectContaining({ name: 'work', unread: 1 }),
    );
    for (const one of [alice, bob, carol, phone]) {
      await eventually('bob is robert', async () => (await one.member('robert'))?.devices === 2);
      await one.reads('work', ...OF_TEAM, 'meet at noon', 'noon it is');
      expect(await one.isRefused('read', 'team')).toBe('not_found');
    }
    expect(await carol.texts('@robert')).toEqual(['just us', 'so it is']);
    expect((await phone.me()).user_name).toBe('robert');
  });

  it('S1: rights are given and taken: Carol may invite in between', async () => {
    expect(await carol.isRefused('invite', 'create')).toBe('not_entitled');
    expect(await bob.isRefused('grant', 'invite', 'carol')).toBe('not_entitled');
    expect(await alice.sees('grant', 'invite', 'carol')).toMatch(/^carol .*has the right invite now/);
    await everybodyAsks();
    await eventually('carol may invite', async () => (await carol.me()).rights.includes('invite'));
    const { link } = await carol.types<Link>('invite', 'create', '--uses', '3');
    await everybodyAsks();
    await eventually('alice sees the invite', async () =>
      (await alice.types<Invite[]>('invite', 'list')).some(({ made_by }) => made_by === 'carol'),
    );
    expect((await alice.member('carol'))?.rights).toEqual(['invite']);
    expect(await alice.sees('revoke', 'invite', 'carol')).toMatch(/does not have the right invite any more/);
    await everybodyAsks();
    await eventually('carol may not', async () => (await carol.me()).rights.length === 0);
    expect(await carol.isRefused('invite', 'create')).toBe('not_entitled');
    expect(await alice.isRefused('revoke', 'invite', 'carol')).toBe('not_found');
    // What she invited to while she might opens nothing any more.
    const dave = new Person(await freePort(), 'dave');
    await dave.node.start();
    expect(await dave.isRefused('join', link, '--as', 'dave', '--timeout', '2s')).toBe('join_timeout');
    await dave.node.end('SIGTERM');
    for (const one of [alice, bob, carol]) expect(await one.types('members')).toHaveLength(3);
  });

  it('each can see how it stands', async () => {
    for (const one of [alice, bob, phone]) {
      const keys = await one.types<Key[]>('keys', 'list');
      expect(new Set(keys.map((key) => [key.group_name, key.channel_name].join('/')))).toEqual(
        new Set([
          ...['/', '/general', 'team/', 'team/work', 'books/', 'books/books'],
          ...(one === alice ? [] : ['@carol/', '@carol/@carol']),
        ]),
      );
      expect(keys.every(({ held, devices_owed }) => held && devices_owed === 0)).toBe(true);
    }
    expect(await alice.sees('keys', 'list')).toMatch(/team +work +never +\d+ +yes +4 of 4 devices/);
    const prekeys = await alice.types<{ user_name: string }[]>('prekeys', 'list');
    expect(Map.groupBy(prekeys, ({ user_name }) => user_name).get('carol')).toHaveLength(20);
    expect(prekeys).toHaveLength(80);
    expect(await alice.sees('status')).toMatch(/clock +trusted\n(.*\n)*.*Home +alice +3 +\d+ +\d+ +3\n/);
    expect((await alice.sees('peers')).match(/(robert|carol) .* {2}connected .*/g)).toHaveLength(3);
  });

  it('L1: a month without Carol: the others write, in new channels, too; keys wait until she has prekeys again', async () => {
    // So that one can see what happens before she has them.
    await carol.types('jobs', 'pause', 'prekey_replenish');
    await alice.types('send', 'general', 'for a week only', '--ttl', '7d');
    await everybodyAsks();
    await eventually('it is there', async () => (await carol.texts('general')).includes('for a week only'));
    await Promise.all([alice, bob, carol, phone].map((one) => one.node.end('SIGTERM')));
    for (const one of [alice, bob, carol, phone]) one.node.env = later(MONTH_MS);
    await Promise.all([alice, bob, phone].map((one) => one.node.start()));
    for (const one of [alice, bob, phone]) {
      await eventually('they are connected', async () => (await one.company()).length === 2);
      expect(await one.sees('status')).toMatch(/clock +trusted/);
    }
    await eventually('those who are there have prekeys', async () => {
      const prekeys = await alice.types<{ user_name: string }[]>('prekeys', 'list');
      return prekeys.filter(({ user_name }) => user_name === 'robert').length === 40;
    });
    expect(await alice.sees('prekeys', 'list')).not.toContain('carol');
    expect(await alice.sees('invite', 'list')).toMatch(/person +carol +0 of 3 +\d+ days ago +revoked/);

    await alice.types('channel', 'create', 'news');
    const news = await alice.types<{ message_id: string }>('send', 'news', 'a new channel');
    await alice.types('send', 'general', 'where is Carol?');
    await bob.types('channel', 'create', 'minutes', '--group', 'team');
    await bob.types('send', 'minutes', 'Carol was not there');
    await bob.types('send', 'work', 'nobody at noon');
    await bob.types('dm', 'carol', 'are you well?');
    await phone.types('send', 'general', 'on the move');
    await everybodyAsks(alice, bob, phone);
    await alice.reads('minutes', 'Carol was not there');
    await phone.reads('news', 'a new channel');
    const owed = async (one: Person, channel: string) =>
      (await one.types<Key[]>('keys', 'list')).find(({ channel_name }) => channel_name === channel)
        ?.devices_owed;
    expect([await owed(alice, 'news'), await owed(bob, 'minutes')]).toEqual([1, 1]);
    expect(await alice.types('jobs', 'run', 'share_keys')).toMatchObject({ ran: 1, failed: 0 });
    expect(await owed(alice, 'news')).toBe(1);

    await carol.node.start();
    await eventually('what old keys open is there', async () =>
      (await carol.texts('general')).includes('on the move'),
    );
    expect(await carol.texts('general')).toEqual([...OF_GENERAL, 'where is Carol?', 'on the move']);
    await carol.reads('@robert', 'just us', 'so it is', 'are you well?');
    expect(await carol.sees('status')).toMatch(/waiting in network(.*\n)*[0-9a-f]{8} +key_missing +2\n/);
    expect(await carol.sees('why', short(news.message_id))).toMatch(
      /sealed by alice, .*\nwaiting \(key_missing\): .*\nwaits for key [0-9a-f]{8}\n$/,
    );
    // That there are such channels she can read: their names are under keys of the groups.
    for (const channel of ['news', 'minutes']) expect(await carol.types('read', channel)).toEqual([]);

    expect(await carol.types('jobs', 'run', 'prekey_replenish')).toMatchObject({ ran: 1, failed: 0 });
    await carol.types('jobs', 'resume', 'prekey_replenish');
    await everybodyAsks();
    await carol.reads('news', 'a new channel');
    await carol.reads('minutes', 'Carol was not there');
    await carol.reads('work', ...OF_TEAM, 'meet at noon', 'noon it is', 'nobody at noon');
    expect(await carol.sees('why', short(news.message_id))).toMatch(/message by alice, .*\nvalid: /);
    expect(await carol.sees('status')).not.toMatch(/^[0-9a-f]{8} +key_missing/m);
    await eventually(
      'nothing is owed',
      async () => (await owed(alice, 'news')) === 0 && (await owed(bob, 'minutes')) === 0,
    );
    await carol.types('send', 'minutes', 'here I am');
    for (const one of [alice, bob, phone]) await one.reads('minutes', 'Carol was not there', 'here I am');
    expect(await carol.texts('general')).not.toContain('for a week only');
  });

  it("S12: Bob's phone is lost and removed: nobody lets it in any more, and nothing comes from it", async () => {
    const { device_id } = await phone.me();
    expect(await carol.isRefused('remove', 'device', device_id.slice(0, 8))).toBe('not_entitled');
    expect(await bob.sees('remove', 'device', device_id.slice(0, 8))).toMatch(/gets nothing new from now on/);
    await everybodyAsks(alice, bob, carol);
    for (const one of [alice, bob, carol]) {
      await eventually('robert has one device', async () => (await one.member('robert'))?.devices === 1);
      await isWithout(one, device_id);
    }
    expect(await bob.isRefused('remove', 'device', device_id.slice(0, 8))).toBe('already_removed');
    await alice.types('send', 'general', 'the phone is gone');
    await saysInVain(phone, 'found a phone', [alice, bob, carol]);
    for (const one of [alice, bob, carol])
      await one.reads('general', ...OF_GENERAL, 'where is Carol?', 'on the move', 'the phone is gone');
    expect(await phone.texts('general')).not.toContain('the phone is gone');
    // What is new is under keys that it was never given.
    const general = (await alice.types<Key[]>('keys', 'list')).filter(
      ({ channel_name }) => channel_name === 'general',
    );
    expect(general.map(({ devices, devices_owed }) => [devices, devices_owed])).toEqual([
      [3, 0],
      [3, 0],
    ]);
    await phone.node.end('SIGTERM');
  });

  it('S12: Carol is removed: what she wrote stays, and what comes after does not reach her', async () => {
    const { device_id } = await carol.me();
    expect(await bob.isRefused('remove', 'user', 'carol')).toBe('not_entitled');
    expect(await alice.sees('remove', 'user', 'carol')).toMatch(/^Removed user carol .*with 1 device/);
    await everybodyAsks(alice, bob);
    for (const one of [alice, bob]) {
      await eventually('carol is out', async () => (await one.member('carol'))?.state === 'removed');
      await isWithout(one, device_id);
      expect(await one.sees('members')).toMatch(/carol +- +0 .*removed\n/);
      expect(await one.sees('members', '--group', 'team')).toMatch(/carol +- +0 .*removed\n/);
      expect(await one.isRefused('dm', 'carol', 'still there?')).toBe('already_removed');
    }
    expect(await alice.isRefused('remove', 'user', 'carol')).toBe('already_removed');
    await alice.types('send', 'general', 'without Carol');
    await bob.types('send', 'work', 'the two of us');
    await saysInVain(carol, 'can you hear me?', [alice, bob]);
    // She is told why, and so is whoever asks her node to go on.
    await eventually('carol knows', async () => (await carol.me()).state === 'removed');
    expect(await carol.isRefused('send', 'general', 'hello?')).toBe('removed');
    for (const one of [alice, bob]) {
      await one.reads(
        'general',
        ...OF_GENERAL,
        'where is Carol?',
        'on the move',
        'the phone is gone',
        'without Carol',
      );
      await one.reads('work', ...OF_TEAM, 'meet at noon', 'noon it is', 'nobody at noon', 'the two of us');
    }
    expect(await alice.types('group', 'list')).toMatchObject([
      { kind: 'main', members: ['alice', 'robert'] },
      { name: 'team', members: ['alice', 'robert'] },
      { name: 'books', members: ['alice', 'robert'] },
    ]);
    expect(await bob.texts('@carol')).toEqual(['just us', 'so it is', 'are you well?']);
    expect(await carol.texts('general')).not.toContain('without Carol');
    expect(await carol.texts('work')).not.toContain('the two of us');
    await carol.node.end('SIGTERM');
  });

  it('Bob leaves, and erases what he has of it', async () => {
    expect(await bob.sees('leave')).toMatch(/^Left network /);
    expect(await bob.me()).toMatchObject({ state: 'removed' });
    expect(await bob.isRefused('send', 'general', 'one last thing')).toBe('removed');
    expect(await bob.texts('work')).toContain('carol in team');
    await everybodyAsks(alice);
    await eventually('robert is gone', async () => (await alice.member('robert'))?.state === 'removed');
    await eventually('alice is alone', async () => (await alice.company()).length === 0);

    expect(filesWith(bob.node.data, network_id)).toContain('sotto.db');
    expect(await bob.sees('network', 'delete', 'Home')).toMatch(
      /^Erased network Home .*: \d+ events, \d+ secrets/,
    );
    expect(await bob.types('whoami')).toEqual([]);
    expect(await bob.isRefused('read', 'general')).toBe('not_found');
    expect(filesWith(bob.node.data, network_id)).toEqual([]);
    expect(await alice.texts('general')).toEqual([
      ...OF_GENERAL,
      'where is Carol?',
      'on the move',
      'the phone is gone',
      'without Carol',
    ]);
    for (const { output } of nodes)
      for (const text of [...OF_GENERAL, ...OF_TEAM, 'just us', 'meet at', '🦀', 'robert'])
        expect(output).not.toContain(text);
  });
});
