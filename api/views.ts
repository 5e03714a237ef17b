/**
 * The shapes of what the API answers: one zod schema per view of `facade.ts`, under the same names, for the OpenAPI document.
 *
 * `satisfies` and the routes' handlers hold both directions: a field that one side has and the other lacks does not compile.
 * Nothing is validated on the way out at run time; the tests do that.
 */

import { z } from '@hono/zod-openapi';
import type {
  CatchingUpView,
  Change,
  ChannelView,
  DeliveryView,
  DeviceView,
  EnvelopeView,
  GroupView,
  InviteView,
  JobRunView,
  JobView,
  KeyView,
  MemberView,
  MessageView,
  NetworkView,
  PeerView,
  PrekeyView,
  StatusView,
  TraceView,
  UnreadView,
  VersionView,
  WhoView,
  WhyView,
} from './facade.ts';

export const id = z.string().openapi({ description: '64 hex digits.' });
export const ms = z.number().int().openapi({ description: 'Milliseconds since 1970, or a span of them.' });
export const count = z.number().int();
const group_kind = z
  .enum(['main', 'private', 'direct'])
  .openapi({ description: '`main`: the whole network; `direct`: two users alone.' });
const membership = z.enum(['member', 'removed']);
const rights = z.array(z.string()).readonly();

export const error_view = z
  .object({ error: z.object({ code: z.string(), message: z.string() }) })
  .openapi('Error');

export const catching_up_view = z
  .object({ events_left: count, events_total: count, time_left_ms: ms.nullable() })
  .readonly()
  .openapi('CatchingUp') satisfies z.ZodType<CatchingUpView>;

export const network_view = z
  .object({
    network_id: id,
    name: z.string().nullable(),
    user_id: id.nullable(),
    user_name: z.string().nullable(),
    device_id: id,
    admitted: z.boolean(),
    removed: z.boolean(),
    members: count,
    events: count,
    waiting: count,
    waiting_by_rule: z.record(z.string(), count).readonly(),
    peers_connected: count,
    catching_up: catching_up_view.nullable(),
  })
  .readonly()
  .openapi('Network') satisfies z.ZodType<NetworkView>;

export const status_view = z
  .object({
    version: z.string(),
    pid: count,
    data_dir: z.string(),
    started_ms: ms,
    now_ms: ms,
    listen: z.string().nullable(),
    api: z.string(),
    protocol: z.string(),
    networks: z.array(network_view).readonly(),
    counters: z.record(z.string(), count).readonly(),
    clock: z.object({ suspect: z.boolean(), reason: z.string().nullable() }).readonly(),
    next_job_due_ms: ms.nullable(),
    lan: z
      .object({
        on: z.boolean(),
        found: count,
        addresses: z.array(z.string()).readonly(),
        problem: z.string().nullable(),
      })
      .readonly(),
  })
  .readonly()
  .openapi('Status') satisfies z.ZodType<StatusView>;

export const channel_view = z
  .object({
    channel_id: id,
    name: z.string(),
    group_id: id,
    group_kind,
    group_name: z.string().nullable(),
    unread: count,
    created_ms: ms,
    messages: count,
    retention_ms: ms.nullable(),
  })
  .readonly()
  .openapi('Channel') satisfies z.ZodType<ChannelView>;

export const message_view = z
  .object({
    message_id: id,
    channel_id: id,
    author: z.string(),
    author_user_id: id,
    text: z.string(),
    created_ms: ms,
    edited_ms: ms.nullable(),
    expires_ms: ms.nullable(),
    reactions: z.array(z.object({ emoji: z.string(), count }).readonly()).readonly(),
    delivery: z.object({ devices: count, delivered: count }).readonly().nullable(),
  })
  .readonly()
  .openapi('Message') satisfies z.ZodType<MessageView>;

export const group_view = z
  .object({
    group_id: id,
    kind: group_kind,
    name: z.string().nullable(),
    members: z.array(z.string()).readonly(),
    channels: count,
    created_ms: ms,
  })
  .readonly()
  .openapi('Group') satisfies z.ZodType<GroupView>;

export const member_view = z
  .object({
    user_id: id,
    name: z.string().nullable(),
    state: membership,
    rights,
    devices: count,
    joined_ms: ms,
    is_me: z.boolean(),
  })
  .readonly()
  .openapi('Member') satisfies z.ZodType<MemberView>;

