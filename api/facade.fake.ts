/** A node that is none: answers every call with fixed data and remembers what it was asked. For tests of the API and of the CLI. */

import type { CatchingUpView, Change, NodeFacade, TraceView } from './facade.ts';
import { fakeForgetting } from './forgetting.fake.ts';

/** An event id as the design has it: six bytes of time, then the hash, whose first 8 digits people see. */
const eventId = (hash: string) => `018f00000000${hash}${'0'.repeat(44)}`;

export const ids = {
  network: eventId('aaaa0001'),
  user: eventId('bbbb0001'),
  channel: eventId('cccc0001'),
  message: eventId('dddd0001'),
  reaction: eventId('eeee0001'),
  invite: eventId('ffff0001'),
  group: eventId('abab0001'),
  edit: eventId('dddd0002'),
  key: eventId('acac0001'),
  prekey: eventId('adad0001'),
  dirty_key: eventId('acac0002'),
  gone_key: eventId('acac0003'),
  deletion: eventId('dede0001'),
  device: 'd0d0d0d0'.repeat(8),
  prekey_public: 'e0e0e0e0'.repeat(8),
} as const;

/** What a peer may call itself: it clears the screen where a terminal is let see it. */
const hostile_name = 'bob\u001b[2J';

export interface FakeNode {
  readonly facade: NodeFacade;
  /** Every call so far: the method's name and its arguments. */
  readonly calls: (readonly [string, ...unknown[]])[];
  /** Makes the next calls of one method throw this. */
  failing: { method: string; thrown: unknown } | null;
  /** What is owed to forgetting; each call of `forget` but the last goes on to the next. */
  owed: number[];
  /** How far the node is in catching up; each call of `status` but the last goes on to the next. */
  catching_up: (CatchingUpView | null)[];
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
          removed: false,
          members: 2,
          events: 42,
          waiting: 1,
          waiting_by_rule: { key_missing: 1 },
          peers_connected: 1,
          catching_up: fake.catching_up.length > 1 ? fake.catching_up.shift()! : fake.catching_up[0]!,
        },
      ],
      counters: { bad_signature: 3 },
      clock: { suspect: true, reason: 'gap' },
      next_job_due_ms: now_ms + 2_000,
      lan: { on: true, found: 2, addresses: ['192.168.1.20'], problem: null },
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
    createChannel: ({ name }) => ({ channel_id: ids.channel, group_id: ids.group, name }),
    channels: () => [
      {
        channel_id: ids.channel,
        name: 'general',
        group_id: ids.network,
        group_kind: 'main',
        group_name: null,
        unread: 1,
        created_ms: now_ms,
        messages: 2,
        retention_ms: null,
      },
      {
        channel_id: ids.channel,
        name: 'plans',
        group_id: ids.group,
        group_kind: 'private',
        group_name: 'team',
        unread: 0,
        created_ms: now_ms,
        messages: 0,
        retention_ms: 7 * 86_400_000,
      },
    ],
    send: async ({ ttl_ms }) => ({
      message_id: ids.message,
      channel_id: ids.channel,
      created_ms: now_ms,
      expires_ms: ttl_ms === null || ttl_ms === 0 ? null : Date.now() + ttl_ms,
    }),
    read: ({ channel_ref }) =>
      channel_ref === 'empty'
        ? []
        : [
            {
              message_id: ids.message,
              channel_id: ids.channel,
              author: 'alice',
              author_user_id: ids.user,
              text: 'Hello\u001b[2J\nBob',
              created_ms: now_ms - 180_000,
              edited_ms: now_ms - 120_000,
              expires_ms: null,
              reactions: [{ emoji: '👍', count: 2 }],
              delivery: { devices: 2, delivered: 1 },
            },
          ],
    react: () => ({ reaction_id: ids.reaction, message_id: ids.message }),
    delete: () => ({ message_id: ids.message }),
    deleteChannel: () => ({ channel_id: ids.channel }),
    deleteGroup: () => ({ group_id: ids.group }),
    setRetention: ({ ttl_ms }) => ({ channel_id: ids.channel, ttl_ms }),
    ...fakeForgetting(ids, () => fake.owed, now_ms),
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
    createGroup: ({ name }) => ({ group_id: ids.group, channel_id: ids.channel, name }),
    groups: () => [
      {
        group_id: ids.network,
        kind: 'main',
        name: null,
        members: ['alice', 'bob'],
        channels: 1,
        created_ms: now_ms,
      },
      {
        group_id: ids.group,
        kind: 'private',
        name: 'team',
        members: ['alice', hostile_name],
        channels: 2,
        created_ms: now_ms,
      },
    ],
    addToGroup: () => ({ group_id: ids.group, user_id: ids.user }),
    removeFromGroup: () => ({ group_id: ids.group, user_id: ids.user }),
    members: () => [
      {
        user_id: ids.user,
        name: hostile_name,
        state: 'member',
        rights: ['invite', 'delete'],
        devices: 2,
        joined_ms: now_ms - 60_000,
        is_me: false,
      },
    ],
    devices: () => [
      {
        device_id: ids.device,
        user_id: ids.user,
        user_name: 'alice',
        state: 'member',
        prekeys: 12,
        connected: false,
        is_this_device: true,
      },
    ],
    linkDevice: ({ ttl_ms }) => ({
      link: 'sotto:device#secret',
      invite_id: ids.invite,
      expires_ms: Date.now() + ttl_ms,
    }),
    removeUser: () => ({ user_id: ids.user, devices: 2 }),
    removeDevice: () => ({ device_id: ids.device }),
    leave: () => ({ network_id: ids.network }),
    invites: () => [
      {
        invite_id: ids.invite,
        kind: 'person',
        made_by: 'alice',
        uses: 3,
        used: 3,
        expires_ms: now_ms + 3.5 * 86_400_000,
        state: 'used_up',
      },
    ],
    revokeInvite: () => ({ invite_id: ids.invite }),
    grant: ({ right }) => ({ user_id: ids.user, right }),
    revoke: ({ right }) => ({ user_id: ids.user, right }),
    keys: () => [
      {
        key_id: ids.key,
        group_id: ids.group,
        group_kind: 'private',
        group_name: 'team',
        channel_name: 'plans',
        expires_ms: null,
        events: 9,
        held: true,
        devices: 4,
        devices_owed: 1,
      },
      {
        key_id: ids.key,
        group_id: ids.network,
        group_kind: 'main',
        group_name: null,
        channel_name: null,
        expires_ms: null,
        events: 2,
        held: true,
        devices: 4,
        devices_owed: 0,
      },
    ],
    prekeys: () => [
      {
        prekey_id: ids.prekey,
        device_id: ids.device,
        user_name: 'alice',
        created_ms: now_ms - 60_000,
        expires_ms: now_ms + 3.5 * 86_400_000,
        is_this_device: true,
      },
    ],
    dm: async ({ ttl_ms }) => ({
      message_id: ids.message,
      channel_id: ids.channel,
      group_id: ids.group,
      created_ms: now_ms,
      expires_ms: ttl_ms === null || ttl_ms === 0 ? null : Date.now() + ttl_ms,
    }),
    edit: () => ({ message_id: ids.message, edit_id: ids.edit }),
    versions: () => [
      { version_id: ids.message, author: hostile_name, created_ms: now_ms - 180_000 },
      { version_id: ids.edit, author: hostile_name, created_ms: now_ms - 120_000 },
    ],
    delivery: () => ({
      message_id: ids.message,
      devices: 2,
      delivered: 1,
      text: 'on 1 of 2 devices',
      recipients: [
        { device_id: ids.device, user_id: ids.user, user_name: hostile_name, delivered: true },
        { device_id: ids.prekey_public, user_id: ids.user, user_name: null, delivered: false },
      ],
    }),
    unread: () => [
      {
        channel_id: ids.channel,
        name: 'general',
        group_name: null,
        unread: 1,
        read_until_ms: now_ms - 120_000,
      },
      { channel_id: ids.channel, name: 'plans', group_name: 'team', unread: 0, read_until_ms: null },
    ],
    markRead: () => ({ channel_id: ids.channel, older_unread: 0 }),
    renameMe: ({ name }) => ({ user_id: ids.user, name }),
    renameChannel: ({ name }) => ({ channel_id: ids.channel, name }),
    whoami: () => [
      {
        network_id: ids.network,
        network_name: 'acme',
        user_id: ids.user,
        user_name: 'alice',
        device_id: ids.device,
        rights: ['admin', 'invite', 'delete'],
        state: 'member',
      },
    ],
    why: () => ({
      event_id: ids.message,
      type: 'message',
      author: hostile_name,
      created_ms: now_ms - 180_000,
      standing: 'waiting',
      rule: 'key_missing',
      text: 'Its key has not come yet.',
      waits_for: [
        { what: 'key', id: ids.key },
        { what: 'device', id: ids.device },
      ],
    }),
    deleteNetwork: () => ({ network_id: ids.network, events: 42, secrets: 7 }),
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
    owed: [0],
    catching_up: [null],
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
