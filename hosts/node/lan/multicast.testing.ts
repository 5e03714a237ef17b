/** The group of multicast DNS on the loopback interface, for tests: who listens to it, and who says what no honest node says. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import makeMulticastDns, { type ResponseOutgoingPacket } from 'multicast-dns';
import { afterEach } from 'vitest';

const GROUP = '224.0.0.251';
const open = new Set<Socket>();
afterEach(async () => {
  for (const socket of open) await new Promise<void>((resolve) => socket.close(() => resolve()));
});

/** A socket, closed after the test. */
export async function socketAt(
  port: number,
  { host = '127.0.0.1', shared = true }: { host?: string; shared?: boolean } = {},
): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', reuseAddr: shared });
  open.add(socket);
  socket.once('close', () => open.delete(socket));
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, host, resolve);
  });
  return socket;
}

/** A UDP port of this machine that nobody has. */
export async function freeUdpPort(): Promise<number> {
  const socket = await socketAt(0, { shared: false });
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

export interface Packet {
  readonly bytes: Buffer;
  readonly from: RemoteInfo;
  readonly at_ms: number;
}

/** Everything that is sent to the group from now on. */
export async function ears(port: number): Promise<Packet[]> {
  const heard: Packet[] = [];
  const socket = await socketAt(port, { host: GROUP });
  socket.addMembership(GROUP, '127.0.0.1');
  socket.on('message', (bytes, from) => heard.push({ bytes, from, at_ms: performance.now() }));
  return heard;
}

const isAnnouncement = ({ bytes }: Packet) => (bytes[2]! & 0x80) !== 0;
export const announcements = (heard: readonly Packet[]) => heard.filter(isAnnouncement);
export const questions = (heard: readonly Packet[]) => heard.filter((packet) => !isAnnouncement(packet));
/** The name of the instance that a packet announces. */
export const nameIn = ({ bytes }: Packet) => /[0-9a-f]{16}(?=._sotto)/.exec(bytes.toString('latin1'))?.[0];
/** The time to live of the first record, which is behind the header, `_sotto._tcp.local`, type and class, says so. */
export const isGoodbye = (packet: Packet) =>
  isAnnouncement(packet) && packet.bytes.readUInt32BE(12 + 19 + 4) === 0;

export interface Mouth {
  /** Anything, as it is. */
  raw(bytes: Uint8Array): Promise<void>;
  /** Records, as an announcement has them. */
  records(answers: ResponseOutgoingPacket['answers']): Promise<void>;
  question(name: string, type?: 'PTR' | 'ANY'): Promise<void>;
  /** What is sent to this very socket. */
  readonly answers: readonly Buffer[];
}

/** Who sends to the group, from an address of this machine and a port of its own. */
export async function mouth(port: number, host = '127.0.0.1'): Promise<Mouth> {
  const socket = await socketAt(0, { host });
  socket.setMulticastInterface('127.0.0.1');
  const answers: Buffer[] = [];
  socket.on('message', (bytes) => answers.push(bytes));
  const multicast = makeMulticastDns({ socket, port, bind: false });
  multicast.on('error', () => {});
  const sent = (send: (done: (error: Error | null) => void) => void) =>
    new Promise<void>((resolve, reject) => send((error) => (error ? reject(error) : resolve())));
  return {
    raw: (bytes) => sent((done) => socket.send(bytes, port, GROUP, done)),
    records: (records) => sent((done) => multicast.respond(records, done)),
    question: (name, type = 'PTR') => sent((done) => multicast.query([{ name, type }] as never, done)),
    answers,
  };
}
