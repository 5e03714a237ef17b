/**
 * The recorder against the chain of forgetting. Every frame and every ciphertext that any device ever stored is kept; after each step the disk of
 * each device, alone, is seized with all its secrets. What was `unreachable` there by then must not open; what lives there must.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from 'vitest';
import type { Id } from '../core/fields.ts';
import { encodeFrame } from '../core/frame-codec.ts';
import { openNodeSqlite } from '../storage/node-sqlite.ts';
import { scrubLog } from '../storage/scrub-log.ts';
import { DiskFull, FailingDb } from './failing-db.ts';
import { freePort, NodeProcess, until } from './process.ts';
import { type Disk, keyBody, Recorder, type Seizure, seize, without } from './recorder.ts';
import { openedDb, seededRandom, TestNode, temporaryFolder } from './support.ts';
import { eventItems, World } from './world.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Devices note once a minute that they agree. */
const SYNCED_MS = 61_000;
/** Types whose content is people's own: what they said of it must be gone in the end. */
const TEXTS = new Set(['message', 'edit', 'reaction']);

type Files = readonly (readonly [device: string, path: string])[];

/** The recorder with the disks that were seized. */
class Evidence {
  readonly recorder = new Recorder();
  readonly folder = temporaryFolder();
  readonly wrong: string[] = [];
  readonly #noted = new Set<string>();
  readonly #disks = new Map<string, { readonly changed: string; readonly disk: Disk }>();

  /** Copies of files as they are now, all of them recorded. What has not changed since the last time is as it was. */
  take(files: Files): Disk[] {
    return files.map(([device, path]) => {
      const changed = changedAt(path);
      const known = this.#disks.get(path);
      if (known?.changed === changed) return known.disk;
      const disk = this.recorder.disk(device, seize(path, join(this.folder, `${device}.db`)));
      this.#disks.set(path, { changed, disk });
      return disk;
    });
  }

  /** Each alone, with all recordings. */
  step(label: string, files: Files, now_ms: number, said?: ReadonlyMap<string, string>): void {
    for (const fault of this.recorder.check(this.take(files), now_ms, said)) this.#note(label, fault);
  }

  /** Each fault once, at the step that made it. */
  #note(label: string, fault: string): void {
    if (this.#noted.has(fault)) return;
    this.#noted.add(fault);
    this.wrong.push(`${label}: ${fault}`);
  }

  attack(device: string, path: string): Seizure {
    return this.recorder.attack(this.take([[device, path]])[0]!);
  }

  /** In the end: of all that anybody ever said, on no device anything opens but what lives there. */
  end(files: Files, now_ms: number): void {
    this.step('end', files, now_ms);
    for (const disk of this.take(files)) {
      const { keys, opened } = this.recorder.attack(disk);
      for (const { event_id, type } of this.recorder.said())
        if (TEXTS.has(type) && opened.has(event_id) && (disk.stored.get(event_id) ?? 0) <= now_ms)
          this.#note('end', `${disk.device}: still opens: ${this.recorder.shown(event_id, keys)}`);
    }
  }
}

/** When a file and its log were last written. */
function changedAt(path: string): string {
  return [path, `${path}-wal`]
    .map((file) => statSync(file, { bigint: true, throwIfNoEntry: false }))
    .map((found) => `${found?.mtimeNs} ${found?.size}`)
    .join();
}

interface DeletionRow {
  readonly message_id: string;
  readonly keys: number;
  readonly keys_unreachable: number;
  readonly devices: number;
  readonly devices_forgotten: number;
}

/** A world in which everything is recorded. */
class Story extends World {
  evidence = new Evidence();
  /** The device to which no `key` event comes through while it is set, and the events that were held back so: they never come through. */
  withholding: string | null = null;
  readonly withheld = new Set<string>();
  /** Frames with events that were held back, as they were. */
  readonly held_frames: Uint8Array[] = [];
  readonly dead: string[] = [];

  fileOf = (name: string) => join(this.folder, `${name}.db`);
  files = (names: readonly string[] = [...this.nodes.keys()]) =>
    names.map((name) => [name, this.fileOf(name)] as const);

