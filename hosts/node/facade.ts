/**
 * The running node as its API shows it: finds what people mean by names and short ids, runs commands and queries, and tells subscribers what
 * changed.
 */
import {
  type Change,
  type ChannelView,
  type EnvelopeView,
  type JobRunView,
  type JobView,
  type MessageView,
  type NodeFacade,
  type PeerView,
  type Selector,
  type StatusView,
  shortId,
  type TraceView,
} from '../../api/facade.ts';
import { SottoError } from '../../core/assert.ts';
import type { CommandResult } from '../../core/engine.ts';
import type { Identity } from '../../core/envelope.ts';
import type { Shape } from '../../core/fields.ts';
import { NEVER_MS } from '../../core/limits.ts';
import type { AfterCommit } from '../../core/outcome.ts';
import { signerFromSeed } from '../../crypto/sign.ts';
import { decodeInviteLink, encodeInviteLink } from '../invite-link.ts';
import { Finder, type NetworkRow } from './finder.ts';
import { fromText } from './from-text.ts';
import type { Parts } from './node.ts';
import { VERSION } from './version.ts';
import { envelopeView, jobRunView, jobView, onlyEvent, shownExpiry, traceView } from './views.ts';

/** How often a join looks whether it has been let in. */
const JOIN_LOOK_MS = 25;

export class NodeView implements NodeFacade {
  api_address = '';
  readonly announced_address: string;
  readonly #parts: Parts;
  readonly #find: Finder;
  readonly #data_dir: string;
  readonly #protocol: string;
  readonly #subscribers = new Set<(change: Change) => void>();
  #changes = 0;

  constructor(parts: Parts, about: { data_dir: string; protocol: string; announced: string }) {
    this.#parts = parts;
    this.#find = new Finder(parts.engine);
    this.#data_dir = about.data_dir;
    this.#protocol = about.protocol;
    this.announced_address = about.announced;
  }

  // --- the node ---------------------------------------------------------------------------------------------------------------------

  status(): StatusView {
    const { engine, scheduler, clock, started_ms } = this.#parts;
    const { suspect, reason } = scheduler.clockStatus();
    return {
      version: VERSION,
      pid: process.pid,
      data_dir: this.#data_dir,
      started_ms,
      now_ms: clock.wall_ms(),
      listen: this.announced_address,
      api: this.api_address,
      protocol: this.#protocol,
      networks: this.#find
        .networks()
        .map(({ identity: _identity, ...view }) => ({ ...view, network_id: view.network_id ?? '' })),
      counters: Object.fromEntries([...engine.pipeline.counters].sort(([a], [b]) => (a < b ? -1 : 1))),
      clock: { suspect, reason },
      next_job_due_ms: scheduler.nextDueMs(),
    };
  }

  trace(limit: number, since: number): readonly TraceView[] {
    return this.#parts.engine.trace.read(limit, since).map(traceView);
  }

  followTrace(listener: (entry: TraceView) => void): () => void {
    return this.#parts.engine.trace.follow((entry) => listener(traceView(entry)));
  }

  subscribe(listener: (change: Change) => void): () => void {
    this.#subscribers.add(listener);
    return () => this.#subscribers.delete(listener);
  }

