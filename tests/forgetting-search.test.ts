/**
 * The search: a real node in a process of its own takes in 10,000 messages, 3,000 of them are deleted, and the chain of forgetting erases what
 * could open them, while others go on writing and reading. No eight bytes of an erased key may be in any file once its receipt is there, and
 * none of any text ever: in the database, its log, temporary files, what the node prints, in the log as it was right before it was cut off;
 * at the time of each receipt; after `kill -9` at any moment of it; and after power cuts that drop what was not synced.
 *
 * That the same search would find them is shown by leaving out each part of the recipe:
 *
 * | left out                                  | what shows it
 * |-------------------------------------------|---------------------------------------------------------------------------------
 * | all steps on the log                      | keys with receipts in the log and in the database
 * | `restart`                                 | never a receipt: the padding would go behind the keys, and that is seen
 * | `pad`                                     | keys in the log that is cut off, and in the blocks that the file system gets back
 * | `pad` and `truncate`                      | keys with receipts in the log, also after power cuts
 * | `truncate`                                | no bytes, all is overwritten: the log stays as long as it was
 * | `fsync`                                   | no bytes, SQLite syncs the padding: but the log is written again before its cut is synced
 * | every fsync, and those of SQLite          | power cuts: broken files, and keys in blocks that come back without their padding
 * | zeroing                                   | keys in the database
 * | zeroing in place, or `secure_delete`      | no bytes: each does for keys what the other does
 * | zeroing in place, and `secure_delete`     | keys in the database
 */
import { randomBytes, randomInt } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  forgetWatched,
  haveStrace,
  type Image,
  LosingDisk,
  logBytes,
  Recording,
  recovered,
  search,
  WatchedNode,
  withoutReceipt,
  withReceipt,
} from './forgetting-search.ts';
import { until } from './process.ts';
import { seededRandom } from './support.ts';

const MESSAGES = 10_000;
const DELETIONS = 3_000;
const CHANNELS = 50;
/** So many of each channel's messages are deleted. More keys in a round than there are new prekeys, which come into slots that are free again. */
const EACH = DELETIONS / CHANNELS;
const ROUNDS = 2;
const AT_ONCE = 200;
/** A log that is not cut off is at least as long as one write of padding. */
const PADDING_BYTES = 256 * 1024;

const parent = mkdtempSync(join(tmpdir(), 'sotto-search-'));
const nodes: WatchedNode[] = [];
async function node(left_behind?: string): Promise<WatchedNode> {
  const made = await WatchedNode.inside(parent, left_behind);
  nodes.push(made);
  return made;
}
afterAll(async () => {
  await Promise.all(nodes.map((one) => one.kill()));
  rmSync(parent, { recursive: true, force: true });
});

/** Everything anybody said, and what was asked for by name. */
const texts: Buffer[] = [];
function text(): string {
  const made = randomBytes(24).toString('base64url');
  texts.push(Buffer.from(made));
  return made;
}

interface Channel {
  readonly channel_id: string;
  readonly name: string;
  readonly message_ids: string[];
}

/** Channels, and so many messages in each, by turns. */
async function load(one: WatchedNode, channels: number, messages: number): Promise<Channel[]> {
  const made: Channel[] = [];
  for (let number = 0; number < channels; number++) {
    const name = `channel-${number}`;
    const { channel_id } = await one.ask<{ channel_id: string }>('POST', '/channels', { name });
    made.push({ channel_id, name, message_ids: [] });
  }
  for (let said = 0; said < messages; said += AT_ONCE) {
    const places = Array.from(
      { length: Math.min(AT_ONCE, messages - said) },
      (_, index) => made[(said + index) % channels]!,
    );
    const inputs = places.map(({ channel_id }) => ({ channel_id, text: text(), ttl_ms: 0 }));
    const ids = await one.commandAll('send_message', inputs);
    for (const [index, { message_ids }] of places.entries()) message_ids.push(ids[index]!);
  }
  return made;
}

async function remove(one: WatchedNode, ids: readonly string[]): Promise<void> {
  for (let done = 0; done < ids.length; done += AT_ONCE)
    await one.commandAll(
      'remove_message',
      ids.slice(done, done + AT_ONCE).map((message_id) => ({ message_id })),
    );
}

/** Nothing of what must be gone by then, in whatever file. */
async function expectNothingIn(one: WatchedNode, { folder, purges }: Image): Promise<void> {
  expect(await search(folder, one.secretsOf(withReceipt(purges)), texts)).toEqual([]);
  expect(await one.searchCut()).toEqual([]);
  rmSync(folder, { recursive: true });
}

