/**
 * What people say is sealed, and what seals it is in the slots: looked for in every file that busy nodes have, in everything that they print,
 * and in what they say of themselves; while they run, after they were killed, and after they ended.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeInviteLink } from '../hosts/invite-link.ts';
import { freePort, NodeProcess, sotto, until } from './process.ts';
import { seededRandom } from './support.ts';

// --- looking for something ------------------------------------------------------------------------------------------------------------

/** Of each place to look, so many finds are shown. */
const PLACES_SHOWN = 20;
/** Shorter than this, bytes might be there by chance. */
const BYTES_MIN = 8;
/** A text is looked for in pieces: whatever is twice as long as this of it is found. */
const PIECE = 12;

/** Looks for very many things at once. */
class Search {
  /** By their first bytes. */
  readonly #needles = new Map<string, { readonly bytes: Buffer; readonly what: string }[]>();
  readonly #all = new Set<string>();
  /** Which beginnings there are at all: lets the many places that begin like nothing go by quickly. */
  readonly #beginnings = new Uint8Array(1 << 20);

  /** In the forms in which it might lie around. */
  add(what: string, bytes: Uint8Array): this {
    const plain = Buffer.from(bytes);
    this.#needle(what, plain);
    const hex = plain.toString('hex');
    this.#needle(`${what} in hex`, Buffer.from(hex));
    this.#needle(`${what} in hex`, Buffer.from(hex.toUpperCase()));
    for (const skipped of [0, 1, 2]) {
      const whole = plain.subarray(skipped, skipped + Math.floor((plain.length - skipped) / 3) * 3);
      this.#needle(`${what} in base64`, Buffer.from(whole.toString('base64')));
      this.#needle(`${what} in base64`, Buffer.from(whole.toString('base64url')));
    }
    return this;
  }

  addText(text: string): this {
    const bytes = Buffer.from(text);
    const pieces = new Set<string>();
    for (let at = 0; at < bytes.length; at += PIECE) {
      const start = Math.max(0, Math.min(at, bytes.length - PIECE));
      pieces.add(bytes.toString('hex', start, start + PIECE));
    }
    for (const piece of pieces) this.add(shortened(text), Buffer.from(piece, 'hex'));
    for (let at = 0; at < text.length; at += PIECE) {
      const piece = text.slice(Math.max(0, Math.min(at, text.length - PIECE))).slice(0, PIECE);
      this.#needle(`${shortened(text)} in UTF-16`, Buffer.from(piece, 'utf16le'));
      if (piece.isWellFormed())
        this.#needle(`${shortened(text)} in a URL`, Buffer.from(encodeURIComponent(piece)));
    }
    return this;
  }

  #needle(what: string, bytes: Buffer): void {
    if (bytes.length < BYTES_MIN) throw new Error(`${what}: too short to be looked for`);
    const whole = bytes.toString('latin1');
    if (this.#all.has(whole)) return;
    this.#all.add(whole);
    const start = whole.slice(0, BYTES_MIN);
    const same = this.#needles.get(start);
    if (same === undefined) this.#needles.set(start, [{ bytes, what }]);
    else same.push({ bytes, what });
    this.#beginnings[beginning(bytes, 0)] = 1;
  }

  /** What is found, and where. */
  in(bytes: Buffer): { what: string; at: number }[] {
    const found: { what: string; at: number }[] = [];
    for (let at = 0; at + BYTES_MIN <= bytes.length; at++) {
      if (this.#beginnings[beginning(bytes, at)] === 0) continue;
      for (const needle of this.#needles.get(bytes.toString('latin1', at, at + BYTES_MIN)) ?? [])
        if (bytes.subarray(at, at + needle.bytes.length).equals(needle.bytes))
          found.push({ what: needle.what, at });
    }
    return found;
  }
}

/** A number for 8 bytes. */
function beginning(bytes: Buffer, at: number): number {
  const first = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  const second = bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24);
  return ((Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b)) >>> 12) & 0xfffff;
}

const shortened = (text: string) => (text.length > 40 ? `${text.slice(0, 40)}...` : text);

// --- what is said ---------------------------------------------------------------------------------------------------------------------