  /** Tells subscribers what a commit has changed. */
  changed(effects: readonly AfterCommit[]): void {
    for (const effect of effects) {
      if (effect.effect !== 'changed') continue;
      this.#changes += 1;
      if (this.#subscribers.size === 0) continue;
      const network_id = this.#parts.engine.identity(effect.identity)?.network_id ?? null;
      const change: Change = {
        change: this.#changes,
        network_id,
        type: effect.type,
        event_id: effect.event_id,
      };
      for (const listener of this.#subscribers) listener(change);
    }
  }

  // --- networks and people ----------------------------------------------------------------------------------------------------------

  createNetwork(input: { name: string; as: string }) {
    const { engine } = this.#parts;
    const made = engine.command('create_network', 0, { name: input.name, user_name: input.as });
    engine.command('announce_address', made.identity, { address: this.announced_address });
    const network = this.#find.networks().find((row) => row.identity === made.identity);
    const channel = this.#query<{ channel_id: string }>('get_channels', {}, made.identity)[0];
    return {
      network_id: network?.network_id ?? '',
      user_id: network?.user_id ?? '',
      device_id: network?.device_id ?? '',
      channel_id: channel?.channel_id ?? '',
    };
  }

  createInvite(input: { uses: number; ttl_ms: number } & Selector) {
    const network = this.#find.select(input);
    const made = this.#command('create_invite', network.identity, { uses: input.uses, ttl_ms: input.ttl_ms });
    const invite_id = onlyEvent(made);
    const invite = this.#query<{ uses: number; expires_ms: number }>(
      'get_invite',
      { invite_id },
      network.identity,
    )[0];
    const secret = made.reply.secret as Uint8Array;
    const link = encodeInviteLink({
      network_id: network.network_id ?? '',
      invite_id,
      secret,
      device_id: network.device_id,
      addresses: [this.announced_address],
    });
    secret.fill(0);
    return { link, invite_id, uses: invite?.uses ?? input.uses, expires_ms: invite?.expires_ms ?? 0 };
  }

  async join(input: { link: string; as: string; timeout_ms: number }) {
    const { engine, sessions } = this.#parts;
    const link = decodeInviteLink(input.link);
    const same = this.#find
      .networks()
      .find((row) => row.network_id === link.network_id && row.user_name === input.as);
    if (same !== undefined)
      throw new SottoError('already_joined', `This node is in that network already, as ${input.as}.`);
    const signer = signerFromSeed(link.secret);
    const invite_key = signer.public_key.toHex();
    signer.destroy();
    const made = engine.command(
      'join_network',
      0,
      { network_id: link.network_id, invite_id: link.invite_id, invite_key, user_name: input.as },
      { invite_secret: link.secret },
    );
    for (const address of link.addresses) {
      engine.instruct(made.identity, 'join', 'dial-hint', { device_id: link.device_id, address });
    }
    sessions.look();
    const admitted = await this.#waitUntilAdmitted(made.identity, input.timeout_ms);
    engine.command('announce_address', made.identity, { address: this.announced_address });
    return { network_id: link.network_id, user_id: admitted.user_id ?? '', device_id: admitted.device_id };
  }

  async #waitUntilAdmitted(identity: Identity, timeout_ms: number): Promise<NetworkRow> {
    const deadline = this.#parts.clock.monotonic_ms() + timeout_ms;
    for (;;) {
      const row = this.#find.networks().find((network) => network.identity === identity);
      if (row?.admitted === true && row.name !== null) return row;
      if (this.#parts.clock.monotonic_ms() > deadline) {
        throw new SottoError(
          'join_timeout',
          'Nobody has let this node in yet: no member could be reached, or the invite is used up or has expired. It goes on trying as long as it runs.',
        );
      }
      await new Promise((resolve) => setTimeout(resolve, JOIN_LOOK_MS));
    }
  }