export const device_view = z
  .object({
    device_id: id,
    user_id: id,
    user_name: z.string().nullable(),
    state: membership,
    prekeys: count,
    connected: z.boolean(),
    is_this_device: z.boolean(),
  })
  .readonly()
  .openapi('Device') satisfies z.ZodType<DeviceView>;

export const invite_view = z
  .object({
    invite_id: id,
    kind: z.enum(['person', 'device']),
    made_by: z.string().nullable(),
    uses: count,
    used: count,
    expires_ms: ms,
    state: z.enum(['open', 'used_up', 'overused', 'expired', 'revoked']),
  })
  .readonly()
  .openapi('Invite') satisfies z.ZodType<InviteView>;

export const key_view = z
  .object({
    key_id: id,
    group_id: id,
    group_kind: group_kind.nullable(),
    group_name: z.string().nullable(),
    channel_name: z.string().nullable(),
    expires_ms: ms.nullable(),
    events: count,
    held: z.boolean(),
    devices: count,
    devices_owed: count,
  })
  .readonly()
  .openapi('Key') satisfies z.ZodType<KeyView>;

export const prekey_view = z
  .object({
    prekey_id: id,
    device_id: id,
    user_name: z.string().nullable(),
    created_ms: ms,
    expires_ms: ms,
    is_this_device: z.boolean(),
  })
  .readonly()
  .openapi('Prekey') satisfies z.ZodType<PrekeyView>;

export const who_view = z
  .object({
    network_id: id,
    network_name: z.string().nullable(),
    user_id: id.nullable(),
    user_name: z.string().nullable(),
    device_id: id,
    rights,
    state: z.enum(['member', 'removed', 'not_yet_let_in']),
  })
  .readonly()
  .openapi('Who') satisfies z.ZodType<WhoView>;

export const unread_view = z
  .object({
    channel_id: id,
    name: z.string(),
    group_name: z.string().nullable(),
    unread: count,
    read_until_ms: ms.nullable(),
  })
  .readonly()
  .openapi('Unread') satisfies z.ZodType<UnreadView>;

export const version_view = z
  .object({ version_id: id, author: z.string(), created_ms: ms })
  .readonly()
  .openapi('Version') satisfies z.ZodType<VersionView>;

export const delivery_view = z
  .object({
    message_id: id,
    devices: count,
    delivered: count,
    text: z.string(),
    recipients: z
      .array(
        z
          .object({ device_id: id, user_id: id, user_name: z.string().nullable(), delivered: z.boolean() })
          .readonly(),
      )
      .readonly(),
  })
  .readonly()
  .openapi('Delivery') satisfies z.ZodType<DeliveryView>;

export const why_view = z
  .object({
    event_id: id,
    type: z.string().nullable(),
    author: z.string(),
    created_ms: ms,
    standing: z.enum(['valid', 'dead', 'waiting', 'refused']),
    rule: z.string().nullable(),
    text: z.string(),
    waits_for: z
      .array(
        z.object({ what: z.enum(['event', 'key', 'device', 'group', 'time']), id: z.string() }).readonly(),
      )
      .readonly(),
  })
  .readonly()
  .openapi('Why') satisfies z.ZodType<WhyView>;

export const peer_view = z
  .object({
    device_id: id,
    user_id: id.nullable(),
    user_name: z.string().nullable(),
    network_id: id,
    address: z.string().nullable(),
    connected: z.boolean(),
    connected_since_ms: ms.nullable(),
    is_this_device: z.boolean(),
  })
  .readonly()
  .openapi('Peer') satisfies z.ZodType<PeerView>;

export const job_view = z
  .object({
    name: z.string(),
    function: z.string(),
    identity: count,
    network_id: id.nullable(),
    enabled: z.boolean(),
    paused: z.boolean(),
    schedule: z.string(),
    next_due_ms: ms.nullable(),
    last_run_ms: ms.nullable(),
    attempt: count,
  })
  .readonly()
  .openapi('Job') satisfies z.ZodType<JobView>;

export const job_run_view = z
  .object({
    job: z.string(),
    network_id: id.nullable(),
    scheduled_for_ms: ms,
    started_ms: ms,
    duration_us: count,
    emitted: count,
    missed: count,
    outcome: z.string(),
    error: z.string().nullable(),
  })
  .readonly()
  .openapi('JobRun') satisfies z.ZodType<JobRunView>;

