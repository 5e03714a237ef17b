/** What went wrong with a multicast socket, in words for the person who runs the node. */

const WORDS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program has the port, and does not share it',
  EACCES: 'this user may not use the port',
  EPERM: 'a firewall does not let it through',
  ENODEV: 'there is no such interface any more',
  EADDRNOTAVAIL: 'there is no such interface any more',
  ENETUNREACH: 'there is no route for multicast',
  EHOSTUNREACH: 'there is no route for multicast',
  ENETDOWN: 'the interface is down',
  EMFILE: 'the process has too many open files',
};

/** @param where `host:port` of the socket */
export function wordsFor(thrown: unknown, where: string): string {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown error';
  return `Expected to find peers on the LAN by multicast at ${where}, but ${WORDS[code] ?? 'the system refused'} (${code}).`;
}