  override meet(a: string, b: string, carry: (frame: Uint8Array) => Uint8Array[] = (frame) => [frame]) {
    return super.meet(a, b, (frame) => {
      this.evidence.recorder.frame(frame);
      const left = without(frame, ({ event_id, fields, body }) => {
        const to = fields.type === 'key' ? Buffer.from(keyBody(body).device_id).toString('hex') : null;
        if (this.withholding !== null && to === this.withholding) this.withheld.add(event_id);
        return this.withheld.has(event_id);
      });
      if (left !== frame) this.held_frames.push(frame);
      return carry(left);
    });
  }

  /** As the host does it: no copy is left in the log. */
  override receipt(name: string): void {
    const { db, engine } = this.node(name);
    const { until } = engine.query('get_open_purges', {}, 0)[0] as { until: number | null };
    if (until !== null) expect(scrubLog(db, this.fileOf(name))).toBe(true);
    super.receipt(name);
  }

  /** Twice is enough where little is new. */
  override gather(names: readonly string[] = [...this.nodes.keys()]): void {
    for (let twice = 0; twice < 2; twice++)
      for (const [at, a] of names.entries()) for (const b of names.slice(at + 1)) this.meet(a, b);
  }

  step(label: string): void {
    this.evidence.step(label, this.files(), this.clock.wall, this.said());
  }

  /** What devices say is out of reach on all of them: deleted events, with who says so. */
  said(): Map<string, string> {
    const said = new Map<string, string>();
    for (const [name, node] of this.nodes)
      for (const row of node.engine.identity(1) === null
        ? []
        : node.query<DeletionRow>('get_deletions', { limit: 50 }))
        if (row.keys > 0 && row.keys === row.keys_unreachable && row.devices_forgotten + 1 >= row.devices)
          said.set(row.message_id, name);
    return said;
  }

  /** The chain on one device, and a look at all disks after each of its jobs. */
  chain(name: string, label: string, grace_ms = HOUR_MS): void {
    const jobs = [
      'ttl_cleanup_job',
      'rekey_creation_job',
      'rekey_creation_job',
      'delete_rekeyed_events_job',
      'purge_unused_keys_job',
      'purge_unused_keys_job',
    ];
    for (const job of jobs) {
      const params = job === 'purge_unused_keys_job' ? { grace_ms } : {};
      if (this.runJob(name, job, params) > 0) this.step(`${label}, ${job} of ${name}`);
    }
    this.receipt(name);
    this.step(`${label}, receipt of ${name}`);
    if (this.runJob(name, 'prekey_replenishment_job') > 0) this.step(`${label}, prekeys of ${name}`);
  }

  /** The chain on all devices, as hours and days pass, until everything has to be forgotten. */
  finish(days: number): void {
    const names = [...this.nodes.keys()];
    this.round('round 1', names);
    this.round('round 2', names);
    this.round('round 3', names);
    for (let day = 1; day <= days; day++) {
      this.clock.pass(DAY_MS);
      this.round(`day ${day}`, names);
      this.round(`day ${day}, an hour later`, names);
    }
    this.evidence.end(this.files(names), this.clock.wall);
  }

  round(label: string, names: readonly string[]): void {
    for (const name of names) this.chain(name, label);
    this.clock.pass(SYNCED_MS);
    this.gather(names);
    this.step(`${label}, all have met`);
    this.clock.pass(HOUR_MS + 1);
    for (const name of names) this.runJob(name, 'share_keys_job');
  }

  removes(name: string, message_id: string): void {
    this.clock.pass(1);
    this.node(name).engine.command('remove_message', 1, { message_id });
    this.dead.push(message_id);
  }

  edits(name: string, message_id: string, text: string): void {
    this.clock.pass(1);
    this.node(name).engine.command('edit_message', 1, { message_id, text });
    this.dead.push(message_id);
  }

  reacts(name: string, message_id: string): void {
    this.clock.pass(1);
    this.node(name).engine.command('react', 1, { message_id, emoji: '👍' });
  }

  opens(name: string): ReadonlySet<string> {
    return this.evidence.attack(name, this.fileOf(name)).opened;
  }

  gives(name: string, frame: Uint8Array, from: string): void {
    this.evidence.recorder.frame(frame);
    this.node(name).engine.receive(1, { session_id: 'recorded', device_id: this.device(from) }, frame);
  }
}