export const envelope_view = z
  .object({
    envelope: z.string(),
    type: z.string().nullable(),
    body: z.record(z.string(), z.unknown()).readonly(),
  })
  .readonly()
  .openapi('Envelope') satisfies z.ZodType<EnvelopeView>;

export const trace_view = z
  .object({
    entry: count,
    at_ms: ms,
    envelope: count,
    identity: count,
    cause: z.string(),
    depth: count,
    handler: z.string(),
    stage: z.string(),
    type: z.string().nullable(),
    event_id: id.nullable(),
    outcome: z.string(),
    why: z.string().nullable(),
    duration_us: z.number(),
  })
  .readonly()
  .openapi('TraceEntry') satisfies z.ZodType<TraceView>;

export const change_view = z
  .object({ change: count, network_id: id.nullable(), type: z.string(), event_id: id.nullable() })
  .readonly()
  .openapi('Change') satisfies z.ZodType<Change>;

/** Answers that have no view of their own in `facade.ts`, by the method that gives them. */
export const answers = {
  createNetwork: z.object({ network_id: id, user_id: id, device_id: id, channel_id: id }),
  createInvite: z.object({ link: z.string(), invite_id: id, uses: count, expires_ms: ms }),
  join: z.object({ network_id: id, user_id: id, device_id: id }),
  createChannel: z.object({ channel_id: id, group_id: id, name: z.string() }),
  renameChannel: z.object({ channel_id: id, name: z.string() }),
  setRetention: z.object({ channel_id: id, ttl_ms: ms }),
  deleteChannel: z.object({ channel_id: id }),
  markRead: z.object({ channel_id: id, older_unread: z.number() }),
  send: z.object({ message_id: id, channel_id: id, created_ms: ms, expires_ms: ms.nullable() }),
  dm: z.object({
    message_id: id,
    channel_id: id,
    group_id: id,
    created_ms: ms,
    expires_ms: ms.nullable(),
  }),
  edit: z.object({ message_id: id, edit_id: id }),
  react: z.object({ reaction_id: id, message_id: id }),
  delete: z.object({ message_id: id }),
  createGroup: z.object({ group_id: id, channel_id: id, name: z.string() }),
  deleteGroup: z.object({ group_id: id }),
  addToGroup: z.object({ group_id: id, user_id: id }),
  removeFromGroup: z.object({ group_id: id, user_id: id }),
  linkDevice: z.object({ link: z.string(), invite_id: id, expires_ms: ms }),
  revokeInvite: z.object({ invite_id: id }),
  removeUser: z.object({ user_id: id, devices: count }),
  removeDevice: z.object({ device_id: id }),
  grant: z.object({ user_id: id, right: z.string() }),
  revoke: z.object({ user_id: id, right: z.string() }),
  renameMe: z.object({ user_id: id, name: z.string() }),
  leave: z.object({ network_id: id }),
  deleteNetwork: z.object({ network_id: id, events: count, secrets: count }),
  jobsNext: z
    .array(z.object({ name: z.string(), network_id: id.nullable(), due_ms: ms }).readonly())
    .readonly(),
  jobRun: z.object({ ran: count, failed: count, held: count }).readonly(),
  jobPause: z.object({ paused: count }).readonly(),
  jobResume: z.object({ resumed: count }).readonly(),
  jobWhy: z
    .array(z.object({ reason: z.string(), text: z.string(), network_id: id.nullable() }).readonly())
    .readonly(),
  clockConfirm: z.object({ suspect: z.boolean() }).readonly(),
  reflectors: z.array(z.object({ name: z.string(), on: z.string(), file: z.string() }).readonly()).readonly(),
  queries: z
    .array(
      z
        .object({
          name: z.string(),
          description: z.string(),
          params: z.array(z.string()).readonly(),
          file: z.string(),
        })
        .readonly(),
    )
    .readonly(),
  query: z.array(z.record(z.string(), z.unknown()).readonly()).readonly(),
  commands: z
    .array(
      z
        .object({
          name: z.string(),
          description: z.string(),
          input: z.array(z.string()).readonly(),
          file: z.string(),
        })
        .readonly(),
    )
    .readonly(),
  command: z.object({ event_ids: z.array(id.nullable()).readonly() }),
};