const random = seededRandom(14);
const pick = <T>(of: readonly T[]): T => of[random.bytes(1)[0]! % of.length]!;
const LETTERS = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZäöüßñéçřšđ漢字语言'];
/** Like no other. */
const word = () => Array.from({ length: 8 }, () => pick(LETTERS)).join('');

/** Everything that anybody wrote, and what anything is called. */
const said = { texts: new Set<string>(), names: new Set<string>() };
function text(words = 6): string {
  const made = Array.from({ length: words }, word).join(' ');
  said.texts.add(made);
  return made;
}
function name(): string {
  const made = `${word()}-${word()}`;
  said.names.add(made);
  return made;
}
const EMOJI = ['🏴‍☠️', '👩🏽‍🚀', '🧑🏿‍🦼‍➡️', '👨‍👩‍👧‍👦', '❤️‍🔥❤️‍🔥', '🐻‍❄️'];

// --- those who say it -----------------------------------------------------------------------------------------------------------------

const folder = mkdtempSync(join(tmpdir(), 'sotto-secrecy-'));
class Busy {
  readonly node: NodeProcess;
  readonly temp: string;

  constructor(port: number, log: string) {
    this.temp = join(folder, `${port}-tmp`);
    mkdirSync(this.temp);
    const env = { TMPDIR: this.temp, SOTTO_LOG: log };
    this.node = new NodeProcess(`127.0.0.1:${port}`, { data: join(folder, `${port}-data`), env });
  }

  ask<T = { message_id: string }>(method: string, path: string, body?: unknown): Promise<T> {
    return this.node.ask<T>(method, path, body);
  }

  send(channel: string, what: string, ttl_ms = 0): Promise<{ message_id: string }> {
    return this.ask('POST', '/messages', { channel, text: what, ttl_ms });
  }

  /** A command at the terminal that must go well. */
  async types<T>(...words: string[]): Promise<T> {
    const { code, stdout } = await sotto(this.node, ...words, '--json');
    expect([words[0], code, code === 0 ? '' : stdout]).toEqual([words[0], 0, '']);
    return JSON.parse(stdout) as T;
  }

  async texts(channel: string): Promise<string[]> {
    const path = `/messages?limit=1000&channel=${encodeURIComponent(channel)}`;
    const messages = await this.ask<{ text: string }[]>('GET', path).catch(() => []);
    return messages.map((message) => message.text);
  }

  /** Keeps what a stream tells, for as long as the node lives. */
  async follows(path: string): Promise<void> {
    const token = readFileSync(join(this.node.data, 'api.token'), 'utf8').trim();
    const headers = { authorization: `Bearer ${token}` };
    const { body } = await fetch(`http://${this.node.api}/v1${path}`, { headers });
    const keep = async () => {
      for await (const chunk of body!.pipeThrough(new TextDecoderStream())) told(`stream ${path}`, chunk);
    };
    keep().catch(() => undefined);
  }
}

/** What nodes and commands say where nothing of what people say belongs. */
const sayings = new Map<string, string>();
function told(by: string, what: string): void {
  sayings.set(by, `${sayings.get(by) ?? ''}${what}`);
}
/** The same, of what shows names to people, but no texts. */
const overviews = new Map<string, string>();
/** What queries answered, by which people may read everything but secrets. */
const answers = new Map<string, string>();

// --- all that there is to look through ------------------------------------------------------------------------------------------------

interface Snapshot {
  readonly files: readonly { readonly file: string; readonly bytes: Buffer }[];
}
const snapshots = new Map<string, Snapshot>();

function filesIn(directory: string): { file: string; bytes: Buffer }[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .flatMap(({ parentPath, name: file }) => {
      const path = join(parentPath, file);
      // A temporary file may be gone by now.
      return existsSync(path) ? [{ file: path, bytes: readFileSync(path) }] : [];
    });
}

function take(when: string): void {
  snapshots.set(when, {
    files: everybody.flatMap(({ node, temp }) => [...filesIn(node.data), ...filesIn(temp)]),
  });
}

/** The phone is Bob's second device. */
const [alice, bob, phone] = (await Promise.all(
  ['trace', 'debug', 'trace'].map(async (log) => new Busy(await freePort(), log)),
)) as [Busy, Busy, Busy];
const everybody = [alice, bob, phone];
const links: string[] = [];
/** Things that must be found, so that it counts that others are not. */
const known: Record<string, string> = {};

