/** The people around a hostile member: a real node as its owner uses it, and what must still hold after any attack. */
import type { Id } from '../core/fields.ts';
import { ANSWER_MS, type Line, Peer, SECONDS_MS, type Whom } from './adversary.ts';
import { NodeProcess, until } from './process.ts';

interface Status {
  readonly pid: number;
  readonly counters: Readonly<Record<string, number>>;
  readonly networks: readonly {
    readonly events: number;
    readonly waiting: number;
    readonly waiting_by_rule: Readonly<Record<string, number>>;
  }[];
}

/** A real node with an identity, as its owner uses it. */
export class Owner {
  readonly name: string;
  readonly process: NodeProcess;
  whom: Whom = { listen: '', network_id: '', device_id: '' };
  #pid = -1;

  constructor(name: string) {
    this.name = name;
    this.process = new NodeProcess('127.0.0.1:0');
  }

  async start(): Promise<void> {
    const { listen, pid } = await this.process.start();
    this.#pid = pid;
    this.whom = { ...this.whom, listen };
  }

  async found(name = 'Home'): Promise<void> {
    const made = await this.post<{ network_id: Id; device_id: Id }>('/networks', { name, as: this.name });
    this.whom = { ...this.whom, network_id: made.network_id, device_id: made.device_id };
  }

  async join(link: string): Promise<void> {
    const made = await this.post<{ network_id: Id; device_id: Id }>('/join', { link, as: this.name });
    this.whom = { ...this.whom, network_id: made.network_id, device_id: made.device_id };
  }

  get<T>(path: string): Promise<T> {
    return this.process.ask<T>('GET', path);
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.process.ask<T>('POST', path, body);
  }

  query<T>(name: string, params: Readonly<Record<string, string>> = {}): Promise<T[]> {
    return this.post<T[]>(`/queries/${name}`, { params, network: this.whom.network_id });
  }

  async invite(uses = 1): Promise<string> {
    return (await this.post<{ link: string }>('/invites', { uses })).link;
  }

  async say(text: string, channel = 'general'): Promise<Id> {
    const body = { channel, text, network: this.whom.network_id };
    return (await this.post<{ message_id: Id }>('/messages', body)).message_id;
  }

  async read(channel = 'general'): Promise<string[]> {
    const path = `/messages?limit=1000&network=${this.whom.network_id}&channel=${encodeURIComponent(channel)}`;
    return (await this.get<{ text: string }[]>(path)).map(({ text }) => text);
  }

  async userNamed(name: string): Promise<Id> {
    const members = await this.get<{ user_id: Id; name: string | null }[]>('/members');
    return members.find((member) => member.name === name)?.user_id ?? '';
  }

  status(): Promise<Status> {
    return this.get<Status>('/status');
  }

  async counter(name: string): Promise<number> {
    return (await this.status()).counters[name] ?? 0;
  }

  async waiting(): Promise<Readonly<Record<string, number>>> {
    return (await this.status()).networks[0]?.waiting_by_rule ?? {};
  }

  why(
    event_id: Id,
  ): Promise<{ standing: string; rule: string | null; waits_for: { what: string; id: Id }[] }> {
    return this.get(`/events/${event_id}/why?network=${this.whom.network_id}`);
  }

  /** Where an event stands, in words; `unknown` where the node does not know it. */
  async standing(event_id: Id): Promise<string> {
    try {
      const { standing, rule } = await this.why(event_id);
      return rule === null ? standing : `${standing}: ${rule}`;
    } catch {
      return 'unknown';
    }
  }

  /** Waits until a counter has reached `least`; tells all of them if it does not. */
  async counts(name: string, least = 1, timeout_ms = SECONDS_MS): Promise<void> {
    let last: unknown = null;
    await until(
      `${this.name} counts ${name} ${least} times`,
      async () => {
        last = (await this.status()).counters;
        return ((last as Record<string, number>)[name] ?? 0) >= least;
      },
      timeout_ms,
    ).catch((thrown: Error) => {
      throw new Error(`${thrown.message}; it counts ${JSON.stringify(last)}`);
    });
  }

  /** Waits until a text can be read; its channel may come later. */
  async shows(text: string, channel = 'general'): Promise<void> {
    const isThere = async () => (await this.read(channel).catch((): string[] => [])).includes(text);
    await until(`${this.name} shows '${text}'`, isThere, SECONDS_MS);
  }

  /** The same process as at the start, which answers soon. Throws else. */
  async isWell(): Promise<void> {
    const began = performance.now();
    const { pid } = await this.status();
    const took_ms = performance.now() - began;
    if (pid !== this.#pid || this.process.pid !== this.#pid)
      throw new Error(`${this.name} is another process now`);
    if (took_ms > ANSWER_MS) throw new Error(`${this.name} took ${took_ms} ms to answer`);
  }

  end(): Promise<number> {
    return this.process.end('SIGKILL');
  }
}

const ends: (() => unknown)[] = [];

/** Asks a node for its status again and again: how long the slowest answer took so far. */
export class Watch {
  slowest_ms = 0;
  answers = 0;
  #stopped = false;
  readonly #done: Promise<void>;

  constructor(owner: Owner) {
    this.#done = this.#look(owner);
    this.#done.catch(() => undefined);
    ends.push(() => {
      this.#stopped = true;
    });
  }

  async #look(owner: Owner): Promise<void> {
    while (!this.#stopped) {
      const began = performance.now();
      // A node that stands still for long loses the connection: that counts as waiting, too.
      while (!this.#stopped && (await owner.status().catch(() => null)) === null);
      this.slowest_ms = Math.max(this.slowest_ms, performance.now() - began);
      this.answers += 1;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async stop(): Promise<number> {
    this.#stopped = true;
    await this.#done;
    return this.slowest_ms;
  }
}

/** Alice's home on a real node; Bob, an honest member; and Mallory, who looks like one. */
export interface Home {
  readonly alice: Owner;
  readonly bob: Peer;
  readonly mallory: Peer;
  /** Mallory's session with Alice. Her engine is in it until she falls silent. */
  readonly line: Line;
}

/** To be called after each test. */
export async function tearDown(): Promise<void> {
  await Promise.all(ends.splice(0).map((end) => end()));
}

export async function owner(name: string): Promise<Owner> {
  const made = new Owner(name);
  ends.push(() => made.end());
  await made.start();
  return made;
}

export async function guest(host: Owner, name: string): Promise<{ peer: Peer; line: Line }> {
  const peer = new Peer(name);
  ends.push(() => peer.leave());
  const line = await peer.join(await host.invite(), host.whom);
  return { peer, line };
}

export async function home(): Promise<Home> {
  const alice = await owner('alice');
  await alice.found();
  await alice.say('welcome');
  const { peer: bob } = await guest(alice, 'bob');
  const { peer: mallory, line } = await guest(alice, 'mallory');
  await until('everybody is there', async () => {
    const members = await alice.get<{ name: string | null }[]>('/members');
    return (
      members.every(({ name }) => name !== null) &&
      [bob, mallory].every((peer) => peer.read().includes('welcome'))
    );
  });
  return { alice, bob, mallory, line };
}

let words = 0;

/** What must still hold after any attack: Bob says something, Alice shows it, Alice answers, and Bob reads it. */
export async function allIsWell({ alice, bob }: Pick<Home, 'alice' | 'bob'>): Promise<void> {
  const [from_bob, from_alice] = [`bob's word ${++words}`, `alice's word ${words}`];
  bob.say(from_bob);
  await alice.shows(from_bob);
  await alice.say(from_alice);
  await bob.reads(from_alice);
  await alice.isWell();
}
