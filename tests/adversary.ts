/**
 * A hostile member: a real session (WebSocket, Noise) with a real node, under any device key; behind it, if she likes, an engine of her own, so
 * that she joins, syncs and is given keys like anybody. What that engine holds she then takes out of its file, and forges with it by hand.
 */

import { encodeBody } from '../core/body-codec.ts';
import type { Header, RawEvent, Wrap } from '../core/envelope.ts';
import type { Id } from '../core/fields.ts';
import { encodeEventItem, encodeFrame, encodeTransientItem } from '../core/frame-codec.ts';
import { limits, NEVER_MS } from '../core/limits.ts';
import type { Connection } from '../core/transport.ts';
import { sealTo } from '../crypto/box.ts';
import { type Signer, signerFromSeed } from '../crypto/sign.ts';
import { decodeInviteLink } from '../hosts/invite-link.ts';
import { keyIdOf } from '../protocols/quiet/handlers/content-key.ts';
import { type SecureSession, secureInitiator } from '../transport/noise.ts';
import { websocketTransport } from '../transport/websocket.ts';
import {
  type Faults,
  type Forged,
  forge,
  forgeSealed,
  type GroupKey,
  headerBy,
  heldKeyOf,
  plaintextOf,
  signerOf,
  typeNamed,
} from './hostile.ts';
import { until } from './process.ts';
import {
  quietProtocol,
  type StoredEvent,
  storedEvents,
  systemRandom,
  TestClock,
  TestNode,
} from './support.ts';

/** So soon a member who does nothing wrong gets a word through, whatever others do. */
export const SECONDS_MS = 10_000;
/** So soon a node answers its owner, whatever others do. */
export const ANSWER_MS = 2_000;

/** The time of this machine, which the nodes have, too. */
class RunningClock extends TestClock {
  override wall_ms = (): number => Date.now();
  override monotonic_ms = (): number => performance.now();
}

/** A session with a node: everything that was heard in it, in order, and why it ended. */
export class Line {
  readonly heard: Uint8Array[] = [];
  closed: string | null = null;
  readonly #secure: SecureSession;

  /** What went out, as it lay on the wire: the handshake, then one sealed message per frame. */
  readonly sent: readonly Uint8Array[];
  readonly #connection: Connection;

  constructor(
    secure: SecureSession,
    connection: Connection,
    sent: readonly Uint8Array[],
    on_frame: (frame: Uint8Array) => void,
  ) {
    this.#secure = secure;
    this.#connection = connection;
    this.sent = sent;
    secure.on_close = (reason) => {
      this.closed = reason;
    };
    secure.on_frame = (frame) => {
      this.heard.push(frame);
      on_frame(frame);
    };
  }

  /** The session as an engine knows it. */
  get id(): string {
    return this.#secure.handshake_hash.toHex().slice(0, 32);
  }

  get remote_device(): Id {
    return this.#secure.remote_device.toHex();
  }

  get buffered_bytes(): number {
    return this.#secure.buffered_bytes;
  }

  frame(bytes: Uint8Array): void {
    this.#secure.send(bytes);
  }

  /** Sends bytes as they are, behind the back of the session. */
  bytes(raw: Uint8Array): void {
    this.#connection.send(raw);
  }

  /** Sends items, in as few frames as may be. */
  say(...items: readonly Uint8Array[]): void {
    let batch: Uint8Array[] = [];
    let bytes = 0;
    for (const item of items) {
      if (batch.length >= limits.frame_items_max || bytes + item.length > limits.frame_bytes_max / 2) {
        this.frame(encodeFrame(batch));
        batch = [];
        bytes = 0;
      }
      batch.push(item);
      bytes += item.length;
    }
    if (batch.length > 0) this.frame(encodeFrame(batch));
  }

  /** Resolves when everything that was sent has left this process. */
  async flushed(): Promise<void> {
    await until('what was sent has left', () => this.closed !== null || this.buffered_bytes === 0);
  }

  close(): void {
    this.#secure.close();
  }
}

export interface Whom {
  readonly listen: string;
  readonly network_id: Id;
  readonly device_id: Id;
}

/** Sends messages of any size, as no honest transport does. */
const boundless = websocketTransport({ message_bytes_max: 64 * 1024 * 1024 });

