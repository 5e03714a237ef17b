/** Eve has a web page open in Alice's browser, or a shell on Alice's machine without access to her files. She gets nothing. */

import { beforeEach, expect, test } from 'vitest';
import { createFakeNode, type FakeNode } from './facade.fake.ts';
import { body_bytes_max } from './guards.ts';
import { createApi } from './routes.ts';

const host = '127.0.0.1:4821';
const allowed = [host, 'localhost:4821', '[::1]:4821'];
let node: FakeNode;
let ask: (headers: Record<string, string>, path?: string, init?: RequestInit) => Promise<Response>;

beforeEach(() => {
  node = createFakeNode();
  const app = createApi(node.facade, { token: 'secret', allowed_hosts: () => allowed });
  ask = async (headers, path = '/v1/status', init = {}) => app.request(path, { ...init, headers });
});

const token = { authorization: 'Bearer secret' };
const paths = ['/v1/status', '/v1/openapi.json', '/v1/changes', '/v1/nothing', '/'];

async function refusal(response: Response): Promise<[number, string]> {
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  expect(Object.keys(error).toSorted()).toEqual(['code', 'message']);
  expect(error.message).not.toContain('secret');
  expect(node.calls).toEqual([]);
  return [response.status, error.code];
}

test.each(paths)('%s without a token is refused', async (path) => {
  expect(await refusal(await ask({ host }, path))).toEqual([401, 'token_missing']);
});

test.each([
  'Bearer wrong',
  'Bearer secre',
  'Bearer secrett',
  'Bearer ',
  'Bearer',
  'secret',
  'Basic secret',
  'bearer secret',
  'Bearer secret, Bearer secret',
])('the credentials %j are refused', async (authorization) => {
  expect(await refusal(await ask({ host, authorization }))).toEqual([401, 'token_wrong']);
});

test('a node without a token does not start its API', () => {
  expect(() => createApi(node.facade, { token: '', allowed_hosts: () => allowed })).toThrow(/token/);
});

test.each([
  'evil.example',
  'evil.example:4821',
  '127.0.0.1.evil.example:4821',
  '127.0.0.1',
  '127.0.0.1:4822',
  'localhost',
  '0.0.0.0:4821',
  '127.0.0.1:4821.evil.example',
  '127.1:4821',
])('the Host %j is foreign, with the right token or without', async (foreign) => {
  expect(await refusal(await ask({ host: foreign, ...token }))).toEqual([403, 'foreign_host']);
  expect(await refusal(await ask({ host: foreign }))).toEqual([403, 'foreign_host']);
});

test('a missing Host is foreign', async () => {
  expect(await refusal(await ask(token))).toEqual([403, 'foreign_host']);
});

test.each([
  'http://evil.example',
  'null',
  '',
  'https://127.0.0.1:4821',
  'http://127.0.0.1:4822',
  'http://127.0.0.1:4821.evil.example',
  'http://localhost',
  'file://',
])('the Origin %j is foreign, even with the right token', async (origin) => {
  expect(await refusal(await ask({ host, origin, ...token }))).toEqual([403, 'foreign_origin']);
});

test.each(allowed)('%s is welcome as Host and as Origin', async (name) => {
  expect((await ask({ host: name, ...token })).status).toBe(200);
  expect((await ask({ host: name.toUpperCase(), ...token })).status).toBe(200);
  expect((await ask({ host: name, origin: `http://${name}`, ...token })).status).toBe(200);
});

test.each(['HEAD', 'OPTIONS', 'PROPFIND'])('%s is no method of ours, and opens no stream', async (method) => {
  const response = await ask({ host, ...token }, '/v1/changes', { method });
  expect(response.status).toBe(405);
  expect(node.listeners()).toBe(0);
});

test('a preflight from elsewhere gets no permission', async () => {
  const response = await ask(
    { host, origin: 'http://evil.example', 'access-control-request-method': 'POST' },
    '/v1/messages',
    { method: 'OPTIONS' },
  );
  expect(response.status).toBe(403);
  expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
});

test.each([
  ['/v1/messages', '{"channel":"general","text":"Hi"}'],
  // Its body may be left out, which must not mean that it is passed over.
  ['/v1/leave', '{"network":"acme"}'],
])('a form of a web page to %s is refused by its content type', async (path, body) => {
  const headers = { host, ...token, 'content-type': 'text/plain' };
  const response = await ask(headers, path, { method: 'POST', body });
  expect(await refusal(response)).toEqual([415, 'unsupported_media_type']);
});

test('a body of more than 1 MiB is refused, one of exactly that is read', async () => {
  const send = (bytes: number) => {
    const frame = JSON.stringify({ channel: 'general', text: '' });
    const body = frame.replace('""', `"${'x'.repeat(bytes - frame.length)}"`);
    expect(body.length).toBe(bytes);
    return ask({ host, ...token, 'content-type': 'application/json' }, '/v1/messages', {
      method: 'POST',
      body,
    });
  };
  expect(body_bytes_max).toBe(1024 * 1024);
  expect(await refusal(await send(body_bytes_max + 1))).toEqual([413, 'body_too_large']);
  expect((await send(body_bytes_max)).status).toBe(200);
});
