/**
 * A network inside one process, for tests and simulations: nodes with names, connections that can be cut. Deterministic:
 * everything is delivered by microtasks, in the order in which it was sent.
 */

import { SottoError } from '../core/assert.ts';
import type { Connection, Listener, Transport } from '../core/transport.ts';
import { formatAddress, parseAddress } from './address.ts';
import { Inbox } from './inbox.ts';
import { transport_limits } from './limits.ts';

export interface MemoryNetwork {
  /** The transport of the node called `name`. All transports of a network share its addresses. */
  transport(name: string): Transport;
  /** Ends all connections between two nodes with `connection_lost`, losing what is under way, and refuses new ones. */
  cut(first: string, second: string): void;
  /** Allows connections between the two again. */
  restore(first: string, second: string): void;
}

class MemoryConnection implements Connection {
  readonly #inbox = new Inbox();
  #buffered_bytes = 0;
  #open = true;
  #on_ended: () => void;
  peer: MemoryConnection | null = null;

  constructor(on_ended: () => void) {
    this.#on_ended = on_ended;
  }

  set on_message(receiver: (message: Uint8Array) => void) {
    this.#inbox.on_message = receiver;
  }

  set on_close(receiver: (reason: string) => void) {
    this.#inbox.on_close = receiver;
  }

  get buffered_bytes(): number {
    return this.#buffered_bytes;
  }

  send(message: Uint8Array): void {
    if (!this.#open) return;
    if (message.length > transport_limits.message_bytes_max) {
      throw new SottoError(
        'message_too_large',
        `Expected at most ${transport_limits.message_bytes_max} bytes, got ${message.length}`,
      );
    }
    const copy = message.slice(); // as any network does: the sender may go on writing into its own
    this.#buffered_bytes += copy.length;
    queueMicrotask(() => {
      this.#buffered_bytes -= copy.length;
      if (this.peer?.receive(copy) === false) this.peer.close('held_too_much');
    });
  }

  receive(message: Uint8Array): boolean {
    return this.#inbox.push(message);
  }

  close(reason = 'closed'): void {
    if (!this.#open) return;
    this.end(reason, true);
    queueMicrotask(() => this.peer?.end('closed_by_peer', false));
  }

  end(reason: string, drop_held: boolean): void {
    if (!this.#open) return;
    this.#open = false;
    this.#inbox.end(reason, drop_held);
    this.#on_ended();
  }
}

interface Link {
  readonly names: ReadonlySet<string>;
  readonly address: string;
  readonly ends: readonly [MemoryConnection, MemoryConnection];
}

interface Listening {
  readonly name: string;
  readonly on_connection: (connection: Connection) => void;
}

const first_free_port = 1024;

export function memoryNetwork(): MemoryNetwork {
  const listening = new Map<string, Listening>();
  const links = new Set<Link>();
  const cuts = new Set<string>();
  let next_port = first_free_port;

  const pair = (first: string, second: string) => JSON.stringify([first, second].sort());

  function connect(dialler: string, address: string): MemoryConnection | null {
    const target = listening.get(address);
    if (target === undefined || cuts.has(pair(dialler, target.name))) return null;
    const forget = () => links.delete(link);
    const near = new MemoryConnection(forget);
    const far = new MemoryConnection(forget);
    near.peer = far;
    far.peer = near;
    const link: Link = { names: new Set([dialler, target.name]), address, ends: [near, far] };
    links.add(link);
    target.on_connection(far);
    return near;
  }

  const transport = (name: string): Transport => ({
    async listen(wanted_address, on_connection): Promise<Listener> {
      const { host, port } = parseAddress(wanted_address);
      if (port === 0) next_port += 1;
      const address = formatAddress({ host, port: port === 0 ? next_port : port });
      if (listening.has(address))
        throw new SottoError('listen_failed', `Expected a free address, but ${address} is taken`);
      listening.set(address, { name, on_connection });
      return {
        address,
        async close() {
          listening.delete(address);
          for (const link of [...links]) if (link.address === address) link.ends[1].close('listener_closed');
        },
      };
    },

    dial(wanted_address) {
      return new Promise((resolve, reject) => {
        const address = formatAddress(parseAddress(wanted_address));
        queueMicrotask(() => {
          const connection = connect(name, address);
          if (connection !== null) resolve(connection);
          else reject(new SottoError('dial_failed', `Expected somebody at ${address}, but nobody answers`));
        });
      });
    },
  });

  return {
    transport,
    cut(first, second) {
      cuts.add(pair(first, second));
      for (const link of [...links]) {
        if (!link.names.has(first) || !link.names.has(second)) continue;
        for (const end of link.ends) end.end('connection_lost', true);
      }
    },
    restore(first, second) {
      cuts.delete(pair(first, second));
    },
  };
}
