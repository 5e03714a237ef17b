/** Alice's interface follows what happens. One that stops reading loses its stream, not the node's memory. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { subscriber_events_max, subscribers_max } from './events.ts';
import { createFakeNode, type FakeNode, ids, traceEntry } from './facade.fake.ts';
import { createApi } from './routes.ts';

const host = '127.0.0.1:4821';
let node: FakeNode;
let follow: (path: string) => Promise<Response>;

beforeEach(() => {
  node = createFakeNode();
  const app = createApi(node.facade, { token: 'secret', allowed_hosts: () => [host] });
  follow = async (path) => app.request(path, { headers: { host, authorization: 'Bearer secret' } });
});

afterEach(() => vi.useRealTimers());

const change = (number: number) => ({
  change: number,
  network_id: ids.network,
  type: 'message',
  event_id: ids.message,
});

function readerOf(response: Response): () => Promise<string | undefined> {
  const reader = response.body!.getReader();
  return async () => {
    const { value } = await reader.read();
    return value && new TextDecoder().decode(value);
  };
}

test('a change reaches its subscriber as an event with its number', async () => {
  const response = await follow('/v1/changes');
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const read = readerOf(response);
  node.tellChange(change(7));
  expect(await read()).toBe(`event: change\nid: 7\ndata: ${JSON.stringify(change(7))}\n\n`);
});

test('a trace entry reaches its follower', async () => {
  const read = readerOf(await follow('/v1/trace/follow'));
  const entry = traceEntry(3);
  node.tellTrace(entry);
  expect(await read()).toBe(`event: trace\nid: 3\ndata: ${JSON.stringify(entry)}\n\n`);
});

test('a burst of one batch is kept whole and in order', async () => {
  const read = readerOf(await follow('/v1/changes'));
  const burst = Array.from({ length: subscriber_events_max }, (_, at) => at + 1);
  for (const number of burst) node.tellChange(change(number));
  let text = '';
  while (!text.includes(`id: ${burst.length}\n`)) text += await read();
  expect([...text.matchAll(/^id: (\d+)$/gm)].map((match) => Number(match[1]))).toEqual(burst);
  expect(text).not.toContain('lagged');
});

test('one that does not read is dropped, and told so last; the others go on', async () => {
  const slow = await follow('/v1/changes');
  const read_quick = readerOf(await follow('/v1/changes'));
  expect(node.listeners()).toBe(2);
  for (let number = 1; number <= subscriber_events_max + 2; number += 1) {
    node.tellChange(change(number));
    if (number % 1_000 === 0) await read_quick();
  }
  expect(node.listeners()).toBe(1);
  const slow_text = await slow.text();
  expect(slow_text.split('\n\n').at(-2)).toBe(`event: lagged\ndata: {"events_max":${subscriber_events_max}}`);
  // Nothing of what had waited is kept for a reader that may never come.
  expect(slow_text.match(/event: change/g)?.length).toBe(1);
  let last = '';
  while (!last.includes(`id: ${subscriber_events_max + 2}\n`)) last = (await read_quick()) ?? '';
});

test('a subscriber that goes is forgotten, its timer too', async () => {
  vi.useFakeTimers();
  const response = await follow('/v1/changes');
  expect(node.listeners()).toBe(1);
  expect(vi.getTimerCount()).toBe(1);
  await response.body!.cancel();
  expect(node.listeners()).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
  node.tellChange(change(1));
});

test('silence is broken every 15 seconds, and only for one who reads', async () => {
  vi.useFakeTimers();
  const read = readerOf(await follow('/v1/changes'));
  vi.advanceTimersByTime(14_999);
  node.tellChange(change(1));
  expect(await read()).toContain('event: change');
  vi.advanceTimersByTime(1);
  expect(await read()).toBe(': keep-alive\n\n');
  vi.advanceTimersByTime(10 * 15_000);
  expect(await read()).toBe(': keep-alive\n\n');
  node.tellChange(change(2));
  expect(await read()).toContain('id: 2');
});

test('more streams than the limit are refused, until one goes', async () => {
  const open = await Promise.all(Array.from({ length: subscribers_max }, () => follow('/v1/changes')));
  const refused = await follow('/v1/trace/follow');
  expect(refused.status).toBe(503);
  expect(await refused.json()).toMatchObject({ error: { code: 'too_many_subscribers' } });
  await open[0]!.body!.cancel();
  expect((await follow('/v1/trace/follow')).status).toBe(200);
});
