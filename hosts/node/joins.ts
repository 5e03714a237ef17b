/**
 * Joins under way. A name is content and can only be said under a key that a member gives; until then it is kept here, in memory. So a join ends
 * when we have been let in, can read what the network is called, and have said our own name, however long after the request that began it.
 */
import { SottoError } from '../../core/assert.ts';
import type { Identity } from '../../core/envelope.ts';
import type { Id } from '../../core/fields.ts';
import type { AfterCommit } from '../../core/outcome.ts';
import { signerFromSeed } from '../../crypto/sign.ts';
import type { InviteLink } from '../invite-link.ts';
import type { NetworkRow } from './asking.ts';
import type { ViewPorts } from './ports.ts';

interface Waiter {
  readonly resolve: (row: NetworkRow) => void;
  readonly reject: (thrown: unknown) => void;
  readonly timer: NodeJS.Timeout;
}
interface Pending {
  readonly invite_id: Id;
  /** Of the person who joins; null for a device, whose user has a name. */
  readonly name: string | null;
  readonly waiters: Set<Waiter>;
}

const NOT_YET =
  'Nobody has let this node in yet: no member could be reached, or the invite is used up or has expired. It goes on trying as long as it runs; should it be restarted first, `sotto rename NAME` then says what you are called.';

export class Joins {
  readonly #ports: ViewPorts;
  readonly #pending = new Map<Identity, Pending>();
  #look_is_due = false;
  #closed = false;

  constructor(ports: ViewPorts) {
    this.#ports = ports;
  }

  /** Begins a join, or waits once more for the same one. Resolves when it has ended. */
  async join(link: InviteLink, name: string | null, timeout_ms: number): Promise<NetworkRow> {
    const begun = [...this.#pending].find(([, one]) => one.invite_id === link.invite_id && one.name === name);
    const identity = begun?.[0] ?? this.#begin(link);
    const pending = begun?.[1] ?? { invite_id: link.invite_id, name, waiters: new Set<Waiter>() };
    this.#pending.set(identity, pending);
    const ended = new Promise<NetworkRow>((resolve, reject) => {
      const timer = setTimeout(() => {
        pending.waiters.delete(waiter);
        reject(new SottoError('join_timeout', NOT_YET));
      }, timeout_ms).unref();
      const waiter = { resolve, reject, timer };
      pending.waiters.add(waiter);
    });
    this.#ports.parts.sessions.look();
    this.#lookSoon();
    return ended;
  }

  #begin(link: InviteLink): Identity {
    const { engine } = this.#ports.parts;
    const signer = signerFromSeed(link.secret);
    const invite_key = signer.public_key.toHex();
    signer.destroy();
    const input = { network_id: link.network_id, invite_id: link.invite_id, invite_key };
    const secrets = { invite_secret: link.secret };
    const { identity } =
      link.user_id === null
        ? engine.command('join_network', 0, input, secrets)
        : engine.command('link_this_device', 0, { ...input, user_id: link.user_id }, secrets);
    for (const address of link.addresses)
      engine.instruct(identity, 'join', 'dial-hint', { device_id: link.device_id, address });
    return identity;
  }

  /** Told of every commit; it may be one that lets us in. */
  changed(effects: readonly AfterCommit[]): void {
    if (effects.some((effect) => effect.effect === 'changed' && this.#pending.has(effect.identity)))
      this.#lookSoon();
  }

  /** The identity is gone. */
  forget(identity: Identity): void {
    this.#end(identity, ({ reject }) => {
      reject(
        new SottoError('not_found', 'The network was deleted from this node while it was being joined.'),
      );
    });
  }

  close(): void {
    this.#closed = true;
    for (const identity of [...this.#pending.keys()])
      this.#end(identity, ({ reject }) => reject(new SottoError('join_timeout', NOT_YET)));
  }

  /** Not at once: this may be the middle of a commit. */
  #lookSoon(): void {
    if (this.#look_is_due) return;
    this.#look_is_due = true;
    setImmediate(() => {
      this.#look_is_due = false;
      if (!this.#closed) this.#look();
    });
  }

  #look(): void {
    if (this.#pending.size === 0) return;
    for (const row of this.#ports.asking.networks()) {
      const pending = this.#pending.get(row.identity);
      // Whoever can read what the network is called has the keys to say something in it.
      if (pending === undefined || !row.admitted || row.name === null) continue;
      try {
        this.#arrive(row, pending);
        this.#end(row.identity, ({ resolve }) => resolve(row));
      } catch (thrown) {
        this.#end(row.identity, ({ reject }) => reject(thrown));
      }
    }
  }

  #arrive({ identity }: NetworkRow, { name }: Pending): void {
    const { asking, announced } = this.#ports;
    if (name !== null) asking.command('set_profile', identity, { name });
    asking.command('announce_address', identity, { address: announced });
  }

  #end(identity: Identity, tell: (waiter: Waiter) => void): void {
    const waiters = this.#pending.get(identity)?.waiters ?? [];
    this.#pending.delete(identity);
    for (const waiter of waiters) {
      clearTimeout(waiter.timer);
      tell(waiter);
    }
  }
}