  peers(input: Selector): readonly PeerView[] {
    return this.#find.selectAll(input).flatMap((network) => {
      const names = this.#find.names(network.identity);
      return this.#query<Omit<PeerView, 'user_name' | 'network_id' | 'connected'>>(
        'get_peers',
        {},
        network.identity,
      ).map((peer) => ({
        device_id: peer.device_id,
        user_id: peer.user_id,
        user_name: names.get(peer.user_id ?? '') ?? null,
        network_id: network.network_id ?? '',
        address: peer.address,
        connected: peer.connected_since_ms !== null,
        connected_since_ms: peer.connected_since_ms,
        is_this_device: peer.is_this_device,
      }));
    });
  }

  // --- channels and messages --------------------------------------------------------------------------------------------------------

  createChannel(input: { name: string } & Selector) {
    const network = this.#find.select(input);
    const channels = this.#query<ChannelView>('get_channels', {}, network.identity);
    if (channels.some((channel) => channel.name === input.name)) {
      throw new SottoError('channel_exists', `There is a channel of that name already.`);
    }
    return {
      channel_id: onlyEvent(this.#command('create_channel', network.identity, { name: input.name })),
      name: input.name,
    };
  }

  channels(input: Selector): readonly ChannelView[] {
    return this.#query<ChannelView>('get_channels', {}, this.#find.select(input).identity);
  }

  send(input: { channel_ref: string; text: string; ttl_ms: number } & Selector) {
    const { identity, channel_id } = this.#find.channel(input.channel_ref, input);
    const message_id = onlyEvent(
      this.#command('send_message', identity, { channel_id, text: input.text, ttl_ms: input.ttl_ms }),
    );
    const message = this.#query<{ created_ms: number; expires_ms: number }>(
      'get_message_by_id',
      { message_id },
      identity,
    )[0];
    return {
      message_id,
      channel_id,
      created_ms: message?.created_ms ?? 0,
      expires_ms: shownExpiry(message?.expires_ms ?? NEVER_MS),
    };
  }

  read(input: { channel_ref: string; limit: number } & Selector): readonly MessageView[] {
    const { identity, channel_id } = this.#find.channel(input.channel_ref, input);
    const page = { channel_id, limit: input.limit };
    const names = this.#find.names(identity);
    const reactions = Map.groupBy(
      this.#query<{ message_id: string; emoji: string; count: number }>('get_reactions', page, identity),
      (reaction) => reaction.message_id,
    );
    return this.#query<Omit<MessageView, 'reactions' | 'expires_ms'> & { expires_ms: number }>(
      'get_messages',
      page,
      identity,
    )
      .map((message) => ({
        message_id: message.message_id,
        channel_id: message.channel_id,
        author: names.get(message.author_user_id) ?? shortId(message.author_user_id),
        author_user_id: message.author_user_id,
        text: message.text,
        created_ms: message.created_ms,
        expires_ms: shownExpiry(message.expires_ms),
        reactions: (reactions.get(message.message_id) ?? []).map(({ emoji, count }) => ({ emoji, count })),
      }))
      .reverse();
  }

  react(input: { message_ref: string; emoji: string } & Selector) {
    const { identity, message_id } = this.#find.message(input.message_ref, input);
    return {
      reaction_id: onlyEvent(this.#command('react', identity, { message_id, emoji: input.emoji })),
      message_id,
    };
  }

  delete(input: { message_ref: string } & Selector) {
    const { identity, message_id } = this.#find.message(input.message_ref, input);
    this.#command('remove_message', identity, { message_id });
    return { message_id };
  }

  // --- jobs -------------------------------------------------------------------------------------------------------------------------

  jobs(): readonly JobView[] {
    return this.#parts.scheduler.list().map((line) => jobView(line, this.#parts.jobs()));
  }

  jobsNext(limit: number) {
    return this.#parts.scheduler
      .next(limit)
      .map(({ name, network_id, due_ms }) => ({ name, network_id, due_ms }));
  }

  jobRun(name: string, input: Selector) {
    const runs = this.#parts.scheduler.run(name, this.#find.identityOrNone(input));
    const failed = runs.filter((run) => run.outcome === 'failed').length;
    return { ran: runs.length - failed, failed, held: 0 };
  }

  jobPreview(name: string, input: Selector): readonly EnvelopeView[] {
    return this.#parts.scheduler
      .preview(name, this.#find.identityOrNone(input))
      .flatMap(({ envelopes }) => envelopes.map(envelopeView));
  }

  jobPause(name: string) {
    this.#parts.scheduler.pause(name);
    return {
      paused: this.#parts.scheduler.list().filter((line) => line.name === name && line.state === 'paused')
        .length,
    };
  }

  jobResume(name: string) {
    const paused = this.#parts.scheduler
      .list()
      .filter((line) => line.name === name && line.state === 'paused').length;
    this.#parts.scheduler.resume(name);
    this.#parts.tick();
    return { resumed: paused };
  }

  jobHistory(name: string | null, limit: number): readonly JobRunView[] {
    return this.#parts.scheduler.history(name ?? undefined, limit).map((run) => jobRunView(run, this.#find));
  }

  jobWhy(name: string) {
    return this.#parts.scheduler
      .why(name)
      .map(({ reason, text, identity }) => ({ reason, text, network_id: this.#find.networkOf(identity) }));
  }

  clockConfirm() {
    this.#parts.scheduler.confirmClock();
    this.#parts.tick();
    return { suspect: this.#parts.scheduler.clockStatus().suspect };
  }

  // --- what the protocol has --------------------------------------------------------------------------------------------------------

  reflectors() {
    return [...this.#parts.protocol.reflectors.entries()]
      .flatMap(([type, list]) => list.map(({ name, file }) => ({ name, on: type.name, file })))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  queries() {
    return [...this.#parts.protocol.queries.values()].map(({ name, file, value }) => ({
      name,
      description: value.description,
      params: Object.keys(value.params),
      file,
    }));
  }

  query(name: string, params: Readonly<Record<string, string>>, input: Selector) {
    const registered = this.#parts.protocol.queries.get(name);
    if (registered === undefined)
      throw new SottoError(
        'unknown_query',
        `There is no query '${name}'. \`sotto queries list\` shows them.`,
      );
    const identity = registered.value.scope === 'node' ? 0 : this.#find.select(input).identity;
    return this.#query<Record<string, unknown>>(name, fromText(registered.value.params, params), identity);
  }

  commands() {
    return [...this.#parts.protocol.commands.values()].map(({ name, file, value }) => ({
      name,
      description: value.options.description,
      input: Object.keys(value.options.input as Shape),
      file,
    }));
  }

  command(name: string, input: Readonly<Record<string, string>>, selector: Selector) {
    const registered = this.#parts.protocol.commands.get(name);
    if (registered === undefined)
      throw new SottoError(
        'unknown_command',
        `There is no command '${name}'. \`sotto commands list\` shows them.`,
      );
    if (registered.value.options.as === 'new') {
      throw new SottoError(
        'not_by_name',
        `'${name}' makes a new identity; use \`sotto network create\` or \`sotto join\`.`,
      );
    }
    const made = this.#command(
      name,
      this.#find.select(selector).identity,
      fromText(registered.value.options.input as Shape, input),
    );
    if ('secret' in made.reply)
      throw new SottoError('not_by_name', `'${name}' answers with a secret; use \`sotto invite create\`.`);
    return { event_ids: made.event_ids };
  }

  #query<Row>(name: string, params: Record<string, unknown>, identity: Identity): Row[] {
    return [...this.#parts.engine.query(name, params, identity)] as Row[];
  }

  #command(name: string, identity: Identity, input: Record<string, unknown>): CommandResult {
    return this.#parts.engine.command(name, identity, input);
  }
}