/** Alice with two devices, Bob and Carol. */
function four(seed: number): Story {
  const story = new Story({ seed });
  story.found('alice');
  story.join('alice', 'bob');
  story.join('alice', 'carol');
  story.link('alice', 'phone');
  story.gather();
  story.step('founded');
  return story;
}

type Episode = (story: Story) => void;

/** Who is left with whom while the two sides are apart. */
const SIDES = [
  ['alice', 'phone'],
  ['bob', 'carol'],
] as const;

/** Each side forgets something else, and so seals anew what both have, under a key that the other side has not. Gives the id of what both have. */
function sealedAnewOnBothSides(story: Story): Id {
  const [disputed, left] = [
    story.say('alice', 'sealed anew on both sides'),
    story.say('alice', 'goes on one side'),
  ];
  story.gather();
  const right = story.say('bob', 'goes on the other');
  story.gather();
  story.removes('alice', left);
  story.removes('bob', right);
  for (const side of SIDES) {
    story.gather(side);
    for (const name of side) story.chain(name, 'apart');
    story.gather(side);
  }
  return disputed;
}

const episodes: Readonly<Record<string, Episode>> = {
  'deletions by author and admin, edits, reactions, lives of an hour and a day': (story) => {
    const of_alice = ['one', 'two', 'three'].map((text) => story.say('alice', text));
    const of_bob = ['four', 'five'].map((text) => story.say('bob', text));
    const alone = story.say(
      'carol',
      'alone under its key, until it is edited',
      story.channel_id,
      30 * DAY_MS,
    );
    story.say('carol', 'an hour', story.channel_id, HOUR_MS);
    story.say('carol', 'a day', story.channel_id, DAY_MS);
    story.gather();
    story.reacts('bob', of_alice[0]!);
    story.reacts('carol', of_bob[1]!);
    story.edits('alice', of_alice[1]!, 'two, again');
    story.step('said');
    story.gather();
    story.edits('phone', of_alice[1]!, 'two, and again');
    story.edits('carol', alone, 'edited');
    story.removes('phone', of_alice[0]!);
    story.removes('alice', of_bob[0]!);
    story.gather();
    story.step('deleted');
    // The converse: before the chain, the recordings open with what is on each disk.
    for (const name of story.nodes.keys()) {
      const opened = story.opens(name);
      for (const dead of [of_alice[0]!, of_alice[1]!, of_bob[0]!, alone]) expect([...opened]).toContain(dead);
    }
    // The keys go before the prekeys that they came to: nobody has agreed with anybody since these were retired.
    for (const label of ['at once', 'an hour later']) {
      for (const name of story.nodes.keys()) story.chain(name, label);
      story.clock.pass(HOUR_MS + 1);
    }
  },

  'a late wrap: who was apart goes on writing under a key that is dirty elsewhere': (story) => {
    const gone = story.say('alice', 'goes while carol is apart');
    story.gather();
    story.removes('alice', gone);
    const others = ['alice', 'phone', 'bob'];
    story.gather(others);
    for (let late = 0; late < 2; late++) {
      for (const name of others) story.chain(name, `carol is apart, ${late}`);
      story.clock.pass(SYNCED_MS);
      story.gather(others);
      story.say('carol', `said apart ${late}`);
      story.clock.pass(HOUR_MS + 1);
    }
    expect([...story.opens('carol')]).toContain(gone);
    story.meet('carol', 'phone');
    story.step('carol is back');
    story.gather();
    for (const name of story.nodes.keys())
      expect(story.read(name)).toEqual(expect.arrayContaining(['said apart 0', 'said apart 1']));
  },

  'a late wrap of what is dead here, under a key that is clean here': (story) => {
    const gone = story.say('alice', 'goes at alice, under another key at carol');
    story.gather();
    const mine = story.say('carol', 'goes at carol');
    story.gather();
    story.removes('carol', mine);
    for (let twice = 0; twice < 2; twice++) story.runJob('carol', 'rekey_creation_job');
    story.step('carol has sealed it anew');
    expect(story.opens('carol')).toContain(gone);
    const kept = eventItems(story.node('carol')).items.get(gone)!;
    // Bob gets Carol's new key, with something under it, and passes it on. He has what Alice deletes under the old one.
    story.meet('carol', 'bob');
    story.removes('alice', gone);
    story.meet('bob', 'alice');
    story.gather(['alice', 'phone']);
    story.gives('alice', encodeFrame([kept]), 'carol');
    story.gives('phone', encodeFrame([kept]), 'carol');
    story.step('the late wrap has come');
    for (let round = 0; round < 3; round++) {
      for (const name of ['alice', 'phone']) story.chain(name, `without carol, ${round}`);
      story.clock.pass(SYNCED_MS);
      story.gather(['alice', 'phone']);
      story.clock.pass(HOUR_MS + 1);
    }
    expect([...story.opens('alice')]).not.toContain(gone);
    expect([...story.opens('phone')]).not.toContain(gone);
  },

  'losing wraps: two sides apart seal anew under keys of their own, meet, and it is deleted': (story) => {
    const disputed = sealedAnewOnBothSides(story);
    story.gather();
    story.step('both sides have met');
    story.removes('phone', disputed);
    story.gather();
    story.step('deleted');
    expect([...story.opens('carol')]).toContain(disputed);
  },

  'losing wraps: one side alone forgets what the other has sealed anew under a key of its own': (story) => {
    const disputed = sealedAnewOnBothSides(story);
    story.gather();
    story.removes('phone', disputed);
    for (let round = 0; round < 3; round++) {
      story.gather(SIDES[0]);
      for (const name of SIDES[0]) story.chain(name, `one side alone, ${round}`);
      story.clock.pass(HOUR_MS + 1);
    }
  },

  'a deletion of which nobody has heard yet, under a key that the others forgot long ago': (story) => {
    const [other, gone] = [story.say('alice', 'goes first'), story.say('alice', 'goes later')];
    story.gather();
    story.removes('alice', other);
    story.gather();
    story.clock.pass(1);
    story.runJob('alice', 'prekey_replenishment_job');
    for (const passing_ms of [SYNCED_MS, HOUR_MS + 1, SYNCED_MS]) {
      for (const name of ['bob', 'carol', 'phone']) story.chain(name, 'alice is slow');
      story.clock.pass(passing_ms);
      story.gather();
    }
    story.removes('alice', gone);
    story.chain('alice', 'alone');
    expect([...story.opens('bob')]).toContain(gone);
  },

  'a withheld `key` event, given to the device again and again after its purge': (story) => {
    story.withholding = story.device('carol');
    const message = story.say('alice', 'under a withheld key', story.channel_id, 7 * DAY_MS);
    story.meet('alice', 'carol');
    story.gather();
    expect(story.withheld.size).toBeGreaterThan(0);
    expect(story.waiting('carol')).toEqual({ key_missing: 1 });
    story.step('withheld');
    story.withholding = null;
    story.clock.pass(61_000);
    story.runJob('carol', 'request_keys_job');
    story.meet('carol', 'alice');
    expect(story.read('carol')).toContain('under a withheld key');
    story.gather();
    story.removes('alice', message);
    story.gather();
    story.step('deleted');
    expect([...story.opens('carol')]).toContain(message);
    const withheld = new Set(story.withheld);
    const again = (label: string) => {
      story.withheld.clear();
      for (const frame of story.held_frames)
        story.gives(
          'carol',
          without(frame, ({ event_id }) => !withheld.has(event_id)),
          'alice',
        );
      story.step(`${label}: the withheld key came`);
    };
    // The key is erased before the prekeys that it was sealed to.
    for (let twice = 0; twice < 2; twice++) {
      story.clock.pass(1);
      for (const job of ['rekey_creation_job', 'delete_rekeyed_events_job', 'purge_unused_keys_job'])
        story.runJob('carol', job, job === 'purge_unused_keys_job' ? { grace_ms: 0 } : {});
    }
    story.receipt('carol');
    story.step('erased');
    again('between');
    story.clock.pass(1);
    for (const name of story.nodes.keys()) story.chain(name, 'withheld');
    story.clock.pass(SYNCED_MS);
    story.gather();
    story.clock.pass(HOUR_MS + 1);
    for (const name of story.nodes.keys()) story.chain(name, 'withheld, later');
    again('after');
    expect([...story.opens('carol')]).not.toContain(message);
  },

  'a healing race: a key is given twice, by two, to prekeys of before and after': (story) => {
    const message = story.say('alice', 'under a key that is given twice', story.channel_id, 30 * DAY_MS);
    story.withholding = story.device('carol');
    story.gather();
    story.clock.pass(61_000);
    story.runJob('carol', 'request_keys_job');
    story.withholding = null;
    // Bob hears of the request, and both answer it.
    story.meet('carol', 'bob');
    story.clock.pass(1);
    story.runJob('carol', 'prekey_replenishment_job');
    story.meet('carol', 'alice');
    story.clock.pass(11 * 60_000);
    for (const name of ['alice', 'bob', 'phone']) story.runJob(name, 'share_keys_job');
    story.gather();
    expect(story.read('carol')).toContain('under a key that is given twice');
    story.step('given twice');
    story.removes('alice', message);
    story.gather();
    story.step('deleted');
    expect([...story.opens('carol')]).toContain(message);
  },

  'a healing race: a dirty key is given once more, to a prekey of after, by who has not heard': (story) => {
    const carol = story.device('carol');
    const message = story.say('alice', 'under a key that comes late', story.channel_id, 30 * DAY_MS);
    story.withholding = carol;
    story.meet('alice', 'carol');
    story.withholding = null;
    story.meet('alice', 'bob');
    story.clock.pass(61_000);
    story.runJob('carol', 'request_keys_job');
    story.meet('carol', 'alice');
    expect(story.read('carol')).toContain('under a key that comes late');
    // Bob hears of the request, from somebody else.
    story.meet('alice', 'bob');
    story.removes('alice', message);
    story.meet('alice', 'carol');
    story.clock.pass(1);
    story.chain('carol', 'dirty at carol');
    story.clock.pass(1);
    // Bob hears of the new prekeys, and not yet of the deletion: what says so is held up.
    const held_up = (frame: Uint8Array) => [
      without(frame, ({ fields }) => fields.target !== null || fields.type === 'key-dirty'),
    ];
    story.meet('bob', 'carol', held_up);
    story.clock.pass(11 * 60_000);
    story.runJob('bob', 'share_keys_job');
    story.meet('bob', 'carol', held_up);
    const after = story
      .node('carol')
      .all('SELECT hex(public_key) AS prekey FROM prekey_secret WHERE retired_ms IS NULL');
    const [dirty] = story.node('carol').all('SELECT hex(id) AS id FROM group_key WHERE dirty_ms IS NOT NULL');
    const given = after.flatMap(({ prekey }) => story.evidence.recorder.keysTo(String(prekey).toLowerCase()));
    expect(given).toContain(String(dirty!.id).toLowerCase());
    story.step('given to a prekey of after');
    story.clock.pass(HOUR_MS);
    story.chain('carol', 'an hour later');
    story.gather();
    story.step('all have heard');
  },

  'a message that is to live an hour, sealed anew because another one was deleted': (story) => {
    story.say('alice', 'for ever');
    const gone = story.say('alice', 'an hour, deleted', story.channel_id, HOUR_MS);
    story.say('alice', 'an hour, runs out', story.channel_id, HOUR_MS);
    story.gather();
    story.removes('alice', gone);
    story.gather();
    story.step('deleted');
  },
};