afterAll(async () => {
  await Promise.all(everybody.map(({ node }) => node.end('SIGKILL')));
  rmSync(folder, { recursive: true, force: true });
});

beforeAll(async () => {
  await Promise.all(everybody.map(({ node }) => node.start()));
  for (const path of ['/changes', '/trace/follow']) await alice.follows(path);
  const channels = await theyMeet();
  await theyTalk(channels);
  await theyFail(channels);
  await theyAreAsked();
  take('while they run');
  const unheard = everybody.map((one) =>
    Promise.allSettled(channels.map((channel) => one.send(channel, text()))),
  );
  await new Promise((resolve) => setTimeout(resolve, 15));
  await Promise.all(everybody.map(({ node }) => node.end('SIGKILL')));
  await Promise.all(unheard);
  take('after SIGKILL');
  await Promise.all(everybody.map(({ node }) => node.start()));
  for (const one of everybody) for (const channel of channels) await one.send(channel, text());
  const last = text();
  await alice.send(channels[0]!, last);
  await until('they are in touch again', async () => (await phone.texts(channels[0]!)).includes(last));
  await Promise.all(everybody.map(({ node }) => node.end('SIGTERM')));
  take('after a restart and SIGTERM');
}, 120_000);

/** Returns the channels that all three have. */
async function theyMeet(): Promise<string[]> {
  const alices_name = name();
  const network = await alice.types<{ network_id: string; device_id: string; channel_id: string }>(
    'network',
    'create',
    name(),
    '--as',
    alices_name,
  );
  Object.assign(known, network);
  const open = await alice.types<{ link: string }>('invite', 'create', '--uses', '2');
  const revoked = await alice.types<{ link: string; invite_id: string }>('invite', 'create');
  await alice.types('invite', 'revoke', revoked.invite_id);
  const bobs_name = name();
  await bob.types('join', open.link, '--as', bobs_name);
  const device = await bob.types<{ link: string }>('device', 'link');
  await phone.types('join', device.link);
  links.push(open.link, revoked.link, device.link);

  const names = Array.from({ length: 4 }, name);
  await until('they know each other', async () =>
    (await alice.ask<{ name: string; devices: number }[]>('GET', '/members')).some(
      (member) => member.name === bobs_name && member.devices === 2,
    ),
  );
  Object.assign(known, await alice.ask<{ channel_id: string }>('POST', '/channels', { name: names[0] }));
  await alice.types('group', 'create', names[1]!, '--with', bobs_name);
  await alice.ask('POST', '/channels', { name: names[2], group: names[1] });
  // Called otherwise at first.
  const before = name();
  await alice.ask('POST', '/channels', { name: before });
  await alice.types('rename', names[3]!, '--channel', before);
  const bobs_new_name = name();
  await bob.types('rename', bobs_new_name);
  await until(
    'the groups are there',
    async () =>
      (await phone.ask<{ name: string }[]>('GET', '/channels')).filter((one) => names.includes(one.name))
        .length === 4,
  );
  await until('the new name is there', async () =>
    (await alice.ask<{ name: string }[]>('GET', '/members')).some((member) => member.name === bobs_new_name),
  );
  await alice.types('dm', bobs_new_name, text());
  for (const one of everybody)
    for (let count = 0; count < 3; count++)
      await one.send(`@${one === alice ? bobs_new_name : alices_name}`, text());
  return names;
}

async function theyTalk(channels: readonly string[]): Promise<void> {
  const talk = async (one: Busy, count: number) => {
    const ids: string[] = [];
    for (let number = 0; number < count; number++) {
      // Some fill a page of the file and more, some live for a moment only.
      const long = number % 20 === 7 ? text(600) : text(4 + (number % 9));
      const { message_id } = await one.send(pick(channels), long, number % 15 === 3 ? 2_000 : 0);
      if (number % 15 !== 3) ids.push(message_id);
    }
    for (const id of ids.slice(0, 12)) await one.ask('PATCH', `/messages/${id}`, { text: text() });
    for (const id of ids.slice(8, 20)) await one.ask('DELETE', `/messages/${id}`);
    for (const id of ids.slice(20, 40))
      await one.ask('POST', '/reactions', { message: id, emoji: pick(EMOJI) });
    return ids;
  };
  const [ids] = await Promise.all([talk(alice, 100), talk(bob, 80), talk(phone, 40)]);
  known.message_id = ids.at(-1)!;
  const last = text();
  await bob.send(channels[1]!, last);
  for (const one of everybody)
    await until('they have it all', async () => (await one.texts(channels[1]!)).includes(last));
  await until('the reactions are there', async () => {
    const reacted = await phone.ask<{ reactions: unknown[] }[]>(
      'GET',
      `/messages?limit=1000&channel=${encodeURIComponent(channels[0]!)}`,
    );
    return reacted.some(({ reactions }) => reactions.length > 0);
  });
}

