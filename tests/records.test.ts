/** One record, bit by bit: what was signed and sealed is taken as it was made, or not at all. */
import { describe, expect, it } from 'vitest';
import { decodeFrame, encodeFrame } from '../core/frame-codec.ts';
import { eventItems, World } from './world.ts';

describe('S2, S3, S6: a record as it travels', () => {
  /** Alice and Bob, who has all that she has said but what follows. */
  function home(): World {
    const world = new World({ seed: 2 });
    world.found('alice');
    world.join('alice', 'bob');
    world.gather();
    world.say('alice', 'warm up');
    world.meet('alice', 'bob');
    return world;
  }

  /** Brings a record to Bob with each of its bits flipped, and then as it is. Returns the bits with which it is kept to wait for something. */
  function flipEach(
    world: World,
    event_id: string,
  ): { item: Uint8Array; waited: number[]; counters: string[] } {
    const item = eventItems(world.node('alice')).items.get(event_id) as Uint8Array;
    const bob = world.node('bob');
    const session = { session_id: 'test', device_id: world.device('alice') };
    const receive = (bytes: Uint8Array) => bob.engine.receive(1, session, encodeFrame([bytes]));
    const events = () =>
      JSON.stringify(bob.all('SELECT hex(id), hex(header), hex(body), type FROM event ORDER BY id'));
    const before = events();
    const waited: number[] = [];
    for (let bit = 0; bit < item.length * 8; bit++) {
      const flipped = item.slice();
      (flipped[bit >> 3] as number) ^= 1 << (bit & 7);
      receive(flipped);
      expect([bit, events() === before]).toEqual([bit, true]);
      if (bob.all('SELECT n FROM waiting').length === 0) continue;
      waited.push(bit);
      for (const table of ['waiting', 'waiting_for', 'waiting_wrap']) bob.db.exec(`DELETE FROM ${table}`);
    }
    receive(item);
    expect(bob.query('get_standing_of', { prefix: event_id })).toMatchObject([{ standing: 'valid' }]);
    return { item, waited, counters: [...bob.engine.pipeline.counters.keys()] };
  }

  it('a sealed one is refused for every flipped bit, but for those that name its key: with these it waits for a key that nobody has', () => {
    const world = home();
    const { item, waited, counters } = flipEach(world, world.say('alice', 'exactly this'));
    const [sent] = decodeFrame(encodeFrame([item]));
    const key_id = Uint8Array.fromHex((sent?.item === 'event' ? sent.raw.wraps[0]?.key_id : '') ?? '');
    expect(key_id).toHaveLength(32);
    // The wrap is not part of what is signed.
    const first = item.toHex().indexOf(key_id.toHex()) * 4;
    expect(waited).toEqual(Array.from({ length: 256 }, (_, at) => first + at));
    expect(counters.filter((name) => name.startsWith('failed'))).toEqual([]);
    expect(world.read('bob')).toEqual(['warm up', 'exactly this']);
  }, 120_000);

  it.each(['grant', 'address'])(
    'a public one (%s) is refused for every flipped bit',
    (type) => {
      const world = home();
      const { engine } = world.node('alice');
      const made =
        type === 'grant'
          ? engine.command('grant_right', 1, { user_id: world.userOf('bob'), right: 'invite' })
          : engine.command('announce_address', 1, { address: '127.0.0.1:5' });
      const { waited, counters } = flipEach(world, made.event_ids[0] as string);
      expect(waited).toEqual([]);
      expect(counters.filter((name) => name.startsWith('failed'))).toEqual([]);
    },
    120_000,
  );
});

describe('S14: secrets and the world of jobs and reflectors', () => {
  it('no byte of a slot, and no text, is in what pure functions are given, return, or what is traced', () => {
    const world = new World({ seed: 3 });
    world.found('alice');
    const seen: string[] = [];
    const record = (value: unknown) => {
      seen.push(
        JSON.stringify(value, (_key, inner) =>
          inner instanceof Uint8Array ? inner.toHex() : typeof inner === 'function' ? '' : inner,
        ) ?? '',
      );
    };
    for (const name of ['alice', 'bob']) {
      const { pure } = world.node(name).engine;
      for (const kind of ['job', 'reflector', 'command', 'project', 'brokenRule'] as const) {
        const original = pure[kind].bind(pure) as (...args: unknown[]) => unknown;
        (pure as unknown as Record<string, unknown>)[kind] = (...args: unknown[]) => {
          if (kind !== 'command') record(args.slice(1));
          const returned = original(...args);
          if (kind !== 'command') record(returned);
          return returned;
        };
      }
      const queries = (world.node(name).engine as unknown as { pure: { query?: unknown } }).pure;
      expect(queries).toBeDefined();
    }
    world.join('alice', 'bob');
    world.say('alice', 'the text of a message');
    world.meet('alice', 'bob');
    const message_id = world.say('bob', 'another text');
    world.node('bob').engine.command('edit_message', 1, { message_id, text: 'a corrected text' });
    world.node('bob').engine.command('create_group', 1, {
      name: 'the name of a group',
      member_ids: [world.userOf('alice')],
    });
    world.gather();
    for (const name of ['alice', 'bob'])
      for (const job of [
        'share_keys_job',
        'request_keys_job',
        'prekey_replenishment_job',
        'close_groups_job',
        'admit_joiners_job',
      ])
        world.runJob(name, job);
    const secrets: string[] = [];
    for (const name of ['alice', 'bob']) {
      record(world.node(name).engine.trace.read(100_000, 0));
      for (const { secret } of world
        .node(name)
        .all('SELECT s.secret FROM key_slot s JOIN key_slot_use u ON u.slot = s.id'))
        secrets.push((secret as Uint8Array).toHex());
    }
    expect(secrets.length).toBeGreaterThan(45);
    const everything = seen.join('\n');
    expect(everything.length).toBeGreaterThan(100_000);
    for (const secret of secrets)
      for (let at = 0; at + 16 <= secret.length; at += 8)
        expect(everything.includes(secret.slice(at, at + 16))).toBe(false);
    for (const text of ['the text of', 'another text', 'a corrected', 'the name of'])
      expect(everything).not.toContain(text);
  });

  it('a query or an SQL file of an app that names the slots stops the start', async () => {
    const { query } = await import('../core/query.ts');
    const { bytes } = await import('../core/fields.ts');
    const { overlaid, TestNode } = await import('./support.ts');
    const getSecrets = query({
      description: 'All secrets.',
      scope: 'node',
      params: {},
      row: { secret: bytes(32) },
      sql: 'SELECT secret FROM Key_Slot',
    });
    const stealing = overlaid({ modules: { 'events/thief/queries.ts': { getSecrets } } });
    expect(() => new TestNode({ protocol: stealing })).toThrow(/names the table/);
    const hiding = overlaid({
      sql: { 'events/thief/thief.sql': 'CREATE VIEW thief AS SELECT secret FROM key_slot' },
    });
    expect(() => new TestNode({ protocol: hiding })).toThrow(/names the table/);
  });
});