describe('10,000 messages, 3,000 of them deleted', () => {
  let alice: WatchedNode;
  let bob: WatchedNode;
  let channels: Channel[];
  let images = 0;

  beforeAll(async () => {
    alice = await node();
    bob = await node();
    await Promise.all([alice.start(), bob.start()]);
    await alice.ask('POST', '/networks', { name: 'Home', as: 'alice' });
    const { link } = await alice.ask<{ link: string }>('POST', '/invites', { uses: 1 });
    await bob.ask('POST', '/join', { link, as: 'bob' });
    channels = await load(alice, CHANNELS, MESSAGES);
  }, 120_000);

  /** What goes on beside the chain: somebody writes, reads, and asks for what is not there. */
  function traffic(): { stop(): Promise<void> } {
    let goes_on = true;
    const going = (async () => {
      while (goes_on) {
        const { name } = channels[randomInt(CHANNELS)]!;
        try {
          await alice.ask('POST', '/messages', { channel: name, text: text() });
          await alice.ask('GET', `/messages?channel=${name}&limit=20`);
          await alice.ask('GET', `/messages?channel=${text()}`);
        } catch {
          // Refused, or the node was killed under our hands.
        }
        await sleep(20);
      }
    })();
    return {
      async stop() {
        goes_on = false;
        await going;
      },
    };
  }

  /** The key of every channel in which something is deleted is dirty. */
  async function removeFrom(some: readonly Channel[], each: number): Promise<void> {
    await remove(
      alice,
      some.flatMap(({ message_ids }) => message_ids.splice(0, each)),
    );
    alice.learn();
  }

  async function undisturbed(): Promise<void> {
    const beside = traffic();
    const taken = await forgetWatched(alice);
    await beside.stop();
    images += taken.length;
    for (const image of taken) await expectNothingIn(alice, image);
  }

  it('at the time of each receipt nothing is found', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const per_round = CHANNELS / ROUNDS;
      await removeFrom(channels.slice(round * per_round, (round + 1) * per_round), EACH);
      await undisturbed();
    }
    expect(images).toBeGreaterThanOrEqual(ROUNDS);
    const keys = withReceipt(alice.purges()).filter(({ kind }) => kind === 'group_key');
    expect(keys.length).toBeGreaterThanOrEqual(CHANNELS);
    expect(alice.rows('event WHERE body IS NULL')).toBeGreaterThanOrEqual(DELETIONS);
  });

  /** The moments at which the node dies: after a step (`intents`: before the first), by what can be seen of it, or at any time. */
  const moments = [
    'intents',
    'restart',
    'pad',
    'truncate',
    'fsync',
    'an intent was seen',
    'a receipt was seen',
    'any time',
  ];
  it.each(moments.map((moment, index) => [moment, index] as const))(
    'after kill -9 nothing that had a receipt is found, and the next start finishes the rest: %s',
    async (moment, index) => {
      await removeFrom(channels.slice(index * 3, index * 3 + 3), 2);
      const before = alice.purges();
      expect(withoutReceipt(before)).toEqual([]);
      const is_step = index < 5;
      if (is_step) alice.stopAt(moment);
      const dies_ms = performance.now() + randomInt(50, 800);
      const isTime = () => {
        if (is_step) return alice.hasStopped();
        if (moment === 'any time') return performance.now() > dies_ms;
        const now = alice.purges();
        return moment === 'an intent was seen'
          ? withoutReceipt(now).length > 0
          : withReceipt(now).length > before.length;
      };
      const beside = traffic();
      let is_killed = false;
      const taken = await forgetWatched(alice, async () => {
        if (!isTime()) return true;
        await alice.kill();
        is_killed = true;
        return false;
      });
      if (is_step) expect(is_killed).toBe(true);
      await alice.kill();
      await beside.stop();
      for (const image of taken) await expectNothingIn(alice, image);

      const dead = alice.imageOfDead();
      const open = withoutReceipt(dead.purges);
      if (is_step) {
        expect(open.length).toBeGreaterThanOrEqual(1);
        // The search finds what is there: until the log is overwritten, the keys are in it.
        const still_in: Record<string, string[]> = {
          intents: ['sotto.db', 'sotto.db-wal'],
          restart: ['sotto.db-wal'],
        };
        expect(await search(dead.folder, alice.secretsOf(open))).toEqual(still_in[moment] ?? []);
      }
      if (moment === 'a receipt was seen')
        expect(withReceipt(dead.purges).length).toBeGreaterThan(before.length);
      await expectNothingIn(alice, dead);

      const printed = alice.node.output.length;
      await alice.start();
      const after = new Map(alice.purges().map((purge) => [purge.n, purge]));
      const { started_ms } = JSON.parse(readFileSync(join(alice.data, 'node.json'), 'utf8'));
      for (const { n } of open) {
        // Before anybody could be told anything.
        expect(after.get(n)).toMatchObject({ has_receipt: true });
        expect(after.get(n)!.zeroed_ms).toBeLessThanOrEqual(started_ms);
      }
      if (open.length > 0) {
        const said = alice.node.output.slice(printed);
        const session_at = said.indexOf('session_opened');
        expect(said).toContain('"msg":"purged"');
        if (session_at !== -1) expect(said.indexOf('"msg":"purged"')).toBeLessThan(session_at);
      }
      await expectNothingIn(alice, alice.image());
      alice.learn();
      await undisturbed();
    },
  );

  it('as long as somebody reads there is no receipt, and then nothing is found', async () => {
    const before = alice.purges().length;
    const endReading = alice.read();
    // No image meanwhile: it would take this process' locks, and with them the reader's.
    await removeFrom(channels.slice(30, 33), 1);
    while ((await alice.ask<{ goes_on: boolean }>('POST', '/forget', {})).goes_on);
    const open = withoutReceipt(alice.purges());
    endReading();
    expect(open.length).toBe(alice.purges().length - before);
    expect(open.length).toBeGreaterThanOrEqual(1);
    await until('the receipts are there', () => withoutReceipt(alice.purges()).length === 0);
    await expectNothingIn(alice, alice.image());
  });

  it('prekeys go, too, once nothing is on its way to them any more', async () => {
    const count = (kind: string) => withReceipt(alice.purges()).filter((purge) => purge.kind === kind).length;
    await until(
      'bob has all channels',
      async () => (await bob.ask<[]>('GET', '/channels')).length > CHANNELS,
    );
    bob.learn();
    expect(await search(bob.image().folder, [], texts)).toEqual([]);
    const [member] = await alice
      .ask<{ user_id: string; name: string }[]>('GET', '/members')
      .then((members) => members.filter(({ name }) => name === 'bob'));
    await alice.ask('DELETE', `/members/${member!.user_id}`);
    await alice.ask('DELETE', `/messages/${channels[0]!.message_ids.pop()}`);
    alice.learn();
    await undisturbed();
    expect(count('group_key')).toBeGreaterThanOrEqual(50);
    expect(count('prekey')).toBeGreaterThanOrEqual(20);
    expect(texts.length).toBeGreaterThan(MESSAGES);
    const { owed } = await alice.ask<{ owed: number }>('GET', '/forgetting');
    expect(owed).toBe(0);
    // And when it has ended as it should.
    await alice.node.end('SIGTERM');
    await expectNothingIn(alice, alice.imageOfDead());
  });
});