/** Commands that fail with something in them that is nobody's business. */
async function theyFail(channels: readonly string[]): Promise<void> {
  const [channel] = channels as [string];
  const { message_id } = await alice.send(channel, text());
  await until('it has come', async () => {
    const path = `/messages?limit=5&channel=${encodeURIComponent(channel)}`;
    return (await bob.ask<{ message_id: string }[]>('GET', path)).some(
      (message) => message.message_id === message_id,
    );
  });
  const id = message_id.slice(12, 20);
  const failing = [
    ['send', 'nowhere', text()],
    ['send', text(), text()],
    ['send', channel, text(1_800)],
    ['send', channel, text(), text()],
    ['send', channel, text(), '--tll', '1h'],
    ['send', channel, text(), '--network', text()],
    ['send', channel, text(), '--as', text()],
    ['dm', 'nobody', text()],
    ['edit', 'ffffffff', text()],
    ['edit', id, text()],
    ['react', 'ffffffff', EMOJI[0]!],
    ['react', text(), EMOJI[1]!],
    ['react', id, EMOJI.join('').repeat(3)],
    ['delete', text()],
    ['why', text()],
    ['read', text()],
    ['channel', 'create', text(60)],
    ['group', 'create', name(), '--with', text()],
    ['group', 'add', text(), text()],
    ['members', '--group', text()],
    ['rename', text(60)],
    ['rename', name(), '--channel', text()],
    ['grant', 'invite', text()],
    ['remove', 'user', text()],
    ['remove', 'device', text()],
    ['network', 'delete', text()],
    ['join', links[0]!.slice(0, -9), '--as', name()],
    ['join', text(), '--as', name()],
    ['command', 'send_message', '-p', `text=${text()}`],
    [
      'command',
      'send_message',
      '-p',
      `channel_id=${known.channel_id}`,
      '-p',
      `text=${text(1_800)}`,
      '-p',
      'ttl_ms=0',
    ],
    ['command', 'set_profile', '-p', `name=${text(60)}`],
    ['query', 'get_messages', '-p', `channel_id=${text()}`, '-p', 'limit=5'],
    ['query', 'get_messages', '-p', `channel_id=${known.channel_id}`, '-p', `limit=${text()}`],
  ];
  for (const words of failing)
    for (const form of [[], ['--json']]) {
      const { code, stdout, stderr } = await sotto(bob.node, ...words, ...form);
      expect([words.slice(0, 2), code === 0]).toEqual([words.slice(0, 2), false]);
      told(`failing ${words[0]}`, `${stdout}${stderr}`);
    }
  const raw = async (path: string, body: string, type = 'application/json') => {
    const token = readFileSync(join(bob.node.data, 'api.token'), 'utf8').trim();
    const response = await fetch(`http://${bob.node.api}/v1${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': type },
      body,
    });
    expect([path, response.ok]).toEqual([path, false]);
    told(`failing POST ${path.slice(0, 12)}`, await response.text());
  };
  await raw('/messages', `{"channel": "${name()}", "text": "${text()}`);
  await raw('/messages', JSON.stringify({ channel, text: text(), tll_ms: 5 }));
  await raw('/messages', JSON.stringify({ channel, text: [text()] }));
  await raw('/messages', text(), 'text/plain');
  await raw('/messages', JSON.stringify({ channel, text: text().repeat(20_000) }));
}

/** What there is to see of how it works, and of who and where, by the command line; and what queries answer. */
async function theyAreAsked(): Promise<void> {
  const schedule = await alice.ask<{ name: string; enabled: boolean }[]>('GET', '/jobs');
  const workings = [
    ['trace', '--limit', '1000'],
    ['jobs', 'list'],
    ['jobs', 'next'],
    ['jobs', 'history', '--limit', '200'],
    ['reflectors', 'list'],
    ['queries', 'list'],
    ['commands', 'list'],
    ['clock', 'confirm'],
    ...schedule.map((job) => ['jobs', 'why', job.name]),
    ...schedule.filter(({ enabled }) => enabled).map((job) => ['jobs', 'preview', job.name]),
    ...schedule.filter(({ enabled }) => enabled).map((job) => ['jobs', 'run', job.name]),
  ];
  const shown = ['status', 'peers', 'members', 'whoami', 'unread'];
  const listed = ['invite', 'group', 'channel', 'device', 'keys', 'prekeys'].map((what) => `${what} list`);
  const about = [`why ${known.message_id}`, `versions ${known.message_id}`];
  for (const [number, one] of everybody.entries()) {
    // By turns for people and for programs.
    const form = (at: number) => ((number + at) % 2 === 0 ? [] : ['--json']);
    for (const [at, words] of workings.entries()) {
      const { code, stdout, stderr } = await sotto(one.node, ...words, ...form(at));
      expect([words, code]).toEqual([words, 0]);
      told(words.join(' '), `${stdout}${stderr}`);
    }
    for (const [at, command] of [...shown, ...listed, ...about].entries()) {
      const { code, stdout, stderr } = await sotto(one.node, ...command.split(' '), ...form(at));
      expect([command, code]).toEqual([command, 0]);
      overviews.set(command, `${overviews.get(command) ?? ''}${stdout}${stderr}`);
    }
    const value = await parameters(one);
    for (const query of await one.ask<{ name: string; params: string[] }[]>('GET', '/queries')) {
      const params = Object.fromEntries(query.params.map((param) => [param, value(param)]));
      const rows = await one.ask<unknown[]>('POST', `/queries/${query.name}`, { params });
      answers.set(query.name, `${answers.get(query.name) ?? ''}${JSON.stringify(rows)}`);
    }
  }
}

/** Something for every parameter of every query. */
async function parameters(one: Busy): Promise<(param: string) => string> {
  const [key] = await one.ask<{ key_id: string }[]>('GET', '/keys');
  const [invite] = await one.ask<{ invite_id: string }[]>('GET', '/invites');
  const groups = await one.ask<{ group_id: string; kind: string }[]>('GET', '/groups');
  const values: Record<string, string> = {
    ...known,
    joiner_id: 'null',
    group_id: groups.find(({ kind }) => kind === 'private')!.group_id,
    invite_id: invite!.invite_id,
    key_id: key!.key_id,
    peer_id: known.device_id!,
    head: known.message_id!,
    prefix: known.message_id!.slice(0, 16),
    limit: '100',
    level: '1',
    lower: '00',
    before: 'ff'.repeat(33),
    upper: 'ff'.repeat(33),
    salt: '00'.repeat(8),
  };
  return (param) => {
    if (param.endsWith('_ms')) return '1800000000000';
    return values[param] ?? (param.endsWith('_id') ? known.message_id! : '8');
  };
}

// --- what must not be found -----------------------------------------------------------------------------------------------------------

/** The first places at which something is found, in words; none where all is well. */
function placesOf(search: Search, where: Iterable<readonly [string, string | Buffer]>): string[] {
  return [...where].flatMap(([place, content]) =>
    search
      .in(Buffer.from(content))
      .slice(0, PLACES_SHOWN)
      .map(({ what, at }) => `${what} at ${at} of ${place}`),
  );
}

const contentsOf = (snapshot: Snapshot) => snapshot.files.map(({ file, bytes }) => [file, bytes] as const);
const outputs = () => everybody.map(({ node }) => [`what ${node.data} printed`, node.output] as const);

/** Made once: what is said is said by then. */
const made = new Map<string, Search>();
function search(...kinds: readonly ('texts' | 'names' | 'emoji')[]): Search {
  const known_as = kinds.join();
  const found = made.get(known_as) ?? new Search();
  if (!made.has(known_as))
    for (const kind of kinds) for (const one of kind === 'emoji' ? EMOJI : said[kind]) found.addText(one);
  made.set(known_as, found);
  return found;
}

const WHEN = ['while they run', 'after SIGKILL', 'after a restart and SIGTERM'];

describe('the search', () => {
  it('finds what was said in every form that it looks for, wherever it begins', () => {
    const noise = seededRandom(1);
    for (const one of [
      [...said.texts][0]!,
      [...said.texts].find(({ length }) => length > 5_000)!,
      [...said.names][0]!,
      EMOJI[0]!,
    ]) {
      const bytes = Buffer.from(one);
      const forms = [
        bytes,
        Buffer.from(one, 'utf16le'),
        bytes.toString('hex'),
        bytes.toString('hex').toUpperCase(),
        ...[0, 1, 2].flatMap((before) =>
          (['base64', 'base64url'] as const).map((alphabet) =>
            Buffer.concat([noise.bytes(before), bytes, noise.bytes(4)]).toString(alphabet),
          ),
        ),
        encodeURIComponent(one),
      ];
      const everything = search('texts', 'names', 'emoji');
      for (const form of forms) {
        const around = Buffer.concat([noise.bytes(1_001), Buffer.from(form), noise.bytes(1_000)]);
        expect(everything.in(around).length).toBeGreaterThan(0);
      }
      expect(everything.in(Buffer.from(noise.bytes(1_024)))).toEqual([]);
    }
    // A part of a text is enough.
    const long = Buffer.from([...said.texts][1]!);
    expect(search('texts').in(long.subarray(7, 7 + 2 * PIECE - 1)).length).toBeGreaterThan(0);
  });

  it('finds what is known to be there: ids and keys in the files, and short ids in what was printed', () => {
    for (const what of ['channel_id', 'device_id', 'message_id'])
      for (const when of WHEN) {
        const it_alone = new Search().add(what, Buffer.from(known[what]!, 'hex'));
        const found = placesOf(it_alone, contentsOf(snapshots.get(when)!)).join('\n');
        for (const { node } of everybody) expect(found).toContain(` of ${node.data}/sotto.db`);
      }
    const files = (when: string) => snapshots.get(when)!.files.map(({ file }) => basename(file));
    expect(files('while they run')).toEqual(
      expect.arrayContaining([
        'sotto.db',
        'sotto.db-wal',
        'sotto.db-shm',
        'node.lock',
        'node.json',
        'api.token',
      ]),
    );
    expect(files('after SIGKILL')).toContain('sotto.db-wal');
    expect(new Set(files('after a restart and SIGTERM'))).toEqual(new Set(['sotto.db', 'node.lock']));
    expect(
      placesOf(new Search().add('device', Buffer.from(known.device_id!.slice(0, 8))), outputs()),
    ).not.toEqual([]);
    expect(sayings.get('stream /trace/follow')).toContain(known.message_id);
    expect(sayings.get('stream /changes')).toContain(known.message_id);
    expect(placesOf(search('texts'), answers)).not.toEqual([]);
    expect(placesOf(search('names'), overviews)).not.toEqual([]);
  });

  it('finds a text that somebody puts into any of the directories', () => {
    const planted = [...said.texts].at(-1)!;
    for (const { node, temp } of everybody)
      for (const directory of [node.data, temp]) {
        const file = join(directory, 'notes.txt');
        writeFileSync(file, `x${planted}`);
        const found = filesIn(directory).filter(({ bytes }) => search('texts').in(bytes).length > 0);
        expect(found.map((one) => one.file)).toEqual([file]);
        rmSync(file);
      }
  });
});

describe('S11: what people say, and what they call things and each other', () => {
  it('are hundreds of texts, names and emoji', () => {
    expect(said.texts.size).toBeGreaterThan(300);
    expect(said.names.size).toBeGreaterThan(10);
  });

  it.each(WHEN)('is in no file, %s', (when) => {
    const { files } = snapshots.get(when)!;
    expect(files.reduce((total, { bytes }) => total + bytes.length, 0)).toBeGreaterThan(1_000_000);
    expect(placesOf(search('texts', 'names', 'emoji'), contentsOf(snapshots.get(when)!))).toEqual([]);
  });

  it('is in nothing that the nodes print, at whatever level they log', () => {
    for (const { node } of everybody) expect(node.output).toContain('session_opened');
    expect(placesOf(search('texts', 'names', 'emoji'), outputs())).toEqual([]);
  });

  it('is in no trace, preview, history, stream, or refusal', () => {
    expect(sayings.size).toBeGreaterThan(50);
    expect(placesOf(search('texts', 'names', 'emoji'), sayings)).toEqual([]);
    expect(placesOf(search('texts', 'emoji'), overviews)).toEqual([]);
  });
});

describe('S14: secrets', () => {
  /** Where a search for secrets may look: everything. */
  const everywhere = () => [
    ...WHEN.flatMap((when) =>
      contentsOf(snapshots.get(when)!).map(([file, bytes]) => [`${file} ${when}`, bytes] as const),
    ),
    ...outputs(),
    ...sayings,
    ...overviews,
    ...answers,
  ];

  it('those in links are nowhere but in the links', () => {
    const made = new Search();
    for (const link of links) {
      made.add('the secret of a link', decodeInviteLink(link).secret);
      made.addText(link.slice('sotto://join/'.length));
    }
    expect(made.in(Buffer.from(`"${links[2]}"`)).length).toBeGreaterThan(0);
    expect(placesOf(made, everywhere())).toEqual([]);
  });

  it('those in the slots are in the table of the slots, and nowhere else', () => {
    const secrets = new Search();
    const slots = WHEN.slice(1).flatMap((when) =>
      everybody.map(({ node }) => ({ when, data: node.data, ...slotsIn(snapshots.get(when)!, node.data) })),
    );
    for (const slot of slots)
      for (const secret of slot.secrets) secrets.add(`secret ${secret}`, Buffer.from(secret, 'hex'));
    const isInSlots = (file: string, bytes: Buffer, at: number) => {
      const page = file.endsWith('.db')
        ? pageOfFile(bytes, at)
        : file.endsWith('.db-wal')
          ? pageOfLog(bytes, at)
          : 0;
      return slots.some(({ data, pages }) => file.startsWith(`${data}/`) && pages.includes(page));
    };
    const there = new Set<string>();
    const elsewhere: string[] = [];
    for (const when of WHEN)
      for (const { file, bytes } of snapshots.get(when)!.files)
        for (const { what, at } of secrets.in(bytes))
          if (/^secret [0-9a-f]{64}$/.test(what) && isInSlots(file, bytes, at))
            there.add(`${what} ${when} of ${dirname(file)}`);
          else elsewhere.push(`${what} at ${at} of ${file} ${when}`);
    expect(elsewhere.slice(0, PLACES_SHOWN)).toEqual([]);
    for (const { when, data, secrets: held } of slots) {
      // Twenty prekeys, the device's own, and the keys of the groups.
      expect(held.length).toBeGreaterThan(25);
      for (const secret of held) expect(there).toContain(`secret ${secret} ${when} of ${data}`);
    }
    expect(placesOf(secrets, [...outputs(), ...sayings, ...overviews, ...answers])).toEqual([]);
  });
});

/** The secrets in the slots of a database as it was, and the pages of the table that they are in. */
function slotsIn(snapshot: Snapshot, data_dir: string): { secrets: string[]; pages: number[] } {
  const copy = mkdtempSync(join(tmpdir(), 'sotto-secrecy-copy-'));
  try {
    for (const { file, bytes } of snapshot.files)
      if (file.startsWith(`${data_dir}/sotto.db`) && !file.endsWith('-shm'))
        writeFileSync(join(copy, basename(file)), bytes);
    const db = new DatabaseSync(join(copy, 'sotto.db'));
    const secrets = db.prepare('SELECT s.secret FROM key_slot s JOIN key_slot_use u ON u.slot = s.id').all();
    const pages = db.prepare("SELECT pageno FROM dbstat WHERE name = 'key_slot'").all();
    db.close();
    return {
      secrets: secrets.map(({ secret }) => (secret as Uint8Array).toHex()),
      pages: pages.map(({ pageno }) => pageno as number),
    };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** The page of a database file in which a place is. */
function pageOfFile(bytes: Buffer, at: number): number {
  return Math.floor(at / bytes.readUInt16BE(16)) + 1;
}

/** The page that a frame of a write-ahead log holds. */
function pageOfLog(bytes: Buffer, at: number): number {
  const frame_bytes = 24 + bytes.readUInt32BE(8);
  return bytes.readUInt32BE(32 + Math.floor((at - 32) / frame_bytes) * frame_bytes);
}
