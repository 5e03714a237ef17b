/** When which address is dialed, with hints of whatever kind among them. */
import { expect, it } from 'vitest';
import type { Id } from '../core/fields.ts';
import { HINT_DIALS_MAX, type Seeker, Targets } from './targets.ts';

const idOf = (number: number): Id => number.toString(16).padStart(64, '0');

/** One identity that seeks devices at addresses; hints by device. */
function story(peers: Seeker['peers'], hints: Record<Id, string[]> = {}) {
  const clock = { now_ms: 0 };
  const told: string[] = [];
  const connected = new Set<Id>();
  const seekers: Seeker[] = [{ identity: 1, network_id: idOf(1), device_id: idOf(2), peers }];
  const targets = new Targets({
    clock: { wall_ms: () => 0, monotonic_ms: () => clock.now_ms },
    random: { bytes: (length) => new Uint8Array(length) },
    hints: {
      seek: (all) => told.push(`seek ${all[0]?.peers.length}`),
      addressesOf: (_identity, device_id) => hints[device_id] ?? [],
      failed: (_identity, _device_id, address) => told.push(`failed ${address}`),
      reached: (_identity, _device_id, address) => told.push(`reached ${address}`),
    },
  });
  /** Looks, and fails at once wherever something is dialed. */
  const look = () => {
    const due = targets.due(seekers, (_identity, device_id) => connected.has(device_id));
    for (const target of due) targets.failed(target);
    return due.map(({ address }) => address);
  };
  return { targets, look, clock, told, connected, hints, seekers };
}

const bob = idOf(11);

it('an address of the network has one look for itself before a hint is tried; then each has its own pauses', () => {
  const { look, clock, told } = story([{ device_id: bob, address: 'far:1' }], { [bob]: ['near:1'] });
  expect(look()).toEqual(['far:1']);
  clock.now_ms += 1_000;
  expect(look()).toEqual(['far:1', 'near:1']);
  expect(look()).toEqual([]);
  expect(told.filter((line) => line.startsWith('failed'))).toEqual([
    'failed far:1',
    'failed far:1',
    'failed near:1',
  ]);
});

it('a hint at an address that the network names as well is dialed once', () => {
  const { look, clock } = story([{ device_id: bob, address: 'far:1' }], { [bob]: ['far:1'] });
  expect(look()).toEqual(['far:1']);
  clock.now_ms += 1_000;
  expect(look()).toEqual(['far:1']);
});

it('of hints few are dialed per look, of addresses of the network all', () => {
  const peers = Array.from({ length: 40 }, (_, index) => ({
    device_id: idOf(100 + index),
    address: `far:${index}`,
  }));
  const many = Array.from({ length: 500 }, (_, index) => `near:${index}`);
  const { look, clock } = story(peers, { [idOf(100)]: many });
  expect(look()).toHaveLength(40);
  let dialed = 0;
  for (let seconds = 1; seconds <= 10; seconds++) {
    clock.now_ms += 1_000;
    dialed += look().filter((address) => address.startsWith('near')).length;
  }
  expect(dialed).toBe(10 * HINT_DIALS_MAX);
});

it('a device with which there is a session is not dialed at hints either, and the hint is told that it was good', () => {
  const { look, clock, connected, told, targets, seekers } = story([{ device_id: bob, address: 'far:1' }], {
    [bob]: ['near:1'],
  });
  look();
  clock.now_ms += 1_000;
  const [, near] = targets.due(seekers, () => false);
  targets.reached(near!);
  expect(told.at(-1)).toBe('reached near:1');
  connected.add(bob);
  clock.now_ms += 60_000;
  expect(look()).toEqual([]);
});

it('who is hinted at and no peer is not dialed, and a hint that is gone is forgotten with its failures', () => {
  const { look, clock, hints } = story([{ device_id: bob, address: 'far:1' }], {
    [bob]: ['near:1'],
    [idOf(12)]: ['near:2'],
  });
  for (let seconds = 0; seconds < 20; seconds++) {
    expect(look()).not.toContain('near:2');
    clock.now_ms += 1_000;
  }
  hints[bob] = [];
  look();
  hints[bob] = ['near:1'];
  expect(look()).toContain('near:1');
});
