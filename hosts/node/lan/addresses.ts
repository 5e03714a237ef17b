/** Which addresses of this machine LAN discovery uses, and from whom it takes anything there. IPv4 only. */
import { BlockList } from 'node:net';
import { networkInterfaces } from 'node:os';
import { lan_limits } from './limits.ts';

/** An address of this machine on a network that it is on. */
export interface LinkAddress {
  readonly address: string;
  /** Whether somebody is on that very network: nothing comes through a router (RFC 6762, section 11). */
  isNeighbour(address: string): boolean;
}

const PRIVATE = new BlockList();
PRIVATE.addSubnet('10.0.0.0', 8);
PRIVATE.addSubnet('172.16.0.0', 12);
PRIVATE.addSubnet('192.168.0.0', 16);
PRIVATE.addSubnet('169.254.0.0', 16);
PRIVATE.addSubnet('127.0.0.0', 8);

const EVERY_INTERFACE = ['0.0.0.0', '::'];

/** What the operating system says of an interface's address. */
export interface InterfaceAddress {
  readonly address: string;
  readonly family: string;
  readonly internal: boolean;
  /** Such as `192.168.1.20/24`. */
  readonly cidr: string | null;
}

/** @param from the network of the address, such as `192.168.1.20/24` */
export function linkAddress(address: string, from: string): LinkAddress {
  const network = new BlockList();
  network.addSubnet(address, Number(from.slice(from.indexOf('/') + 1)));
  return { address, isNeighbour: (other) => PRIVATE.check(other) && network.check(other) };
}

/**
 * Where others on a LAN reach what listens at `host`: never at a public address, and at that of the loopback interface only if it listens there
 * alone.
 * @param host an IPv4 address, or one that stands for every interface
 */
export function linkAddresses(
  host: string,
  interfaces: readonly InterfaceAddress[] = Object.values(networkInterfaces()).flatMap((each) => each ?? []),
): LinkAddress[] {
  return interfaces
    .filter(({ address, family, internal, cidr }) => {
      if (family !== 'IPv4' || cidr === null || !PRIVATE.check(address)) return false;
      return EVERY_INTERFACE.includes(host) ? !internal : address === host;
    })
    .slice(0, lan_limits.links_max)
    .map(({ address, cidr }) => linkAddress(address, cidr!));
}
