/** One record, bit by bit: what was signed and sealed is taken as it was made, or not at all. */
import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../core/event-codec.ts';
import { eventItems, World } from './world.ts';

describe('S2, S3, S6: a sealed message as it travels', () => {
  it('is refused for every flipped bit, and nothing of it is ever shown but what was written', () => {
    const world = new World({ seed: 2 });
    world.found('alice');
    world.join('alice', 'bob');
    world.gather();
    world.say('alice', 'warm up');
    world.meet('alice', 'bob');
    const message_id = world.say('alice', 'exactly this');
    const item = eventItems(world.node('alice')).items.get(message_id)!;
    const bob = world.node('bob');
    const session = { session_id: 'test', device_id: world.device('alice') };
    const receive = (bytes: Uint8Array) => bob.engine.receive(1, session, encodeFrame([bytes]));
    const state = () =>
      JSON.stringify(
        bob.all(
          'SELECT hex(id), hex(body), type FROM event UNION ALL SELECT hex(id), hex(body), rule FROM waiting ORDER BY 1',
        ),
      );
    const before = state();
    const taken: number[] = [];
    for (let bit = 0; bit < item.length * 8; bit++) {
      const flipped = item.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      receive(flipped);
      if (state() === before) continue;
      taken.push(bit);
      bob.db.exec('DELETE FROM waiting; DELETE FROM waiting_for');
    }
    // The one thing that can be taken for something else is the id of the key in the wrap, which is not part of the event: then the event waits for
    // a key that nobody has, until somebody brings it with a good wrap.
    expect(taken.length).toBeLessThanOrEqual(256);
    expect(world.read('bob')).toEqual(['warm up']);
    receive(item);
    expect(world.read('bob')).toEqual(['warm up', 'exactly this']);
  }, 120_000);
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
