/** Hints by what is heard on a LAN: who can give one, who can take one away, and how many there may be. */
import { describe, expect, it } from 'vitest';
import { randomBytes } from '../../../crypto/bytes.ts';
import type { Seeker } from '../../targets.ts';
import { announcementOf, type Heard, heardIn, recordsOf, type Word } from './announcement.ts';
import { LanHints } from './hints.ts';
import { lan_limits } from './limits.ts';

const random = { bytes: randomBytes };
const network_id = '11'.repeat(32);
const me = '22'.repeat(32);
const bob = 'b0'.repeat(32);
const carol = 'ca'.repeat(32);
const hour_ms = 3_600_000;
const noon_ms = 20_000 * 24 * hour_ms + 12 * hour_ms;

/** What is heard of a node at a place with these devices of a network. */
function announced(
  host: string,
  port: number,
  devices: readonly string[],
  network = network_id,
  wall_ms = noon_ms,
) {
  const own = devices.map((device_id) => ({
    network_id: Uint8Array.fromHex(network),
    device_id: Uint8Array.fromHex(device_id),
  }));
  const announcement = announcementOf({ host, port }, own, random, wall_ms);
  return (word: Word): Heard =>
    heardIn({ type: 'response', answers: recordsOf(announcement, word) } as never, host)!;
}

function story(peers: readonly string[] = [bob, carol]) {
  const clock = { now_ms: 0, wall_ms: noon_ms };
  const told: string[] = [];
  const hints = new LanHints({
    clock: { wall_ms: () => clock.wall_ms, monotonic_ms: () => clock.now_ms },
    on_own: () => told.push('own'),
    on_sought: () => told.push('sought'),
  });
  const seek = (devices: readonly string[], own = me) => {
    const peers = devices.map((device_id) => ({ device_id, address: 'far:1' }));
    hints.seek([{ identity: 1, network_id, device_id: own, peers } satisfies Seeker]);
  };
  seek(peers);
  return { hints, clock, told, seek, at: (device_id: string) => hints.addressesOf(1, device_id) };
}

describe('a hint', () => {
  it('is where a device that is looked for says it is, and names nobody else', () => {
    const { hints, at } = story();
    hints.heard(announced('192.168.1.5', 4820, [bob])('here'));
    expect(at(bob)).toEqual(['192.168.1.5:4820']);
    expect(at(carol)).toEqual([]);
    expect(hints.found).toBe(1);
    expect(hints.knows('192.168.1.5')).toBe(true);
  });

  it('cannot be given by who does not know the network, whatever it sends', () => {
    const { hints } = story();
    for (let count = 0; count < 10_000; count++)
      hints.heard(announced('192.168.1.66', 1 + count, [bob], '99'.repeat(32))('here'));
    expect(hints.found).toBe(0);
    expect(hints.knows('192.168.1.66')).toBe(false);
    hints.heard(announced('192.168.1.5', 4820, [bob])('here'));
    expect(hints.found).toBe(1);
  });

  it("cannot be made of another's tags for another host or port", () => {
    const { hints } = story();
    const honest = announced('192.168.1.5', 4820, [bob])('here');
    for (const place of [
      { host: '192.168.1.66', port: 4820 },
      { host: '192.168.1.5', port: 22 },
    ])
      hints.heard({ ...honest, place });
    expect(hints.found).toBe(0);
  });

  it.each([
    [0, true],
    [11, true],
    [-11, true],
    [36, false],
    [-37, false],
    [24 * 365, false],
  ])('is heard while clocks are half a day apart: said %i hours ago: %s', (hours, expected) => {
    for (let hour = 0; hour < 24; hour++) {
      const { hints, clock } = story();
      clock.wall_ms = noon_ms + hour * hour_ms;
      const say = announced('192.168.1.5', 4820, [bob], network_id, clock.wall_ms - hours * hour_ms);
      hints.heard(say('here'));
      expect(hints.found).toBe(expected ? 1 : 0);
      hints.heard(say('gone'));
      expect(hints.found).toBe(0);
    }
  });

  it('lasts for a time, and longer if it is heard again', () => {
    const { hints, clock, seek } = story();
    const say = announced('192.168.1.5', 4820, [bob]);
    hints.heard(say('here'));
    clock.now_ms += lan_limits.hint_ms - 1;
    hints.heard(say('here'));
    clock.now_ms += lan_limits.hint_ms - 1;
    seek([bob, carol]);
    expect(hints.found).toBe(1);
    clock.now_ms += 1;
    seek([bob, carol]);
    expect(hints.found).toBe(0);
  });

  it('lasts longer also when more others were heard meanwhile than are remembered', () => {
    const { hints, clock, seek } = story();
    const say = announced('192.168.1.5', 4820, [bob]);
    hints.heard(say('here'));
    clock.now_ms += lan_limits.hint_ms - 1;
    for (let count = 0; count < 2 * lan_limits.judged_max; count++)
      hints.heard(announced('192.168.1.66', 1 + count, [])('here'));
    hints.heard(say('here'));
    clock.now_ms += lan_limits.hint_ms - 1;
    seek([bob, carol]);
    expect(hints.found).toBe(1);
  });

  it('is forgotten after some failures in a row, which is a reason to ask again, and taken up should it be said again', () => {
    const { hints, told, at } = story();
    const say = announced('192.168.1.5', 4820, [bob]);
    hints.heard(say('here'));
    told.length = 0;
    for (let count = 1; count < lan_limits.failures_max; count++) hints.failed(1, bob, '192.168.1.5:4820');
    hints.reached(1, bob, '192.168.1.5:4820');
    for (let count = 1; count < lan_limits.failures_max; count++) hints.failed(1, bob, '192.168.1.5:4820');
    expect(at(bob)).toHaveLength(1);
    expect(told).toEqual([]);
    hints.failed(1, bob, '192.168.1.5:4820');
    expect(at(bob)).toEqual([]);
    expect(told).toEqual(['sought']);
    hints.heard(say('here'));
    expect(at(bob)).toHaveLength(1);
  });

  it('that is said again while it fails has failed as often as before', () => {
    const { hints, at } = story();
    for (let count = 0; count < lan_limits.failures_max; count++) {
      hints.heard(announced('192.168.1.66', 1, [bob])('here'));
      hints.failed(1, bob, '192.168.1.66:1');
    }
    expect(at(bob)).toEqual([]);
  });
});