describe('S5, S7, S10: nothing that is unreachable opens from the recordings, everything live does; at every step, on every device', () => {
  it.each(Object.keys(episodes))('%s', (name) => {
    const story = four(name.length);
    episodes[name]!(story);
    story.finish(/live/.test(name) ? 2 : 0);
    expect(story.evidence.wrong).toEqual([]);
    expect(story.read('bob')).toEqual(story.read('alice'));
  });
});

/** The chain on Bob's device from its beginning to its end, as hours pass in which he agrees with others. */
function wholeChain(story: Story): void {
  // Prekeys that what has expired came to are retired once a day.
  for (const passing_ms of [HOUR_MS + 1, DAY_MS, HOUR_MS + 1]) {
    for (const job of [
      'ttl_cleanup_job',
      'rekey_creation_job',
      'rekey_creation_job',
      'delete_rekeyed_events_job',
    ])
      story.runJob('bob', job);
    for (let twice = 0; twice < 2; twice++) story.runJob('bob', 'purge_unused_keys_job');
    story.receipt('bob');
    story.runJob('bob', 'prekey_replenishment_job');
    story.clock.pass(passing_ms);
    story.node('bob').engine.instruct(1, 'test', 'synced', { device_id: 'ab'.repeat(32), through_n: 0 });
  }
  story.runJob('bob', 'purge_unused_keys_job');
  story.receipt('bob');
}