/** Opens a session as whoever `signer` is. Throws where the handshake fails. */
export async function dial(
  { listen, network_id, device_id }: Whom,
  signer: Signer,
  on_frame: (line: Line, frame: Uint8Array) => void = () => undefined,
): Promise<Line> {
  const connection = await boundless.dial(listen, { timeout_ms: 5_000 });
  const sent: Uint8Array[] = [];
  const send = connection.send.bind(connection);
  connection.send = (bytes) => {
    sent.push(bytes.slice());
    send(bytes);
  };
  const local = { network_id: Uint8Array.fromHex(network_id), signer };
  const secure = await secureInitiator(connection, local, Uint8Array.fromHex(device_id), {
    timeout_ms: 5_000,
  });
  const line: Line = new Line(secure, connection, sent, (frame) => on_frame(line, frame));
  return line;
}

export const strangeSigner = (): Signer => signerFromSeed(systemRandom.bytes(32));

/** Somebody with an engine in this process, who speaks to real nodes: honest as long as nobody forges with what it holds. */
export class Peer {
  readonly name: string;
  readonly node = new TestNode({ clock: new RunningClock() });
  readonly #lines = new Map<string, Line>();
  #seq = 100_000;
  #signer: Signer | null = null;
  network_id = '';

  constructor(name: string) {
    this.name = name;
  }

  /** Kept: secrets lie in locked memory, of which there is not much. */
  get signer(): Signer {
    this.#signer ??= signerOf(this.node);
    return this.#signer;
  }

  get device_id(): Id {
    return this.node.engine.identity(1)?.device_id ?? '';
  }

  get user_id(): Id {
    return this.userOf(this.device_id);
  }

  userOf(device_id: Id): Id {
    return this.node.query<{ user_id: Id }>('get_user_of_device', { device_id })[0]?.user_id ?? '';
  }

  /** Asks to be let in by a link, without meeting anybody yet. */
  ask(link: string): void {
    const { network_id, invite_id, secret, user_id } = decodeInviteLink(link);
    const invite = signerFromSeed(secret);
    const input = { network_id, invite_id, invite_key: invite.public_key.toHex() };
    invite.destroy();
    const secrets = { invite_secret: secret.slice() };
    if (user_id === null) this.node.engine.command('join_network', 0, input, secrets);
    else this.node.engine.command('link_this_device', 0, { ...input, user_id }, secrets);
    this.network_id = network_id;
  }

  /** Joins by a link, as anybody would. Resolves when the network can be read. */
  async join(link: string, whom: Whom): Promise<Line> {
    this.ask(link);
    const line = await this.meet(whom);
    await until(`${this.name} can read the network`, () => this.channel('general') !== '');
    if (decodeInviteLink(link).user_id === null) this.run('set_profile', { name: this.name });
    return line;
  }

