/** Every route once, the answers against their schemas, and what a failure of the node looks like from outside. */

import type { z } from '@hono/zod-openapi';
import { beforeEach, describe, expect, test } from 'vitest';
import { type ErrorPlace, SottoError } from '../core/assert.ts';
import { createFakeNode, type FakeNode, ids } from './facade.fake.ts';
import * as forgetting from './forgetting-views.ts';
import { createApi } from './routes.ts';
import * as views from './views.ts';

const host = '127.0.0.1:4821';
let node: FakeNode;
let ask: (method: string, path: string, body?: unknown) => Promise<Response>;
let bugs: ErrorPlace[];

beforeEach(() => {
  node = createFakeNode();
  bugs = [];
  const app = createApi(node.facade, {
    token: 'secret',
    allowed_hosts: () => [host],
    onInternalError: (place) => bugs.push(place),
  });
  ask = async (method, path, body) =>
    app.request(path, {
      method,
      headers: {
        host,
        authorization: 'Bearer secret',
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
});

const who = { network: 'acme', as: 'alice' };

/** Method, path, body; then the call that the facade must see, and the schema of the answer. */
const routes: [string, string, unknown, [string, ...unknown[]], z.ZodType][] = [
  ['GET', '/v1/status', undefined, ['status'], views.status_view],
  [
    'POST',
    '/v1/networks',
    { name: 'acme', as: 'alice' },
    ['createNetwork', { name: 'acme', as: 'alice' }],
    views.answers.createNetwork,
  ],
  [
    'POST',
    '/v1/invites',
    { uses: 2, ttl_ms: 60_000, ...who },
    ['createInvite', { uses: 2, ttl_ms: 60_000, ...who }],
    views.answers.createInvite,
  ],
  [
    'POST',
    '/v1/join',
    { link: 'sotto:x', as: 'bob' },
    ['join', { link: 'sotto:x', as: 'bob', timeout_ms: 30_000 }],
    views.answers.join,
  ],
  [
    'POST',
    '/v1/join',
    { link: 'sotto:x', timeout_ms: 0 },
    ['join', { link: 'sotto:x', timeout_ms: 0 }],
    views.answers.join,
  ],
  ['GET', '/v1/invites?network=acme&as=alice', undefined, ['invites', who], views.invite_view.array()],
  [
    'DELETE',
    '/v1/invites/ffff0001?network=acme&as=alice',
    undefined,
    ['revokeInvite', { invite_ref: 'ffff0001', ...who }],
    views.answers.revokeInvite,
  ],
  ['POST', '/v1/device-links', undefined, ['linkDevice', { ttl_ms: 3_600_000 }], views.answers.linkDevice],
  [
    'POST',
    '/v1/device-links',
    { ttl_ms: 60_000, ...who },
    ['linkDevice', { ttl_ms: 60_000, ...who }],
    views.answers.linkDevice,
  ],
  [
    'DELETE',
    '/v1/networks/acme?as=alice',
    undefined,
    ['deleteNetwork', { network: 'acme', as: 'alice' }],
    views.answers.deleteNetwork,
  ],
  ['POST', '/v1/leave', undefined, ['leave', { force: false }], views.answers.leave],
  ['POST', '/v1/leave', { force: true, ...who }, ['leave', { force: true, ...who }], views.answers.leave],
  ['GET', '/v1/whoami?network=acme&as=alice', undefined, ['whoami', who], views.who_view.array()],
  ['GET', '/v1/members', undefined, ['members', {}], views.member_view.array()],
  [
    'DELETE',
    '/v1/members/bob?network=acme&as=alice',
    undefined,
    ['removeUser', { user_ref: 'bob', ...who }],
    views.answers.removeUser,
  ],
  ['GET', '/v1/devices?network=acme&as=alice', undefined, ['devices', who], views.device_view.array()],
  [
    'DELETE',
    '/v1/devices/d0d0d0d0?network=acme&as=alice',
    undefined,
    ['removeDevice', { device_ref: 'd0d0d0d0', ...who }],
    views.answers.removeDevice,
  ],
  [
    'POST',
    '/v1/grants',
    { right: 'invite', user: 'bob', ...who },
    ['grant', { right: 'invite', user_ref: 'bob', ...who }],
    views.answers.grant,
  ],
  [
    'DELETE',
    '/v1/grants/invite/bob?network=acme&as=alice',
    undefined,
    ['revoke', { right: 'invite', user_ref: 'bob', ...who }],
    views.answers.revoke,
  ],
  [
    'PATCH',
    '/v1/profile',
    { name: 'alicia', ...who },
    ['renameMe', { name: 'alicia', ...who }],
    views.answers.renameMe,
  ],
  ['GET', '/v1/groups?network=acme&as=alice', undefined, ['groups', who], views.group_view.array()],
  [
    'POST',
    '/v1/groups',
    { name: 'team' },
    ['createGroup', { name: 'team', user_refs: [] }],
    views.answers.createGroup,
  ],
  [
    'POST',
    '/v1/groups',
    { name: 'team', users: ['bob', 'carol'], ...who },
    ['createGroup', { name: 'team', user_refs: ['bob', 'carol'], ...who }],
    views.answers.createGroup,
  ],
  [
    'GET',
    '/v1/groups/team/members?network=acme&as=alice',
    undefined,
    ['members', { group_ref: 'team', ...who }],
    views.member_view.array(),
  ],
  [
    'POST',
    '/v1/groups/team/members',
    { user: 'bob', ...who },
    ['addToGroup', { group_ref: 'team', user_ref: 'bob', ...who }],
    views.answers.addToGroup,
  ],
  [
    'DELETE',
    '/v1/groups/team/members/bob?network=acme&as=alice',
    undefined,
    ['removeFromGroup', { group_ref: 'team', user_ref: 'bob', ...who }],
    views.answers.removeFromGroup,
  ],
  [
    'DELETE',
    '/v1/groups/team?network=acme&as=alice',
    undefined,
    ['deleteGroup', { group_ref: 'team', ...who }],
    views.answers.deleteGroup,
  ],
  ['GET', '/v1/forgetting?network=acme&as=alice', undefined, ['forgetting', who], forgetting.forgetting_view],
  [
    'GET',
    '/v1/receipts',
    undefined,
    ['receipts', { since_ms: 0, limit: 50 }],
    forgetting.receipt_view.array(),
  ],
  [
    'GET',
    '/v1/receipts?since_ms=1800000000000&limit=10000&network=acme&as=alice',
    undefined,
    ['receipts', { since_ms: 1_800_000_000_000, limit: 10_000, ...who }],
    forgetting.receipt_view.array(),
  ],
  [
    'GET',
    '/v1/deletions?limit=3&network=acme&as=alice',
    undefined,
    ['deletions', { limit: 3, ...who }],
    forgetting.deletion_view.array(),
  ],
  ['POST', '/v1/forget', undefined, ['forget', {}], forgetting.forget_answer],
  ['POST', '/v1/forget', who, ['forget', who], forgetting.forget_answer],
  ['GET', '/v1/keys?network=acme&as=alice', undefined, ['keys', who], views.key_view.array()],
  ['GET', '/v1/prekeys?network=acme&as=alice', undefined, ['prekeys', who], views.prekey_view.array()],
  [
    'GET',
    '/v1/events/dddd0001/why?network=acme&as=alice',
    undefined,
    ['why', { event_ref: 'dddd0001', ...who }],
    views.why_view,
  ],
  ['GET', '/v1/peers?network=acme&as=alice', undefined, ['peers', who], views.peer_view.array()],
  ['POST', '/v1/clock/confirm', undefined, ['clockConfirm'], views.answers.clockConfirm],
  ['GET', '/v1/channels?as=alice', undefined, ['channels', { as: 'alice' }], views.channel_view.array()],
  [
    'POST',
    '/v1/channels',
    { name: 'random', ...who },
    ['createChannel', { name: 'random', ...who }],
    views.answers.createChannel,
  ],
  [
    'POST',
    '/v1/channels',
    { name: 'plans', group: 'team', ...who },
    ['createChannel', { name: 'plans', group_ref: 'team', ...who }],
    views.answers.createChannel,
  ],
  [
    'PATCH',
    '/v1/channels/random',
    { name: 'noise', ...who },
    ['renameChannel', { channel_ref: 'random', name: 'noise', ...who }],
    views.answers.renameChannel,
  ],
  [
    'PUT',
    '/v1/channels/general/retention',
    { ttl_ms: 3_600_000, ...who },
    ['setRetention', { channel_ref: 'general', ttl_ms: 3_600_000, ...who }],
    views.answers.setRetention,
  ],
  [
    'DELETE',
    '/v1/channels/general?network=acme&as=alice',
    undefined,
    ['deleteChannel', { channel_ref: 'general', ...who }],
    views.answers.deleteChannel,
  ],
  ['GET', '/v1/unread?network=acme&as=alice', undefined, ['unread', who], views.unread_view.array()],
  [
    'POST',
    '/v1/read-marks',
    { channel: '@bob', ...who },
    ['markRead', { channel_ref: '@bob', ...who }],
    views.answers.markRead,
  ],
  [
    'POST',
    '/v1/read-marks',
    { channel: 'general', read_until_ms: 1_800_000_000_000, shown_from: '4f1d9a2c', ...who },
    [
      'markRead',
      { channel_ref: 'general', read_until_ms: 1_800_000_000_000, shown_from: '4f1d9a2c', ...who },
    ],
    views.answers.markRead,
  ],
  [
    'GET',
    '/v1/messages?channel=general&limit=3',
    undefined,
    ['read', { channel_ref: 'general', limit: 3 }],
    views.message_view.array(),
  ],
  [
    'POST',
    '/v1/messages',
    { channel: 'general', text: 'Hi', ...who },
    ['send', { channel_ref: 'general', text: 'Hi', ttl_ms: null, ...who }],
    views.answers.send,
  ],
  [
    'POST',
    '/v1/messages',
    { channel: 'general', text: 'Hi', ttl_ms: 0 },
    ['send', { channel_ref: 'general', text: 'Hi', ttl_ms: 0 }],
    views.answers.send,
  ],
  [
    'POST',
    '/v1/direct-messages',
    { user: 'bob', text: 'Hi', ...who },
    ['dm', { user_ref: 'bob', text: 'Hi', ttl_ms: null, ...who }],
    views.answers.dm,
  ],
  [
    'PATCH',
    '/v1/messages/dddd0001',
    { text: 'Hi again', ...who },
    ['edit', { message_ref: 'dddd0001', text: 'Hi again', ...who }],
    views.answers.edit,
  ],
  [
    'DELETE',
    '/v1/messages/dddd0001?network=acme&as=alice',
    undefined,
    ['delete', { message_ref: 'dddd0001', ...who }],
    views.answers.delete,
  ],
  [
    'GET',
    '/v1/messages/dddd0001/versions?network=acme&as=alice',
    undefined,
    ['versions', { message_ref: 'dddd0001', ...who }],
    views.version_view.array(),
  ],
  [
    'GET',
    '/v1/messages/dddd0001/delivery?network=acme&as=alice',
    undefined,
    ['delivery', { message_ref: 'dddd0001', ...who }],
    views.delivery_view,
  ],
  [
    'POST',
    '/v1/reactions',
    { message: 'dddd0001', emoji: '👍', ...who },
    ['react', { message_ref: 'dddd0001', emoji: '👍', ...who }],
    views.answers.react,
  ],
  ['GET', '/v1/jobs', undefined, ['jobs'], views.job_view.array()],
  ['GET', '/v1/jobs/next?limit=5', undefined, ['jobsNext', 5], views.answers.jobsNext],
  ['GET', '/v1/jobs/history', undefined, ['jobHistory', null, 50], views.job_run_view.array()],
  [
    'GET',
    '/v1/jobs/history?name=sync_request&limit=2',
    undefined,
    ['jobHistory', 'sync_request', 2],
    views.job_run_view.array(),
  ],
  ['GET', '/v1/jobs/sync_request/why', undefined, ['jobWhy', 'sync_request'], views.answers.jobWhy],
  ['POST', '/v1/jobs/sync_request/run', undefined, ['jobRun', 'sync_request', {}], views.answers.jobRun],
  ['POST', '/v1/jobs/sync_request/run', who, ['jobRun', 'sync_request', who], views.answers.jobRun],
  [
    'POST',
    '/v1/jobs/sync_request/preview',
    who,
    ['jobPreview', 'sync_request', who],
    views.envelope_view.array(),
  ],
  ['POST', '/v1/jobs/sync_request/pause', undefined, ['jobPause', 'sync_request'], views.answers.jobPause],
  ['POST', '/v1/jobs/sync_request/resume', undefined, ['jobResume', 'sync_request'], views.answers.jobResume],
  ['GET', '/v1/reflectors', undefined, ['reflectors'], views.answers.reflectors],
  ['GET', '/v1/queries', undefined, ['queries'], views.answers.queries],
  [
    'POST',
    '/v1/queries/get_active_peers',
    { params: { network_id: ids.network }, ...who },
    ['query', 'get_active_peers', { network_id: ids.network }, who],
    views.answers.query,
  ],
  ['GET', '/v1/commands', undefined, ['commands'], views.answers.commands],
  [
    'POST',
    '/v1/commands/send_message',
    { input: { text: 'Hi' }, ...who },
    ['command', 'send_message', { text: 'Hi' }, who],
    views.answers.command,
  ],
  ['GET', '/v1/trace?limit=2&since=9', undefined, ['trace', 2, 9], views.trace_view.array()],
];

describe('routes', () => {
  test.each(routes)('%s %s', async (method, path, body, call, schema) => {
    const response = await ask(method, path, body);
    const answer: unknown = await response.json();
    expect(response.status, JSON.stringify(answer)).toBe(200);
    expect(node.calls).toEqual([call]);
    expect(schema.parse(answer)).toEqual(answer);
  });

  test('the OpenAPI document lists every route with its input, its answer and its errors', async () => {
    const document = (await (await ask('GET', '/v1/openapi.json')).json()) as {
      openapi: string;
      info: { title: string; version: string };
      paths: Record<string, Record<string, { responses: Record<string, unknown>; security: unknown }>>;
      components: { schemas: Record<string, unknown>; securitySchemes: Record<string, unknown> };
    };
    expect(document.openapi).toMatch(/^3\.1\./);
    expect(document.info).toEqual({ title: 'Sotto', version: '0.1.0' });
    const listed = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const tried = routes.map(([method, path]) => `${method} ${path.replace(/\?.*/, '')}`);
    const triedNowhere = (route: string) => {
      const shape = new RegExp(`^${route.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`);
      return !tried.some((one) => shape.test(one));
    };
    // The streams have tests of their own.
    expect(listed.filter(triedNowhere).toSorted()).toEqual([
      'GET /v1/changes',
      'GET /v1/openapi.json',
      'GET /v1/trace/follow',
    ]);
    for (const methods of Object.values(document.paths)) {
      for (const operation of Object.values(methods)) {
        expect(Object.keys(operation.responses)).toEqual(['200', 'default']);
        expect(operation.security).toEqual([{ token: [] }]);
      }
    }
    expect(document.components.securitySchemes).toEqual({ token: { type: 'http', scheme: 'bearer' } });
    const references = [...JSON.stringify(document).matchAll(/#\/components\/schemas\/(\w+)/g)].map(
      (m) => m[1],
    );
    expect(references).toContain('Message');
    expect(Object.keys(document.components.schemas)).toEqual(expect.arrayContaining(references));
  });
});

describe('input', () => {
  test.each([
    ['GET', '/v1/messages?limit=3', undefined, 'query.channel'],
    ['GET', '/v1/messages?channel=general&limit=0', undefined, 'query.limit'],
    ['GET', '/v1/messages?channel=general&limit=1001', undefined, 'query.limit'],
    ['GET', '/v1/messages?channel=general&limit=ten', undefined, 'query.limit'],
    ['GET', '/v1/status?verbose=1', undefined, 'verbose'],
    ['POST', '/v1/messages', { channel: 'general', text: 'Hi', tll_ms: 1 }, 'tll_ms'],
    ['POST', '/v1/messages', { channel: 'general', text: 7 }, 'body.text'],
    ['POST', '/v1/messages', { channel: 'general', text: 'Hi', ttl_ms: -1 }, 'body.ttl_ms'],
    ['POST', '/v1/messages', { channel: 'general', text: 'Hi', ttl_ms: 1.5 }, 'body.ttl_ms'],
    ['PUT', '/v1/channels/general/retention', {}, 'body.ttl_ms'],
    ['PUT', '/v1/channels/general/retention', { ttl_ms: null }, 'body.ttl_ms'],
    ['GET', '/v1/receipts?limit=10001', undefined, 'query.limit'],
    ['GET', '/v1/receipts?since_ms=-1', undefined, 'query.since_ms'],
    ['GET', '/v1/deletions?limit=1001', undefined, 'query.limit'],
    ['POST', '/v1/forget', { now: true }, 'now'],
    ['POST', '/v1/join', { link: 'x', as: 'bob', timeout_ms: 600_001 }, 'body.timeout_ms'],
    ['POST', '/v1/queries/get_active_peers', { params: { limit: 3 } }, 'body.params.limit'],
    ['POST', '/v1/grants', { right: 'king', user: 'bob' }, 'body.right'],
    ['DELETE', '/v1/grants/king/bob', undefined, 'path.right'],
    ['DELETE', '/v1/networks/acme?network=other', undefined, 'network'],
    ['POST', '/v1/groups', { name: 'team', users: 'bob' }, 'body.users'],
    ['POST', '/v1/commands/create_task', '{"input":{"__proto__":"1"}}', "body.input: unknown '__proto__'"],
    ['POST', '/v1/queries/get_active_peers', '{"params":{"__proto__":"1"}}', "unknown '__proto__'"],
  ])('%s %s %j is refused by name of the field', async (method, path, body, field) => {
    const response = await ask(method, path, body);
    expect(response.status).toBe(400);
    const { error } = views.error_view.parse(await response.json());
    expect(error.code).toBe('bad_input');
    expect(error.message).toContain(field);
    expect(node.calls).toEqual([]);
  });

  test('a body that is not JSON is refused without quoting it', async () => {
    const response = await ask('POST', '/v1/messages', '{"text": "my secret"');
    expect(response.status).toBe(400);
    const { error } = views.error_view.parse(await response.json());
    expect(error.code).toBe('malformed_json');
    expect(error.message).not.toContain('my secret');
  });

  test('names in the path may hold anything, escaped', async () => {
    await ask('POST', `/v1/jobs/${encodeURIComponent('a b/../c')}/pause`);
    expect(node.calls).toEqual([['jobPause', 'a b/../c']]);
  });

  test('an unknown route says where the routes are listed', async () => {
    const response = await ask('GET', '/v1/nothing');
    expect(response.status).toBe(404);
    expect(views.error_view.parse(await response.json()).error.code).toBe('unknown_route');
  });
});

describe('failures of the node', () => {
  test.each([
    ['not_found', 404],
    ['unknown_query', 404],
    ['ambiguous', 409],
    ['bad_input', 400],
    ['bad_query_parameters', 400],
    ['malformed_link', 400],
    ['no_identity', 409],
    ['join_timeout', 504],
    ['assertion_failed', 500],
    ['threw', 500],
  ])('%s becomes %i and keeps its words', async (code, status) => {
    node.failing = { method: 'status', thrown: new SottoError(code, 'Words for people.') };
    const response = await ask('GET', '/v1/status');
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ error: { code, message: 'Words for people.' } });
    expect(bugs).toEqual([]);
  });

  test('a foreign exception becomes class and place; its message, which may quote content, stays inside', async () => {
    node.failing = { method: 'send', thrown: new TypeError('cannot store "my secret"') };
    const response = await ask('POST', '/v1/messages', { channel: 'general', text: 'my secret' });
    expect(response.status).toBe(500);
    const { error } = views.error_view.parse(await response.json());
    expect(error.code).toBe('internal_error');
    expect(error.message).toMatch(/TypeError at .*routes\.test\.ts:\d+/);
    expect(error.message).not.toContain('my secret');
    expect(bugs).toEqual([
      { error_class: 'TypeError', error_place: expect.stringContaining('routes.test.ts') },
    ]);
  });

  test.each([['a string'], [undefined], [{ message: 'an object' }]])(
    'a thrown %j is still an answer',
    async (thrown) => {
      node.failing = { method: 'join', thrown };
      const response = await ask('POST', '/v1/join', { link: 'x', as: 'bob' });
      expect(response.status).toBe(500);
      expect(views.error_view.parse(await response.json()).error.code).toBe('internal_error');
    },
  );
});
