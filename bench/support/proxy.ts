/**
 * A TCP proxy between two nodes that counts what they say to each other, and can be cut like a cable. It reads WebSocket framing just far enough to
 * tell the handshake (the HTTP upgrade, and the three messages in which both prove who they are) from the session behind it.
 */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Messages of the handshake before each side's session begins. */
const HANDSHAKE_MESSAGES = { out: 2, back: 1 } as const;

export interface Counted {
  /** Bytes of the session, both ways, WebSocket framing included; those below TCP are not seen here. */
  bytes: number;
  /** Messages of the session, both ways. */
  messages: number;
  /** Bytes of HTTP and handshake, both ways. */
  handshake_bytes: number;
  connections: number;
}

/** What is counted before anything is said. */
export const nothing = (): Counted => ({ bytes: 0, messages: 0, handshake_bytes: 0, connections: 0 });

export class CountingProxy {
  readonly address: string;
  counted: Counted = nothing();
  #is_cut = false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #last_ms = performance.now();

  private constructor(server: Server) {
    this.#server = server;
    this.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** @param target `host:port` of who is dialed through it */
  static async open(target: string): Promise<CountingProxy> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.on('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    const proxy = new CountingProxy(server);
    server.on('connection', (socket) => proxy.#connected(socket, target));
    return proxy;
  }

  #connected(from: Socket, target: string): void {
    if (this.#is_cut) {
      from.destroy();
      return;
    }
    this.counted.connections += 1;
    const at = target.lastIndexOf(':');
    const to = connect({ host: target.slice(0, at), port: Number(target.slice(at + 1)) });
    this.#carry(from, to, HANDSHAKE_MESSAGES.out);
    this.#carry(to, from, HANDSHAKE_MESSAGES.back);
  }

  #carry(from: Socket, to: Socket, handshake_messages: number): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    const meter = new Meter(handshake_messages, () => this.counted);
    from.on('data', (chunk: Buffer) => {
      this.#last_ms = performance.now();
      meter.take(chunk);
    });
    from.pipe(to);
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }

  /** Milliseconds since anything was said. */
  get quiet_ms(): number {
    return performance.now() - this.#last_ms;
  }

  /** Counts from zero. */
  reset(): void {
    this.counted = nothing();
  }

  /** Ends all connections, at once; until `mend`, nobody gets through. */
  cut(): void {
    this.#is_cut = true;
    this.drop();
  }

  /** Ends all connections, at once. New ones get through. */
  drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#is_cut = false;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const END_OF_HEAD = Buffer.from('\r\n\r\n');

/** Counts one direction of one connection: an HTTP head, then WebSocket messages (each in one frame, as `ws` sends them; RFC 6455, section 5.2). */
export class Meter {
  #handshake_left: number;
  readonly #counted: () => Counted;
  #in_head = true;
  /** Of the present frame: bytes that are still to come. */
  #left = 0;
  #pending: Buffer = Buffer.alloc(0);

  /** @param counted where it counts, from the beginning of the next piece on */
  constructor(handshake_messages: number, counted: () => Counted) {
    this.#handshake_left = handshake_messages;
    this.#counted = counted;
  }

  /** The next piece of the stream, wherever TCP has cut it. */
  take(chunk: Buffer): void {
    let bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    this.#pending = Buffer.alloc(0);
    while (bytes.length > 0) {
      const used = this.#in_head ? this.#takeHead(bytes) : this.#takeFrame(bytes);
      if (used === 0) {
        this.#pending = bytes;
        return;
      }
      bytes = bytes.subarray(used);
    }
  }

  #takeHead(bytes: Buffer): number {
    const end = bytes.indexOf(END_OF_HEAD);
    if (end < 0) return 0;
    this.#in_head = false;
    const used = end + END_OF_HEAD.length;
    this.#counted().handshake_bytes += used;
    return used;
  }

  /** Takes what is there of a frame; nothing where even its length is not. A frame is counted as it begins. */
  #takeFrame(bytes: Buffer): number {
    if (this.#left === 0) {
      const length = frameLength(bytes);
      if (length === null) return 0;
      this.#left = length;
      if (this.#handshake_left > 0) {
        this.#handshake_left -= 1;
        this.#counted().handshake_bytes += length;
      } else {
        this.#counted().bytes += length;
        this.#counted().messages += 1;
      }
    }
    const used = Math.min(this.#left, bytes.length);
    this.#left -= used;
    return used;
  }
}

/** Bytes of the frame that begins here, with its own header; null where that header is not all there. */
function frameLength(bytes: Buffer): number | null {
  if (bytes.length < 2) return null;
  const mask_bytes = (bytes[1]! & 0x80) === 0 ? 0 : 4;
  const short = bytes[1]! & 0x7f;
  if (short < 126) return 2 + mask_bytes + short;
  if (short === 126) return bytes.length < 4 ? null : 4 + mask_bytes + bytes.readUInt16BE(2);
  return bytes.length < 10 ? null : 10 + mask_bytes + Number(bytes.readBigUInt64BE(2));
}
