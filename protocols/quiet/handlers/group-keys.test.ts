import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyExpiry } from '../../../core/key-expiry.ts';
import { limits, NEVER_MS } from '../../../core/limits.ts';
import { World } from '../../../tests/world.ts';
import { commitmentTo, keyIdOf, unwrapContentKey, wrapContentKey } from './content-key.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe('the expiry of a key', () => {
  it('E13: is never before that of what it seals, and never is the latest of all', () => {
    const now = fc.integer({ min: 1_600_000_000_000, max: 4_000_000_000_000 });
    fc.assert(
      fc.property(now, fc.integer({ min: 1, max: limits.ttl_ms_max }), (now_ms, ttl_ms) => {
        const expires_ms = keyExpiry(now_ms, now_ms + ttl_ms);
        expect(expires_ms).toBeGreaterThanOrEqual(now_ms + ttl_ms);
        expect(Number.isSafeInteger(expires_ms)).toBe(true);
      }),
    );
    expect(keyExpiry(1_800_000_000_000, NEVER_MS)).toBe(NEVER_MS);
    expect(keyExpiry(1_800_000_000_000, 1_800_000_000_000 + 2 * 365 * DAY_MS)).toBe(NEVER_MS);
  });

  it('is at most a twelfth of its class later than the class says, and the same for all within one cell', () => {
    const classes = [HOUR_MS, DAY_MS, 7 * DAY_MS, 30 * DAY_MS, 365 * DAY_MS];
    fc.assert(
      fc.property(
        fc.integer({ min: 1_600_000_000_000, max: 4_000_000_000_000 }),
        fc.constantFrom(...classes),
        (now_ms, class_ms) => {
          const expires_ms = keyExpiry(now_ms, now_ms + class_ms);
          expect(expires_ms - now_ms).toBeLessThanOrEqual(class_ms + class_ms / 12);
          const cell_start = Math.ceil(expires_ms - class_ms - class_ms / 12);
          expect(keyExpiry(cell_start + 1, cell_start + 1 + class_ms)).toBe(expires_ms);
        },
      ),
    );
  });
});

describe('the choice of a key', () => {
  const keys = (world: World, name = 'alice') =>
    world
      .node(name)
      .query<{ key_id: string; channel_id: string | null; events: number; expires_ms: number }>('get_keys');
  const home = () => {
    const world = new World({ seed: 4 });
    world.found('alice');
    world.join('alice', 'bob');
    world.gather();
    return world;
  };

  it('one key per channel and class: shared within, never across', () => {
    const world = home();
    const second = world
      .node('alice')
      .engine.command('create_channel', 1, { name: 'second', group_id: null });
    world.say('alice', 'a');
    world.say('alice', 'b');
    world.meet('alice', 'bob');
    world.say('bob', 'c');
    world.say('alice', 'd', second.event_ids[0] as string);
    world.say('alice', 'brief', world.channel_id, HOUR_MS);
    world.say('alice', 'brief, too', world.channel_id, HOUR_MS / 2);
    world.meet('alice', 'bob');
    const of = (channel_id: string | null) =>
      keys(world)
        .filter((key) => key.channel_id === channel_id)
        .map(({ events, expires_ms }) => [expires_ms === NEVER_MS ? 'never' : 'hour', events])
        .sort();
    expect(of(world.channel_id)).toEqual([
      ['hour', 2],
      ['never', 3],
    ]);
    expect(of(second.event_ids[0] as string)).toEqual([['never', 1]]);
    expect(world.read('bob')).toHaveLength(5);
  });

  it('no key seals more than its share of events', () => {
    const world = home();
    world.say('alice', 'first');
    const before = keys(world).filter((key) => key.channel_id === world.channel_id);
    expect(before).toHaveLength(1);
    world
      .node('alice')
      .db.exec(`UPDATE group_key SET events = ${limits.events_per_key_max} WHERE channel_id IS NOT NULL`);
    world.say('alice', 'one too many');
    expect(keys(world).filter((key) => key.channel_id === world.channel_id)).toHaveLength(2);
  });

  it('S12: after a removal nothing new is sealed under a key that the removed was given, or gave', () => {
    const world = home();
    world.join('alice', 'eve');
    world.gather();
    world.say('eve', 'under a key of mine');
    world.gather();
    const known = new Set(keys(world, 'eve').map((key) => key.key_id));
    world.node('alice').engine.command('remove_user', 1, { user_id: world.userOf('eve'), group_id: null });
    world.meet('alice', 'bob');
    world.say('alice', 'not for eve');
    world.meet('alice', 'bob');
    world.say('bob', 'nor this');
    world.node('bob').engine.command('set_profile', 1, { name: 'bobby' });
    const sealed = world
      .node('bob')
      .all(
        `SELECT hex(k.id) AS id FROM wrap w JOIN group_key k ON k.n = w.key JOIN event e ON e.n = w.of WHERE e.n > (SELECT n FROM event WHERE type = 'remove')`,
      );
    expect(sealed.length).toBe(3);
    for (const { id } of sealed) expect(known.has(String(id).toLowerCase())).toBe(false);
  });
});

describe('a wrap', () => {
  const content_key = new Uint8Array(32).fill(1);
  const group_key = new Uint8Array(32).fill(2);
  const event_id = 'ab'.repeat(32);
  const about = { group_id: 'cd'.repeat(32), channel_id: null, expires_ms: NEVER_MS };

  it('S13: two devices that wrap alike make the same bytes; another event or key makes others', () => {
    const key_id = keyIdOf(group_key, about);
    const wrap = wrapContentKey(group_key, event_id, key_id, content_key);
    expect(wrapContentKey(group_key.slice(), event_id, key_id, content_key.slice())).toEqual(wrap);
    expect(wrap).toHaveLength(48);
    expect(unwrapContentKey(group_key, event_id, key_id, wrap)).toEqual(content_key);
    expect(unwrapContentKey(group_key, 'ac'.repeat(32), key_id, wrap)).toBeNull();
    expect(unwrapContentKey(group_key, event_id, 'ac'.repeat(32), wrap)).toBeNull();
  });

  it("S6: the commitment is the content key's alone; a key's id is of its group, channel and expiry, too", () => {
    expect(commitmentTo(content_key)).not.toBe(commitmentTo(group_key));
    const ids = [
      about,
      { ...about, group_id: 'ce'.repeat(32) },
      { ...about, channel_id: 'ce'.repeat(32) },
      { ...about, expires_ms: 5 },
    ].map((variant) => keyIdOf(group_key, variant));
    expect(new Set(ids).size).toBe(4);
  });
});
