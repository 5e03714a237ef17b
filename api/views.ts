/**
 * The shapes of what the API answers: one zod schema per view of `facade.ts`, under the same names, for the OpenAPI document.
 *
 * `satisfies` and the routes' handlers hold both directions: a field that one side has and the other lacks does not compile.
 * Nothing is validated on the way out at run time; the tests do that.
 */

import { z } from '@hono/zod-openapi';
import type {
  Change,
  ChannelView,
  EnvelopeView,
  JobRunView,
  JobView,
  MessageView,
  NetworkView,
  PeerView,
  StatusView,
  TraceView,
} from './facade.ts';

const id = z.string().openapi({ description: '64 hex digits.' });
const ms = z.number().int().openapi({ description: 'Milliseconds since 1970, or a span of them.' });
const count = z.number().int();

export const error_view = z
  .object({ error: z.object({ code: z.string(), message: z.string() }) })
  .openapi('Error');

export const network_view = z
  .object({
    network_id: id,
    name: z.string().nullable(),
    user_id: id.nullable(),
    user_name: z.string().nullable(),
    device_id: id,
    admitted: z.boolean(),
    members: count,
    events: count,
    waiting: count,
    peers_connected: count,
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
  })
  .readonly()
  .openapi('Status') satisfies z.ZodType<StatusView>;

export const channel_view = z
  .object({ channel_id: id, name: z.string(), created_ms: ms, messages: count })
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
    expires_ms: ms.nullable(),
    reactions: z.array(z.object({ emoji: z.string(), count }).readonly()).readonly(),
  })
  .readonly()
  .openapi('Message') satisfies z.ZodType<MessageView>;

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
  createChannel: z.object({ channel_id: id, name: z.string() }),
  send: z.object({ message_id: id, channel_id: id, created_ms: ms, expires_ms: ms.nullable() }),
  react: z.object({ reaction_id: id, message_id: id }),
  delete: z.object({ message_id: id }),
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
