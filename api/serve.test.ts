/** The API on a real port: only this machine reaches it, and it ends when told. */

import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SottoError } from '../core/assert.ts';
import { createFakeNode, type FakeNode, ids } from './facade.fake.ts';
import { body_bytes_max } from './guards.ts';
import { createApi } from './routes.ts';
import { allowedHosts, type ServedApi, serveApi } from './serve.ts';

const globals_before = [globalThis.Request, globalThis.Response];
let node: FakeNode;
let served: ServedApi;
const headers = { authorization: 'Bearer secret' };

beforeEach(async () => {
  node = createFakeNode();
  const app = createApi(node.facade, { token: 'secret', allowed_hosts: () => allowedHosts(served.address) });
  served = await serveApi(app, '127.0.0.1:0');
});

afterEach(() => served.close());

test('it answers on the port that port 0 became', async () => {
  expect(served.address).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
  const response = await fetch(`http://${served.address}/v1/status`, { headers });
  expect(response.status).toBe(200);
});

test.each([
  '0.0.0.0:0',
  '[::]:0',
  ':::0',
  '192.168.1.2:4821',
  'example.org:4821',
  '127.0.0.2:0',
  'localhost.evil.example:0',
])('%s is not this machine', async (address) => {
  await expect(serveApi({ fetch: () => new Response() }, address)).rejects.toMatchObject({
    code: 'api_not_loopback',
  });
});

test.each(['', '4821', '127.0.0.1', '127.0.0.1:', ':0', '127.0.0.1:65536', '127.0.0.1:-1', 'localhost:http'])(
  '%j is no address',
  async (address) => {
    await expect(serveApi({ fetch: () => new Response() }, address)).rejects.toMatchObject({
      code: 'bad_api_address',
    });
  },
);

test('localhost is bound without a look-up', async () => {
  const other = await serveApi({ fetch: () => new Response('here') }, 'localhost:0');
  expect(other.address).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(await (await fetch(`http://${other.address}/`)).text()).toBe('here');
  await other.close();
});

test('a port that is taken is an error that names it', async () => {
  const thrown = await serveApi({ fetch: () => new Response() }, served.address).catch((error) => error);
  expect(thrown).toBeInstanceOf(SottoError);
  expect(thrown.code).toBe('api_listen_failed');
  expect(thrown.message).toContain(served.address);
});

test('every spelling of the address that is served is allowed, none of another port', () => {
  const port = served.address.split(':')[1];
  expect(allowedHosts(served.address)).toEqual([`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`]);
  expect(allowedHosts('[::1]:7')).toContain('[::1]:7');
});

/** Sends raw bytes and returns all that comes back: what a browser or `fetch` would never send. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: Number(served.address.split(':')[1]) });
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      answer += chunk;
    });
    socket.on('end', () => resolve(answer));
    socket.on('error', reject);
    socket.write(text);
  });
}

test.each([
  ['HTTP/1.0 without Host', 'GET /v1/status HTTP/1.0\r\nAuthorization: Bearer secret\r\n\r\n', 400],
  ['HTTP/1.1 without Host', 'GET /v1/status HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
  [
    'a name rebound to 127.0.0.1',
    'GET /v1/status HTTP/1.1\r\nHost: evil.example:80\r\nAuthorization: Bearer secret\r\nConnection: close\r\n\r\n',
    403,
  ],
  ['a Host that is none', 'GET /v1/status HTTP/1.1\r\nHost: a/b?c\r\nConnection: close\r\n\r\n', 400],
  [
    'a foreign absolute target',
    'GET http://evil.example/v1/status HTTP/1.1\r\nHost: evil.example\r\nAuthorization: Bearer secret\r\nConnection: close\r\n\r\n',
    403,
  ],
])('%s gets no answer about the node', async (_, text, status) => {
  const answer = await raw(text);
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(node.calls).toEqual([]);
});

test('a chunked body is read, and cut off at the limit', async () => {
  const send = (text: string) =>
    new Promise<number>((resolve, reject) => {
      const outgoing = request(
        `http://${served.address}/v1/messages`,
        { method: 'POST', headers: { ...headers, 'content-type': 'application/json', connection: 'close' } },
        (incoming) => {
          incoming.resume();
          resolve(incoming.statusCode ?? 0);
        },
      );
      outgoing.on('error', reject);
      outgoing.write('{"channel":"general",');
      outgoing.end(`"text":"${text}"}`);
    });
  expect(await send('Hi')).toBe(200);
  expect(node.calls).toEqual([['send', { channel_ref: 'general', text: 'Hi', ttl_ms: null }]]);
  expect(await send('x'.repeat(body_bytes_max))).toBe(413);
});

test('events arrive while they happen, and a reader that goes leaves nothing behind, not even a line in a log', async () => {
  const printed = [vi.spyOn(console, 'error'), vi.spyOn(console, 'info'), vi.spyOn(console, 'log')];
  const abort = new AbortController();
  const response = await fetch(`http://${served.address}/v1/changes`, { headers, signal: abort.signal });
  const reader = response.body!.getReader();
  node.tellChange({ change: 1, network_id: null, type: 'user', event_id: ids.user });
  expect(new TextDecoder().decode((await reader.read()).value)).toContain('event: change');
  expect(node.listeners()).toBe(1);
  abort.abort();
  await vi.waitFor(() => expect(node.listeners()).toBe(0));
  for (const spy of printed) expect(spy).not.toHaveBeenCalled();
});

test('it closes within a second with a stream open and a request under way', async () => {
  const stream = await fetch(`http://${served.address}/v1/changes`, { headers });
  const idle = connect({ host: '127.0.0.1', port: Number(served.address.split(':')[1]) });
  idle.on('error', () => {});
  const ended = stream.text().catch(() => 'cut');
  const began = performance.now();
  await served.close();
  expect(performance.now() - began).toBeLessThan(1_000);
  await ended;
  await vi.waitFor(() => expect(node.listeners()).toBe(0));
  await expect(fetch(`http://${served.address}/v1/status`, { headers })).rejects.toThrow();
});

test('the globals of the app that embeds it stay its own', () => {
  expect(globalThis.Request === globals_before[0] && globalThis.Response === globals_before[1]).toBe(true);
});
