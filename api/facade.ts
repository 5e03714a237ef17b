/**
 * What the local HTTP API needs of a running node. A host implements it; the routes translate it to HTTP and know nothing else of the node.
 *
 * Ids are 64 hex digits. Where a method takes a `..._ref`, a person may have typed it: a channel's name, or the short prefix under which an
 * id is shown (see `shortId`); the facade finds the one it means or throws `SottoError` with the code `not_found` or `ambiguous`.
 * `selector` picks network and identity where there is a choice.
 */
import type { ForgettingFacade } from './forgetting.ts';
import type { EnvelopeView, JobRunView, JobView, TraceView } from './running.ts';
import type { CatchingUpView, SyncingFacade } from './syncing.ts';

export type * from './forgetting.ts';
export type * from './running.ts';
export type * from './syncing.ts';

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
  /** True once we were removed from it, or left: what we had stays readable here. */
  readonly removed: boolean;
  readonly members: number;
  readonly events: number;
  /** Events that wait for something, by the rule they wait for. */
  readonly waiting: number;
  /** The same, by the rule they wait for. */
  readonly waiting_by_rule: Readonly<Record<string, number>>;
  readonly peers_connected: number;
  /** While much is fetched that others have said before; null: nothing much is. */
  readonly catching_up: CatchingUpView | null;
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
  readonly lan: LanView;
}

/** How finding peers on the same LAN does. */
export interface LanView {
  readonly on: boolean;
  /** Devices of our networks of which it is said there where they are; whether they are is not said by that. */
  readonly found: number;
  /** Of this machine, those under which it is announced. */
  readonly addresses: readonly string[];
  /** Why it does not work as it should, in words. */
  readonly problem: string | null;
}

export interface ChannelView {
  readonly channel_id: string;
  readonly name: string;
  /** The group whose members read it; `kind` `main` is the whole network. */
  readonly group_id: string;
  readonly group_kind: GroupKind;
  /** null: the main group, or a group whose name is not known here. */
  readonly group_name: string | null;
  /** Messages of others that this identity has not read yet. */
  readonly unread: number;
  readonly created_ms: number;
  readonly messages: number;
  /** How long new messages live here; null: for ever. */
  readonly retention_ms: number | null;
}

export interface MessageView {
  readonly message_id: string;
  readonly channel_id: string;
  /** The author's name, or its short user id where no name is known. */
  readonly author: string;
  readonly author_user_id: string;
  readonly text: string;
  readonly created_ms: number;
  /** When the text was last changed; null: never. */
  readonly edited_ms: number | null;
  /** null: lives for ever. */
  readonly expires_ms: number | null;
  readonly reactions: readonly { readonly emoji: string; readonly count: number }[];
  /** Of one's own messages only: the other devices that it is for, and how many of them are known to have it as it reads now. */
  readonly delivery: { readonly devices: number; readonly delivered: number } | null;
}

export type GroupKind = 'main' | 'private' | 'direct';

export interface GroupView {
  readonly group_id: string;
  readonly kind: GroupKind;
  /** null for the main group, for direct ones, and where the name cannot be read here. */
  readonly name: string | null;
  /** Names of the members (short user ids where no name is known), sorted. */
  readonly members: readonly string[];
  readonly channels: number;
  readonly created_ms: number;
}

export interface MemberView {
  readonly user_id: string;
  readonly name: string | null;
  readonly state: 'member' | 'removed';
  /** Rights in force: `admin`, `invite`, `delete`; the founder has all. */
  readonly rights: readonly string[];
  readonly devices: number;
  readonly joined_ms: number;
  readonly is_me: boolean;
}

export interface DeviceView {
  readonly device_id: string;
  readonly user_id: string;
  readonly user_name: string | null;
  readonly state: 'member' | 'removed';
  /** Prekeys that it advertises now: to how many of them others can seal keys. */
  readonly prekeys: number;
  readonly connected: boolean;
  readonly is_this_device: boolean;
}

export interface InviteView {
  readonly invite_id: string;
  /** `person`: lets a new user in; `device`: lets another device of its maker in. */
  readonly kind: 'person' | 'device';
  readonly made_by: string | null;
  readonly uses: number;
  readonly used: number;
  readonly expires_ms: number;
  /** `overused`: two members let people in at the same time; all of them stay. */
  readonly state: 'open' | 'used_up' | 'overused' | 'expired' | 'revoked';
}

export interface KeyView {
  readonly key_id: string;
  readonly group_id: string;
  /** null: a group that this device is not in. */
  readonly group_kind: GroupView['kind'] | null;
  readonly group_name: string | null;
  readonly channel_name: string | null;
  /** null: never. */
  readonly expires_ms: number | null;
  /** Events whose content keys it seals, as far as this device knows. */
  readonly events: number;
  /** Whether this device has it. */
  readonly held: boolean;
  /** Current devices of the group's members, and those of them that have not been given it yet. */
  readonly devices: number;
  readonly devices_owed: number;
}

export interface PrekeyView {
  readonly prekey_id: string;
  readonly device_id: string;
  readonly user_name: string | null;
  readonly created_ms: number;
  readonly expires_ms: number;
  readonly is_this_device: boolean;
}

export interface WhoView {
  readonly network_id: string;
  readonly network_name: string | null;
  readonly user_id: string | null;
  readonly user_name: string | null;
  readonly device_id: string;
  readonly rights: readonly string[];
  readonly state: 'member' | 'removed' | 'not_yet_let_in';
}

export interface UnreadView {
  readonly channel_id: string;
  readonly name: string;
  readonly group_name: string | null;
  readonly unread: number;
  /** Of the newest message that was read; null: none was. */
  readonly read_until_ms: number | null;
}

