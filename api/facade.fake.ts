/** A node that is none: answers every call with fixed data and remembers what it was asked. For tests of the API and of the CLI. */

import type { Change, NodeFacade, TraceView } from './facade.ts';

/** An event id as the design has it: six bytes of time, then the hash, whose first 8 digits people see. */
const eventId = (hash: string) => `018f00000000${hash}${'0'.repeat(44)}`;

export const ids = {
  network: eventId('aaaa0001'),
  user: eventId('bbbb0001'),
  channel: eventId('cccc0001'),
  message: eventId('dddd0001'),
  reaction: eventId('eeee0001'),
  invite: eventId('ffff0001'),
  device: 'd0d0d0d0'.repeat(8),
} as const;

export interface FakeNode {
  readonly facade: NodeFacade;
  /** Every call so far: the method's name and its arguments. */
  readonly calls: (readonly [string, ...unknown[]])[];
  /** Makes the next calls of one method throw this. */
  failing: { method: string; thrown: unknown } | null;
  tellChange(change: Change): void;
  tellTrace(entry: TraceView): void;
  /** Listeners of changes and of the trace together. */
  listeners(): number;
}

export function traceEntry(entry: number): TraceView {
  return {
    entry,
    at_ms: Date.now(),
    envelope: 7,
    identity: 1,
    cause: 'job sync_request',
    depth: 1,
    handler: 'verify',
    stage: 'received',
    type: 'message',
    event_id: ids.message,
    outcome: 'advance',
    why: null,
    duration_us: 41.5,
  };
}

export function createFakeNode(): FakeNode {
  const calls: (readonly [string, ...unknown[]])[] = [];
  const changes = new Set<(change: Change) => void>();
  const traces = new Set<(entry: TraceView) => void>();
  const now_ms = Date.now();

  const answers: NodeFacade = {
    status: () => ({
      version: '0.1.0',
      pid: process.pid,
      data_dir: '/data',
      started_ms: now_ms - 180_000,
      now_ms,
      listen: '127.0.0.1:4820',
      api: '127.0.0.1:4821',
      protocol: 'quiet',
      networks: [
        {
          network_id: ids.network,
          name: 'acme',
          user_id: ids.user,
          user_name: 'alice',
          device_id: ids.device,
          admitted: true,
          members: 2,
          events: 42,
          waiting: 1,
          peers_connected: 1,
        },
      ],
      counters: { bad_signature: 3 },
      clock: { suspect: true, reason: 'gap' },
      next_job_due_ms: now_ms + 2_000,
    }),
    createNetwork: () => ({
      network_id: ids.network,
      user_id: ids.user,
      device_id: ids.device,
      channel_id: ids.channel,
    }),
    createInvite: ({ uses, ttl_ms }) => ({
      link: 'sotto:invite#secret',
      invite_id: ids.invite,
      uses,
      expires_ms: Date.now() + ttl_ms,
    }),
    join: async () => ({ network_id: ids.network, user_id: ids.user, device_id: ids.device }),
    createChannel: ({ name }) => ({ channel_id: ids.channel, name }),
    channels: () => [{ channel_id: ids.channel, name: 'general', created_ms: now_ms, messages: 2 }],
    send: ({ ttl_ms }) => ({
      message_id: ids.message,
      channel_id: ids.channel,
      created_ms: now_ms,
      expires_ms: ttl_ms === 0 ? null : Date.now() + ttl_ms,
    }),
    read: () => [
      {
        message_id: ids.message,
        channel_id: ids.channel,
        author: 'alice',
        author_user_id: ids.user,
        text: 'Hello\u001b[2J\nBob',
        created_ms: now_ms - 180_000,
        expires_ms: null,
        reactions: [{ emoji: '👍', count: 2 }],
      },
    ],
    react: () => ({ reaction_id: ids.reaction, message_id: ids.message }),
    delete: () => ({ message_id: ids.message }),
    peers: () => [
      {
        device_id: ids.device,
        user_id: ids.user,
        user_name: 'bob',
        network_id: ids.network,
        address: '10.0.0.2:4820',
        connected: true,
        connected_since_ms: now_ms - 60_000,
        is_this_device: false,
      },
    ],
    jobs: () => [
      {
        name: 'sync_request',
        function: 'sync_job',
        identity: 1,
        network_id: ids.network,
        enabled: true,
        paused: false,
        schedule: 'every 3 s',
        next_due_ms: now_ms + 12_500,
        last_run_ms: now_ms - 1_000,
        attempt: 0,
      },
    ],
    jobsNext: () => [{ name: 'sync_request', network_id: ids.network, due_ms: now_ms + 12_500 }],
    jobRun: () => ({ ran: 1, failed: 0, held: 0 }),
    jobPreview: () => [{ envelope: 'outgoing', type: 'sync', body: { text: '<5 bytes>' } }],
    jobPause: () => ({ paused: 1 }),
    jobResume: () => ({ resumed: 1 }),
    jobHistory: () => [
      {
        job: 'sync_request',
        network_id: ids.network,
        scheduled_for_ms: now_ms - 3_000,
        started_ms: now_ms - 3_000,
        duration_us: 812,
        emitted: 2,
        missed: 0,
        outcome: 'ok',
        error: null,
      },
    ],
    jobWhy: () => [{ reason: 'clock_suspect', text: 'The clock is suspect.', network_id: ids.network }],
    clockConfirm: () => ({ suspect: false }),
    reflectors: () => [{ name: 'reflect_sync_request', on: 'sync', file: 'events/sync/reflectors.ts' }],
    queries: () => [
      {
        name: 'get_active_peers',
        description: 'Peers to sync with.',
        params: ['network_id'],
        file: 'events/peer/queries.ts',
      },
    ],
    query: () => [{ message_id: ids.message, device_id: ids.device, created_ms: now_ms, note: 'x' }],
    commands: () => [
      {
        name: 'send_message',
        description: 'Send a message.',
        input: ['channel_id', 'text'],
        file: 'events/message/commands.ts',
      },
    ],
    command: () => ({ event_ids: [ids.message, null] }),
    trace: () => [traceEntry(1), traceEntry(2)],
    followTrace: (listener) => {
      traces.add(listener);
      return () => traces.delete(listener);
    },
    subscribe: (listener) => {
      changes.add(listener);
      return () => changes.delete(listener);
    },
  };

  const fake: FakeNode = {
    calls,
    failing: null,
    tellChange: (change) => {
      for (const listener of changes) listener(change);
    },
    tellTrace: (entry) => {
      for (const listener of traces) listener(entry);
    },
    listeners: () => changes.size + traces.size,
    facade: new Proxy(answers, {
      get: (target, method: keyof NodeFacade & string) => {
        const answer = target[method] as (...input: unknown[]) => unknown;
        return (...input: unknown[]) => {
          calls.push([method, ...input]);
          if (fake.failing?.method === method) throw fake.failing.thrown;
          return answer(...input);
        };
      },
    }),
  };
  return fake;
}