describe('a goodbye', () => {
  it('of the node itself ends its hints', () => {
    const { hints } = story();
    const say = announced('192.168.1.5', 4820, [bob, carol]);
    hints.heard(say('here'));
    expect(hints.found).toBe(2);
    expect(hints.knows('192.168.1.5')).toBe(true);
    hints.heard(say('gone'));
    expect(hints.found).toBe(0);
    expect(hints.knows('192.168.1.5')).toBe(false);
  });

  it('by anybody else ends nothing: not with the tags that were heard, nor with others, nor with those of an earlier life', () => {
    const { hints, at } = story();
    const earlier = announced('192.168.1.5', 4820, [bob]);
    hints.heard(earlier('here'));
    const say = announced('192.168.1.5', 4820, [bob]);
    hints.heard(say('here'));
    hints.heard({ ...say('here'), word: 'gone' });
    hints.heard({
      ...announced('192.168.1.5', 4820, [bob], '99'.repeat(32))('gone'),
      salt: say('here').salt,
    });
    hints.heard(earlier('gone'));
    expect(at(bob)).toEqual(['192.168.1.5:4820']);
  });
});

describe('a member who lies', () => {
  it('gets no more places of one device than it may have, and takes none from whoever is there', () => {
    const { hints, at } = story();
    hints.heard(announced('192.168.1.5', 4820, [bob])('here'));
    for (let count = 0; count < 1_000; count++)
      hints.heard(announced('192.168.1.66', 1 + count, [bob])('here'));
    expect(at(bob)).toHaveLength(lan_limits.hints_per_device_max);
    expect(at(bob)[0]).toBe('192.168.1.5:4820');
  });

  it('loses the places where nobody is to who is heard next', () => {
    const { hints, at } = story();
    const lies = [1, 2, 3, 4].map((port) => announced('192.168.1.66', port, [bob])('here'));
    for (const lie of lies) hints.heard(lie);
    const honest = announced('192.168.1.5', 4820, [bob])('here');
    hints.heard(honest);
    expect(at(bob)).not.toContain('192.168.1.5:4820');
    for (let count = 0; count < lan_limits.failures_max; count++) hints.failed(1, bob, '192.168.1.66:1');
    hints.heard(honest);
    expect(at(bob)).toContain('192.168.1.5:4820');
  });

  it('gets no more places from one address than that may have, and from many no more than there are', () => {
    const devices = Array.from({ length: 400 }, (_, index) => index.toString(16).padStart(64, '0'));
    const { hints, at } = story(devices);
    const lie = (host: string, from: number) => {
      for (let first = from; first < from + 96; first += lan_limits.tags)
        hints.heard(announced(host, 1, devices.slice(first, first + lan_limits.tags))('here'));
    };
    lie('192.168.1.66', 0);
    expect(hints.found).toBe(lan_limits.hints_per_source_max);
    for (let host = 0; host < 30; host++) lie(`192.168.2.${host}`, host * 9);
    const total = devices.reduce((sum, device_id) => sum + at(device_id).length, 0);
    expect(total).toBe(lan_limits.hints_max);
  });
});

describe('who is looked for', () => {
  it('is asked for when somebody new is; what was heard before may be about them', () => {
    const { hints, told, seek, at } = story([bob]);
    const say = announced('192.168.1.7', 4820, [carol]);
    hints.heard(say('here'));
    expect(told).toEqual(['own', 'sought']);
    seek([bob]);
    expect(told).toEqual(['own', 'sought']);
    seek([bob, carol]);
    expect(told).toEqual(['own', 'sought', 'sought']);
    hints.heard(say('here'));
    expect(at(carol)).toEqual(['192.168.1.7:4820']);
  });

  it('and is not any more has no hints', () => {
    const { hints, seek, at } = story();
    hints.heard(announced('192.168.1.5', 4820, [bob])('here'));
    seek([carol]);
    expect(at(bob)).toEqual([]);
    expect(hints.knows('192.168.1.5')).toBe(false);
    seek([bob]);
    expect(at(bob)).toEqual([]);
  });

  it('is at most so many devices, and of our own as many are announced', () => {
    const many = Array.from({ length: lan_limits.sought_max + 10 }, (_, index) =>
      index.toString(16).padStart(64, '0'),
    );
    const { hints, at, told, seek } = story(many);
    for (const device_id of [many[0]!, many.at(-1)!])
      hints.heard(announced('192.168.1.5', 4820, [device_id])('here'));
    expect(at(many[0]!)).toHaveLength(1);
    expect(at(many.at(-1)!)).toEqual([]);
    seek(many, 'dd'.repeat(32));
    expect(told).toEqual(['own', 'sought', 'own']);
    expect(hints.own.map(({ device_id }) => device_id.toHex())).toEqual(['dd'.repeat(32)]);
    hints.seek(many.map((device_id, identity) => ({ identity, network_id, device_id, peers: [] })));
    expect(hints.own).toHaveLength(lan_limits.tags);
  });
});
