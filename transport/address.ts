/** Addresses as people write them: `host:port`, with an IPv6 host in brackets. */

import { SottoError } from '../core/assert.ts';

export interface HostPort {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}

/** @throws SottoError `bad_address` for anything but `host:port` or `[ipv6]:port` */
export function parseAddress(address: string): HostPort {
  const match = /^(?:\[(?<ipv6>[0-9a-fA-F:.%]+)\]|(?<name>[\w.-]+)):(?<port>\d{1,5})$/.exec(address);
  const host = match?.groups?.ipv6 ?? match?.groups?.name;
  const port = Number(match?.groups?.port);
  if (host === undefined || port > 65_535) {
    throw new SottoError('bad_address', `Expected host:port or [ipv6]:port, got ${address.slice(0, 100)}`);
  }
  return { host, port };
}

export function formatAddress({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
