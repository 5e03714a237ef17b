/** Which interfaces are used, and who is a neighbour there; and that neighbours cannot keep known peers from being heard. */
import { expect, it } from 'vitest';
import { type InterfaceAddress, linkAddress, linkAddresses } from './addresses.ts';
import { Budget } from './budget.ts';
import { lan_limits } from './limits.ts';

const at = (cidr: string, internal = false): InterfaceAddress => ({
  address: cidr.slice(0, cidr.indexOf('/')),
  family: cidr.includes(':') ? 'IPv6' : 'IPv4',
  internal,
  cidr,
});
const machine = [
  at('127.0.0.1/8', true),
  at('::1/128', true),
  at('192.168.1.20/24'),
  at('fe80::1/64'),
  at('10.8.0.2/16'),
  at('172.31.9.9/20'),
  at('169.254.7.7/16'),
  at('203.0.113.20/24'),
  at('172.32.0.1/16'),
];
const used = (host: string, interfaces = machine) =>
  linkAddresses(host, interfaces).map(({ address }) => address);

it('what listens on every interface is announced at private addresses, and not to the machine itself', () => {
  const everywhere = ['192.168.1.20', '10.8.0.2', '172.31.9.9', '169.254.7.7'];
  expect(used('0.0.0.0')).toEqual(everywhere);
  expect(used('::')).toEqual(everywhere);
});

it('what listens at one address is announced there, if that is a private one and the machine has it', () => {
  expect(used('127.0.0.1')).toEqual(['127.0.0.1']);
  expect(used('10.8.0.2')).toEqual(['10.8.0.2']);
  for (const host of ['203.0.113.20', '192.168.1.21', '::1', 'fe80::1', 'my.host'])
    expect(used(host)).toEqual([]);
});

it('so many interfaces are used and no more', () => {
  const many = Array.from({ length: 50 }, (_, index) => at(`10.0.${index}.1/24`));
  expect(used('0.0.0.0', many)).toHaveLength(lan_limits.links_max);
});

it.each([
  ['192.168.1.20/24', '192.168.1.66', true],
  ['192.168.1.20/24', '192.168.2.66', false],
  ['192.168.1.20/24', '203.0.113.9', false],
  ['192.168.1.20/24', '127.0.0.1', false],
  // A network that is said to be as wide as the world makes nobody a neighbour who has a public address.
  ['10.0.0.1/0', '203.0.113.9', false],
  ['10.0.0.1/0', '8.8.8.8', false],
  ['10.0.0.1/0', '192.168.9.9', true],
  ['127.0.0.1/8', '127.0.0.2', true],
])('who is on %s has %s as a neighbour: %s', (network, other, expected) => {
  expect(linkAddress(network.slice(0, network.indexOf('/')), network).isNeighbour(other)).toBe(expected);
});

it('of each sender and of all unknown ones some packets a second are looked into; known peers have their own', () => {
  const clock = { now_ms: 0 };
  const budget = new Budget({ wall_ms: () => 0, monotonic_ms: () => clock.now_ms });
  const flood = (known: boolean) => {
    let allowed = 0;
    for (let count = 0; count < 10_000; count++)
      if (budget.allows(`10.0.${count % 100}.1`, known && count % 100 === 0)) allowed += 1;
    return allowed;
  };
  const one = Array.from({ length: 100 }, () => budget.allows('10.9.9.9', false)).filter(Boolean).length;
  expect(one).toBe(lan_limits.packets_per_source_max);
  expect(flood(false)).toBe(lan_limits.packets_per_second_max - one);
  expect(budget.allows('10.7.7.7', false)).toBe(false);
  expect(budget.allows('10.7.7.7', true)).toBe(true);
  clock.now_ms += 1_000;
  expect(budget.allows('10.7.7.7', false)).toBe(true);
  // Who sends in a known peer's name takes from that one's share.
  expect(flood(true)).toBe(lan_limits.packets_per_second_max - 1 + lan_limits.packets_per_source_max);
});