describe('with a part of the recipe left out', () => {
  let left_behind: string;

  /** A node that has deleted, and has erased nothing yet. */
  beforeAll(async () => {
    if (process.platform === 'linux') haveStrace();
    const first = await node();
    await first.start();
    await first.ask('POST', '/networks', { name: 'Home', as: 'alice' });
    const channels = await load(first, 5, 100);
    await remove(
      first,
      channels.flatMap(({ message_ids }) => message_ids.slice(0, 5)),
    );
    await first.node.end('SIGTERM');
    left_behind = first.data;
  });

  /** Runs on what was left behind, until a long log has the secrets far behind. */
  async function started(without: string): Promise<WatchedNode> {
    const one = await node(left_behind);
    await one.start(without);
    const channels = await one.ask<{ channel_id: string }[]>('GET', '/channels');
    const say = (channel_id: string, count: number) =>
      one.commandAll(
        'send_message',
        Array.from({ length: count }, () => ({ channel_id, text: text(), ttl_ms: 0 })),
      );
    for (let turn = 0; turn < 4; turn++) await say(channels[0]!.channel_id, 50);
    // A new key is written to the page of all the others.
    const { channel_id } = await one.ask<{ channel_id: string }>('POST', '/channels', { name: 'new' });
    await say(channel_id, 1);
    one.learn();
    return one;
  }

  interface Shown {
    readonly has_receipts: boolean;
    /** In which files keys are that were erased. */
    readonly found: readonly string[];
    readonly is_in_what_was_cut_off: boolean;
    readonly is_log_cut_off: boolean;
  }
  const clean: Shown = { has_receipts: true, found: [], is_in_what_was_cut_off: false, is_log_cut_off: true };
  const in_log = { found: ['sotto.db-wal'] };
  const in_both = { found: ['sotto.db', 'sotto.db-wal'] };
  /** And in the log, where the page was written meanwhile. */
  const in_database = { found: expect.arrayContaining(['sotto.db']) };
  const uncut = { is_log_cut_off: false };
  const parts: [string, Partial<Shown>][] = [
    ['nothing', {}],
    ['restart,pad,truncate,fsync', { ...in_both, ...uncut }],
    ['restart', { ...in_both, ...uncut, has_receipts: false }],
    ['pad', { is_in_what_was_cut_off: true }],
    ['pad,truncate', { ...in_log, ...uncut }],
    ['truncate', { ...uncut }],
    ['zeroing', in_database],
    ['zeroing in place', {}],
    ['secure_delete', {}],
    ['zeroing in place,secure_delete', in_database],
  ];
  it.each(parts)('"%s"', async (without, differs) => {
    const one = await started(without);
    const images = await forgetWatched(one);
    const receipts = withReceipt(one.purges());
    images.push(one.image());
    const found = new Set<string>();
    for (const { folder, purges } of images) {
      // Where there is never a receipt, what it would have been for.
      const erased = receipts.length > 0 ? withReceipt(purges) : purges;
      for (const file of await search(folder, one.secretsOf(erased))) found.add(file);
    }
    const shown: Shown = {
      has_receipts: receipts.length > 0,
      found: [...found].sort(),
      is_in_what_was_cut_off: (await one.searchCut()).length > 0,
      is_log_cut_off: logBytes(join(images.at(-1)!.folder, 'data')) < PADDING_BYTES,
    };
    await one.kill();
    expect(shown).toEqual({ ...clean, ...differs });
  });

  // How much of it is caught depends on how busy the machine is.
  describe.runIf(process.platform === 'linux')('and power cuts', { retry: 3 }, () => {
    const random = seededRandom(8);
    const chance = (share: number) => () => random.bytes(1)[0]! < share * 256;

    /** Every call that a node makes while it erases, and what a power cut after it would have left. */
    async function powerCuts(without: string) {
      const one = await started(without);
      const before = mkdtempSync(join(parent, 'before-'));
      const disk = new LosingDisk(one.data);
      const recording = await Recording.of(one.node.pid, join(before, 'calls'));
      await forgetWatched(one);
      await one.kill();
      const operations = await recording.operations();
      const found = { images: 0, with_receipts: 0, broken: 0, in_files: 0, in_freed: 0, cuts_not_synced: 0 };
      const place = join(before, 'image');
      const freed = join(before, 'freed');
      mkdirSync(freed);
      let is_cut_unsynced = false;
      for (const [at, operation] of operations.entries()) {
        disk.apply(operation);
        if (operation.file === 'sotto.db-wal') {
          if (operation.kind === 'write' && is_cut_unsynced) found.cuts_not_synced += 1;
          is_cut_unsynced = operation.kind === 'cut';
        }
        const is_turn = operation.kind !== 'write' || operations[at - 1]?.kind !== 'write' || at % 40 === 0;
        if (!is_turn) continue;
        for (const share of [0, 0.5]) {
          disk.write(place, chance(share));
          found.images += 1;
          const { purges, integrity } = recovered(place);
          if (integrity !== 'ok') found.broken += 1;
          const receipts = withReceipt(purges);
          if (receipts.length === 0) continue;
          found.with_receipts += 1;
          if ((await search(place, one.secretsOf(receipts))).length > 0) found.in_files += 1;
        }
      }
      for (const [at, bytes] of disk.freed.entries()) writeFileSync(join(freed, `${at}`), bytes);
      found.in_freed = (await search(freed, [...one.secrets.values()])).length;
      return found;
    }

    const sound = { broken: 0, in_files: 0, in_freed: 0, cuts_not_synced: 0 };
    const some = expect.toSatisfy((count: number) => count > 0);
    it.each([
      ['nothing', {}],
      ['fsync', { cuts_not_synced: some }],
      ['pad', { in_freed: some }],
      ['pad,truncate', { in_files: some }],
      [
        'every fsync,synchronous',
        {
          with_receipts: expect.any(Number),
          broken: some,
          in_files: expect.any(Number),
          in_freed: some,
          cuts_not_synced: some,
        },
      ],
    ])('"%s"', async (without, differs) => {
      expect(await powerCuts(without)).toEqual({
        ...sound,
        images: expect.toSatisfy((count) => count >= 20),
        with_receipts: expect.toSatisfy((count) => count >= 5),
        ...differs,
      });
    });
  });
});