  /** Opens a session, and lets the engine speak and hear in it. */
  async meet(whom: Whom): Promise<Line> {
    const line = await dial(whom, this.signer, (from, frame) => {
      if (!this.#lines.has(from.id)) return;
      this.node.engine.receive(1, { session_id: from.id, device_id: from.remote_device }, frame);
      this.#speak();
    });
    this.#lines.set(line.id, line);
    this.#tell(line, 'opened');
    return line;
  }

  /** The engine hears and says nothing any more in its sessions, which stay open. */
  fallSilent(): void {
    for (const line of this.#lines.values()) this.#tell(line, 'closed');
    this.#lines.clear();
  }

  leave(): void {
    const lines = [...this.#lines.values()];
    this.fallSilent();
    for (const line of lines) line.close();
  }

  /** Runs a command, and begins a round of sync with everybody in a session, so that nobody has to wait for the next. */
  run(command: string, input: Record<string, unknown>): (Id | null)[] {
    const { event_ids } = this.node.engine.command(command, 1, input);
    this.sync();
    return [...event_ids];
  }

  sync(): void {
    this.job('sync_job', { network_id: this.network_id });
  }

  /** Runs a job as its schedule would. */
  job(name: string, params: Record<string, unknown> = {}): void {
    const { engine, clock } = this.node;
    const found = quietProtocol.jobs.get(name);
    if (found === undefined) throw new Error(`there is no job '${name}'`);
    engine.transact((transaction) => {
      const now_ms = clock.wall_ms();
      const occurrence = { scheduled_for_ms: now_ms, missed: 0, attempt: 0 };
      const envelopes = engine.pure.job(found, params, engine.scope(1, now_ms), occurrence);
      transaction.submit(1, { kind: 'job', name, scheduled_for_ms: now_ms }, envelopes);
    });
    this.#speak();
  }

  say(text: string, channel_id = this.channel('general')): Id {
    return this.run('send_message', { channel_id, text, ttl_ms: 0 })[0] ?? '';
  }

  channel(name: string): Id {
    const rows = this.node.query<{ channel_id: Id; name: string }>('get_channels');
    return rows.find((row) => row.name === name)?.channel_id ?? '';
  }

  read(channel_id = this.channel('general')): string[] {
    if (channel_id === '') return [];
    return this.node
      .query<{ text: string }>('get_messages', { channel_id, limit: 1_000 })
      .map((row) => row.text)
      .reverse();
  }

  /** Waits until a text can be read, asking for it. */
  async reads(text: string, channel_id?: Id): Promise<void> {
    await until(
      `${this.name} reads '${text}'`,
      () => {
        this.sync();
        return this.read(channel_id).includes(text);
      },
      SECONDS_MS,
    );
  }

  event(event_id: Id): StoredEvent {
    const found = storedEvents(this.node).find((stored) => stored.event_id === event_id);
    if (found === undefined) throw new Error(`${this.name} does not have this event`);
    return found;
  }

  events(type: string): StoredEvent[] {
    return storedEvents(this.node).filter((stored) => stored.type === type);
  }

  key(channel_id: Id | null = this.channel('general'), group_id: Id = this.network_id): GroupKey {
    return heldKeyOf(this.node, group_id, channel_id);
  }

  // --- by hand -----------------------------------------------------------------------------------------------------------------------------

  /** A header as her device would sign it now, at a number that nobody has. */
  header(more: Partial<Header> = {}, signer = this.signer): Header {
    return headerBy(signer, this.network_id, { seq: this.#seq++, created_ms: Date.now(), ...more });
  }

  /** A public event of any type, with any body. */
  inClear(type: string, body: Readonly<Record<string, unknown>>, more: Partial<Header> = {}): Forged {
    return forge(this.header({ type, ...more }), encodeBody(typeNamed(type), body), this.signer);
  }

  /** Something sealed for everybody, under a key of theirs (or another). */
  sealed(
    plaintext: Uint8Array,
    { key = this.key(), faults, ...more }: Partial<Header> & { key?: GroupKey; faults?: Faults } = {},
  ): Forged {
    return forgeSealed(
      this.header({ group_id: this.network_id, ...more }),
      plaintext,
      this.signer,
      key,
      faults,
    );
  }

  message(text: string, more: Parameters<Peer['sealed']>[1] = {}): Forged {
    return this.sealed(plaintextOf('message', { channel_id: this.channel('general'), text }), more);
  }

  /** A group key of her own making for a device, by the newest prekey that it advertises. `body` overrides what is true. */
  keyFor(
    device_id: Id,
    body: Readonly<Record<string, unknown>> = {},
    secret = systemRandom.bytes(32),
  ): Forged {
    const expires_ms = (body.key_expires_ms as number | undefined) ?? NEVER_MS;
    const channel_id = (body.channel_id as Id | null | undefined) ?? this.channel('general');
    const prekey = this.prekeyOf(device_id);
    const sealed = sealTo(Uint8Array.fromHex(prekey), secret, systemRandom.bytes(32));
    return this.inClear(
      'key',
      {
        key_id: keyIdOf(secret, { group_id: this.network_id, channel_id, expires_ms }),
        device_id,
        prekey,
        channel_id,
        key_expires_ms: expires_ms,
        sealed: sealed?.toHex(),
        ...body,
      },
      { group_id: this.network_id },
    );
  }

  /** A request for events by their ids. */
  asking(need: readonly Id[]): Uint8Array {
    const now_ms = Date.now();
    const body = {
      message: null,
      need,
      keys: [],
      end_groups: [],
      end_seqs: [],
      cut_ms: now_ms,
      now_ms,
      round: 0,
      asker_progress: 0,
      answerer_progress: 0,
      introduced: false,
    };
    return encodeTransientItem('sync_request', encodeBody(typeNamed('sync_request'), body));
  }

  prekeyOf(device_id: Id): Id {
    const row = this.node.db
      .prepare(
        `SELECT p.public_key FROM prekey p JOIN event e ON e.n = p.event WHERE e.author = :author ORDER BY e.created_ms DESC, e.id DESC LIMIT 1`,
      )
      .get({ author: Uint8Array.fromHex(device_id) });
    return (row?.public_key as Uint8Array | undefined)?.toHex() ?? '';
  }

  #tell(line: Line, state: 'opened' | 'closed'): void {
    this.node.engine.instruct(1, 'test', 'session', {
      session_id: line.id,
      device_id: line.remote_device,
      state,
    });
    this.#speak();
  }

  #speak(): void {
    for (const [session_id, line] of this.#lines) {
      const items = this.node.takeItems(session_id);
      if (items.length > 0) line.say(...items);
    }
  }
}

/** The same event with other wraps: nobody signs those. */
export const rewrapped = (raw: RawEvent, wraps: readonly Wrap[]): Uint8Array =>
  encodeEventItem({ header: raw.header, signature: raw.signature, body: raw.body, wraps });
