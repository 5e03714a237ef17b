/**
 * What the local HTTP API needs of a running node. A host implements it; the routes translate it to HTTP and know nothing else of the node.
 *
 * Ids are 64 hex digits. Where a method takes a `..._ref`, a person may have typed it: a channel's name, or the short prefix under which an
 * id is shown (see `shortId`); the facade finds the one it means or throws `SottoError` with the code `not_found` or `ambiguous`.
 * `selector` picks network and identity where there is a choice.
 */

export interface Selector {
  /** A network's id, its short id, or its name. */
  readonly network?: string | undefined;
  /** A user's name. */
  readonly as?: string | undefined;
}

export interface NetworkView {
  readonly network_id: string;
  readonly name: string | null;
  /** Whose identity this is on this node. */
  readonly user_id: string | null;
  readonly user_name: string | null;
  readonly device_id: string;
  /** False while a member has not yet let us in. */
  readonly admitted: boolean;
  readonly members: number;
  readonly events: number;
  /** Events that wait for something, by the rule they wait for. */
  readonly waiting: number;
  readonly peers_connected: number;
}

export interface StatusView {
  readonly version: string;
  readonly pid: number;
  readonly data_dir: string;
  readonly started_ms: number;
  readonly now_ms: number;
  /** `host:port` on which other nodes reach this one. */
  readonly listen: string | null;
  readonly api: string;
  readonly protocol: string;
  readonly networks: readonly NetworkView[];
  /** What was refused, blocked or failed since the start, by name of the reason. */
  readonly counters: Readonly<Record<string, number>>;
  readonly clock: { readonly suspect: boolean; readonly reason: string | null };
  readonly next_job_due_ms: number | null;
}

export interface ChannelView {
  readonly channel_id: string;
  readonly name: string;
  readonly created_ms: number;
  readonly messages: number;
}

export interface MessageView {
  readonly message_id: string;
  readonly channel_id: string;
  /** The author's name, or its short user id where no name is known. */
  readonly author: string;
  readonly author_user_id: string;
  readonly text: string;
  readonly created_ms: number;
  /** null: lives for ever. */
  readonly expires_ms: number | null;
  readonly reactions: readonly { readonly emoji: string; readonly count: number }[];
}

export interface PeerView {
  readonly device_id: string;
  readonly user_id: string | null;
  readonly user_name: string | null;
  readonly network_id: string;
  readonly address: string | null;
  readonly connected: boolean;
  readonly connected_since_ms: number | null;
  readonly is_this_device: boolean;
}

export interface JobView {
  readonly name: string;
  readonly function: string;
  readonly identity: number;
  readonly network_id: string | null;
  readonly enabled: boolean;
  readonly paused: boolean;
  /** As written: `every 3 s`, `cron 0 3 * * *`. */
  readonly schedule: string;
  readonly next_due_ms: number | null;
  readonly last_run_ms: number | null;
  readonly attempt: number;
}

export interface JobRunView {
  readonly job: string;
  readonly network_id: string | null;
  readonly scheduled_for_ms: number;
  readonly started_ms: number;
  readonly duration_us: number;
  readonly emitted: number;
  readonly missed: number;
  readonly outcome: string;
  readonly error: string | null;
}

/** An envelope as a preview shows it: content only by length. */
export interface EnvelopeView {
  readonly envelope: string;
  readonly type: string | null;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface TraceView {
  readonly entry: number;
  readonly at_ms: number;
  readonly envelope: number;
  readonly identity: number;
  readonly cause: string;
  readonly depth: number;
  readonly handler: string;
  readonly stage: string;
  readonly type: string | null;
  readonly event_id: string | null;
  readonly outcome: string;
  readonly why: string | null;
  readonly duration_us: number;
}

/** What subscribers are told: enough to know what to read again, never content. */
export interface Change {
  readonly change: number;
  readonly network_id: string | null;
  readonly type: string;
  readonly event_id: string | null;
}

export interface NodeFacade {
  status(): StatusView;
  createNetwork(input: { name: string; as: string }): {
    network_id: string;
    user_id: string;
    device_id: string;
    channel_id: string;
  };
  createInvite(input: { uses: number; ttl_ms: number } & Selector): {
    link: string;
    invite_id: string;
    uses: number;
    expires_ms: number;
  };
  /** Resolves once a member has let us in; rejects with `join_timeout` after `timeout_ms` (the join stays pending and goes on by itself). */
  join(input: {
    link: string;
    as: string;
    timeout_ms: number;
  }): Promise<{ network_id: string; user_id: string; device_id: string }>;
  createChannel(input: { name: string } & Selector): { channel_id: string; name: string };
  channels(input: Selector): readonly ChannelView[];
  send(input: { channel_ref: string; text: string; ttl_ms: number } & Selector): {
    message_id: string;
    channel_id: string;
    created_ms: number;
    expires_ms: number | null;
  };
  read(input: { channel_ref: string; limit: number } & Selector): readonly MessageView[];
  react(input: { message_ref: string; emoji: string } & Selector): {
    reaction_id: string;
    message_id: string;
  };
  delete(input: { message_ref: string } & Selector): { message_id: string };
  peers(input: Selector): readonly PeerView[];
  jobs(): readonly JobView[];
  /** The next `limit` occurrences over all jobs, soonest first. */
  jobsNext(
    limit: number,
  ): readonly { readonly name: string; readonly network_id: string | null; readonly due_ms: number }[];
  jobRun(
    name: string,
    input: Selector,
  ): { readonly ran: number; readonly failed: number; readonly held: number };
  jobPreview(name: string, input: Selector): readonly EnvelopeView[];
  jobPause(name: string): { readonly paused: number };
  jobResume(name: string): { readonly resumed: number };
  jobHistory(name: string | null, limit: number): readonly JobRunView[];
  jobWhy(
    name: string,
  ): readonly { readonly reason: string; readonly text: string; readonly network_id: string | null }[];
  clockConfirm(): { readonly suspect: boolean };
  reflectors(): readonly { readonly name: string; readonly on: string; readonly file: string }[];
  queries(): readonly {
    readonly name: string;
    readonly description: string;
    readonly params: readonly string[];
    readonly file: string;
  }[];
  /** Parameters come as text; the query's own schema says what becomes a number. */
  query(
    name: string,
    params: Readonly<Record<string, string>>,
    input: Selector,
  ): readonly Readonly<Record<string, unknown>>[];
  commands(): readonly {
    readonly name: string;
    readonly description: string;
    readonly input: readonly string[];
    readonly file: string;
  }[];
  command(
    name: string,
    input: Readonly<Record<string, string>>,
    selector: Selector,
  ): { event_ids: readonly (string | null)[] };
  trace(limit: number, since: number): readonly TraceView[];
  followTrace(listener: (entry: TraceView) => void): () => void;
  /** Changes from now on; `listener` must not throw. Returns the function that ends it. */
  subscribe(listener: (change: Change) => void): () => void;
}

/** The first 8 hex digits of the hash in an event id: how people see it. */
export function shortId(event_id: string): string {
  return event_id.slice(12, 20);
}