/** One version of a message: who wrote it and when. The text of all but the last is forgotten. */
export interface VersionView {
  readonly version_id: string;
  readonly author: string;
  readonly created_ms: number;
}

/** Where an event stands, and what it waits for. */
export interface WhyView {
  readonly event_id: string;
  /** null where it is sealed and was not opened. */
  readonly type: string | null;
  readonly author: string;
  readonly created_ms: number;
  readonly standing: 'valid' | 'dead' | 'waiting' | 'refused';
  /** The rule it waits by or broke; null where it is valid. */
  readonly rule: string | null;
  /** One sentence for people. */
  readonly text: string;
  readonly waits_for: readonly {
    readonly what: 'event' | 'key' | 'device' | 'group' | 'time';
    readonly id: string;
  }[];
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

/** What subscribers are told: enough to know what to read again, never content. */
export interface Change {
  readonly change: number;
  readonly network_id: string | null;
  readonly type: string;
  readonly event_id: string | null;
}

export interface NodeFacade extends ForgettingFacade, SyncingFacade {
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
    /** Needed for a person's link; a device's link brings the user's own name. */
    as?: string | undefined;
    timeout_ms: number;
  }): Promise<{ network_id: string; user_id: string; device_id: string }>;
  createChannel(input: { name: string; group_ref?: string | undefined } & Selector): {
    channel_id: string;
    group_id: string;
    name: string;
  };
  channels(input: Selector): readonly ChannelView[];
  /** `ttl_ms` null: as the channel says. */
  send(input: { channel_ref: string; text: string; ttl_ms: number | null } & Selector): Promise<{
    message_id: string;
    channel_id: string;
    created_ms: number;
    expires_ms: number | null;
  }>;
  read(input: { channel_ref: string; limit: number } & Selector): readonly MessageView[];
  react(input: { message_ref: string; emoji: string } & Selector): {
    reaction_id: string;
    message_id: string;
  };
  delete(input: { message_ref: string } & Selector): { message_id: string };
  deleteChannel(input: { channel_ref: string } & Selector): { channel_id: string };
  deleteGroup(input: { group_ref: string } & Selector): { group_id: string };
  /** How long new messages of a channel live; 0: for ever. */
  setRetention(input: { channel_ref: string; ttl_ms: number } & Selector): {
    channel_id: string;
    ttl_ms: number;
  };
  peers(input: Selector): readonly PeerView[];
  /** `user_ref`s: a user's name, or the short prefix of its id. */
  createGroup(input: { name: string; user_refs: readonly string[] } & Selector): {
    group_id: string;
    channel_id: string;
    name: string;
  };
  groups(input: Selector): readonly GroupView[];
  addToGroup(input: { group_ref: string; user_ref: string } & Selector): {
    group_id: string;
    user_id: string;
  };
  removeFromGroup(input: { group_ref: string; user_ref: string } & Selector): {
    group_id: string;
    user_id: string;
  };
  /** Without `group_ref`: of the whole network. */
  members(input: { group_ref?: string | undefined } & Selector): readonly MemberView[];
  devices(input: Selector): readonly DeviceView[];
  /** A link by which another device of this user joins. */
  linkDevice(input: { ttl_ms: number } & Selector): { link: string; invite_id: string; expires_ms: number };
  removeUser(input: { user_ref: string } & Selector): { user_id: string; devices: number };
  /** `device_ref`: the first hex digits of its key. */
  removeDevice(input: { device_ref: string } & Selector): { device_id: string };
  /** `force`: also where nobody else may invite, remove or give rights. */
  leave(input: { force: boolean } & Selector): { network_id: string };
  invites(input: Selector): readonly InviteView[];
  revokeInvite(input: { invite_ref: string } & Selector): { invite_id: string };
  grant(input: { right: string; user_ref: string } & Selector): { user_id: string; right: string };
  revoke(input: { right: string; user_ref: string } & Selector): { user_id: string; right: string };
  keys(input: Selector): readonly KeyView[];
  prekeys(input: Selector): readonly PrekeyView[];
  /** A message to one user alone; opens the direct group at the first one. */
  dm(input: { user_ref: string; text: string; ttl_ms: number | null } & Selector): Promise<{
    message_id: string;
    channel_id: string;
    group_id: string;
    created_ms: number;
    expires_ms: number | null;
  }>;
  edit(input: { message_ref: string; text: string } & Selector): { message_id: string; edit_id: string };
  /** Versions of a message, oldest first. */
  versions(input: { message_ref: string } & Selector): readonly VersionView[];
  unread(input: Selector): readonly UnreadView[];
  /**
   * Notes that a channel has been read: up to a message's time, or (without one) whole. `@name` means the direct messages with that user. Does
   * nothing where that is known already; nor, with `shown_from` (the oldest message that was shown), where there are unread ones before that:
   * `older_unread` says how many.
   */
  markRead(
    input: {
      channel_ref: string;
      read_until_ms?: number | undefined;
      shown_from?: string | undefined;
    } & Selector,
  ): { channel_id: string; older_unread: number };
  renameMe(input: { name: string } & Selector): { user_id: string; name: string };
  renameChannel(input: { channel_ref: string; name: string } & Selector): {
    channel_id: string;
    name: string;
  };
  whoami(input: Selector): readonly WhoView[];
  why(input: { event_ref: string } & Selector): WhyView;
  /** Erases one network of this node, locally: rows, keys, everything. */
  deleteNetwork(input: Selector): { network_id: string; events: number; secrets: number };
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