describe('S10, S16, F1: the same after a crash at any statement of the chain', () => {
  it('a fault at every statement, of many at ever fewer: nothing unreachable opens, everything live does, the chain completes', () => {
    const base = new Story({ seed: 5 });
    base.found('alice');
    base.join('alice', 'bob');
    const gone = base.say('alice', 'deleted');
    const edited = base.say('bob', 'edited');
    for (let n = 0; n < 3; n++) base.say('alice', `stays ${n}`);
    base.say('alice', 'an hour', base.channel_id, HOUR_MS);
    base.gather();
    base.reacts('bob', edited);
    base.step('said');
    base.edits('bob', edited, 'edited, again');
    base.removes('alice', gone);
    base.gather();
    base.step('deleted');
    base.clock.pass(2 * HOUR_MS);
    const evidence = base.evidence;
    const saved = join(base.folder, 'saved.db');
    base.node('bob').db.prepare('VACUUM INTO :path').all({ path: saved });
    expect(evidence.attack('bob', saved).opened).toContain(gone);

    let crashes = 0;
    for (let fail_at = 0; ; fail_at += 1 + Math.floor(fail_at / 8)) {
      const story = new Story({ seed: 5 });
      story.evidence = evidence;
      story.clock.pass(base.clock.monotonic);
      const path = story.fileOf('bob');
      seize(saved, path);
      const device = `bob, fault at ${fail_at}`;
      evidence.take([[device, path]]);
      const failing = new FailingDb(openNodeSqlite(path));
      failing.exec('PRAGMA synchronous = OFF');
      const random = seededRandom(7);
      story.nodes.set('bob', new TestNode({ clock: story.clock, random, db: failing }));
      failing.left = fail_at;
      let done = false;
      try {
        wholeChain(story);
        done = true;
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(DiskFull);
        crashes += 1;
      }
      evidence.step('right after it', [[device, path]], story.clock.wall);
      failing.left = Number.POSITIVE_INFINITY;
      failing.close();
      const db = openedDb(path);
      db.exec('PRAGMA synchronous = OFF');
      story.nodes.set('bob', new TestNode({ clock: story.clock, random, db }));
      if (!done) wholeChain(story);
      const left = story.node('bob').all(
        `SELECT count(*) AS n FROM group_key k WHERE (k.dirty_ms IS NOT NULL OR k.expires_ms <= ${story.clock.wall})
           AND NOT EXISTS (SELECT 1 FROM purge p WHERE p.key_id = k.id AND p.unreachable_ms IS NOT NULL)`,
      );
      if (left[0]?.n !== 0) evidence.wrong.push(`${device}: ${left[0]?.n} keys are still reachable`);
      evidence.end([[device, path]], story.clock.wall);
      db.close();
      if (done) break;
    }
    expect(evidence.wrong).toEqual([]);
    expect(crashes).toBeGreaterThan(30);
  }, 120_000);
});

// --- real processes ---------------------------------------------------------------------------------------------------------------------

const nodes: NodeProcess[] = [];
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.end('SIGKILL')));
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const databaseOf = (node: NodeProcess) => join(node.data, 'sotto.db');

interface KeyView {
  readonly state: string;
}

describe('S10, S16: the same at real processes', () => {
  it('kill -9 at moments of the chain: nothing unreachable opens from the disk, everything live does; in the end all is forgotten', async () => {
    const evidence = new Evidence();
    const names = ['alice', 'bob'] as const;
    for (const _ of names) nodes.push(new NodeProcess(`127.0.0.1:${await freePort()}`));
    await Promise.all(nodes.map((node) => node.start()));
    const [alice, bob] = nodes as [NodeProcess, NodeProcess];
    await alice.ask('POST', '/networks', { name: 'Home', as: 'alice' });
    const { link } = await alice.ask<{ link: string }>('POST', '/invites', { uses: 1 });
    await bob.ask('POST', '/join', { link, as: 'bob' });
    const send = async (node: NodeProcess, text: string) =>
      (await node.ask<{ message_id: string }>('POST', '/messages', { channel: 'general', text })).message_id;
    const read = async (node: NodeProcess) =>
      (await node.ask<{ text: string }[]>('GET', '/messages?channel=general&limit=100'))
        .map(({ text }) => text)
        .toSorted();
    const bothShow = (texts: readonly string[]) =>
      until('both show the same', async () => {
        const shown = await Promise.all(nodes.map(read));
        return shown.every((list) => list.join() === [...texts].sort().join());
      });
    /** What a running node has stored by now. */
    const record = (node: NodeProcess, name: string): Disk => {
      const copy = join(temporaryFolder(), 'copy.db');
      const db = new DatabaseSync(databaseOf(node), { readOnly: true });
      db.prepare('VACUUM INTO ?').all(copy);
      db.close();
      return evidence.recorder.disk(name, copy);
    };
    const recordBoth = () => names.map((name, at) => record(nodes[at]!, name));

    const ids = new Map<string, string>();
    for (const text of ['one', 'two', 'three', 'four', 'five', 'six']) ids.set(text, await send(alice, text));
    await bothShow([...ids.keys()]);
    for (const text of ['seven', 'eight', 'nine']) ids.set(text, await send(bob, text));
    await bothShow([...ids.keys()]);
    await alice.ask('POST', '/reactions', { message: ids.get('seven'), emoji: '👍' });
    recordBoth();
    await alice.ask('PATCH', `/messages/${ids.get('two')}`, { text: 'two, again' });
    await alice.ask('DELETE', `/messages/${ids.get('one')}`);
    await alice.ask('DELETE', `/messages/${ids.get('seven')}`);
    await bob.ask('DELETE', `/messages/${ids.get('eight')}`);
    const live = ['two, again', 'three', 'four', 'five', 'six', 'nine'];
    await bothShow(live);
    // The converse: the recordings open with what is on either disk.
    for (const disk of recordBoth()) {
      const { opened } = evidence.recorder.attack(disk);
      for (const text of ['one', 'two', 'seven', 'eight']) expect(opened).toContain(ids.get(text));
    }

    const forget = async (node: NodeProcess) => {
      while ((await node.ask<{ goes_on: boolean }>('POST', '/forget', {})).goes_on);
    };
    /** As if a while had passed since the two last agreed: it is noted once a minute, and prekeys are kept until then. */
    const agreedLongAgo = (node: NodeProcess) => {
      const db = new DatabaseSync(databaseOf(node));
      db.exec('UPDATE synced SET at_ms = at_ms - 3600000');
      db.close();
    };
    const random = seededRandom(9);
    for (let kill = 0; kill < 8; kill++) {
      const at = kill % 2;
      const node = nodes[at]!;
      const forgetting = forget(node).catch(() => undefined);
      await pause(2 + ((random.bytes(1)[0]! * (kill < 4 ? 1 : 4)) >> 2));
      await node.end('SIGKILL');
      await forgetting;
      evidence.step(`kill ${kill}`, [[names[at]!, databaseOf(node)]], Date.now());
      record(nodes[1 - at]!, names[1 - at]!);
      agreedLongAgo(node);
      await node.start();
    }
    await until(
      'everything is forgotten',
      async () => {
        for (const node of nodes) await forget(node);
        recordBoth();
        const { keys } = await alice.ask<{ keys: KeyView[] }>('GET', '/forgetting');
        const { keys: at_bob } = await bob.ask<{ keys: KeyView[] }>('GET', '/forgetting');
        const settled = (of: readonly KeyView[]) =>
          of.some(({ state }) => state === 'unreachable') &&
          of.every(({ state }) => state === 'clean' || state === 'unreachable');
        return settled(keys) && settled(at_bob);
      },
      90_000,
    );
    await bothShow(live);
    await Promise.all(nodes.map((node) => node.end('SIGKILL')));
    evidence.end(
      names.map((name, at) => [name, databaseOf(nodes[at]!)] as const),
      Date.now(),
    );
    expect(evidence.wrong).toEqual([]);
  }, 180_000);
});
