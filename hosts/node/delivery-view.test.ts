/** On which devices a message is, as its author's node shows it: real nodes, one of which is away for a while. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { NodeFacade } from '../../api/facade.ts';
import { deliveryText } from './delivery-view.ts';
import { home, refusal, start, stop, temporaryFolder, until } from './nodes.testing.ts';

const said = async (node: NodeFacade, text: string, channel_ref = 'general') =>
  (await node.send({ channel_ref, text, ttl_ms: 0 })).message_id;
const textOf = (node: NodeFacade, message_ref: string) => node.delivery({ message_ref }).text;
const isText = (node: NodeFacade, message_ref: string, text: string) =>
  until(`it is ${text}`, () => textOf(node, message_ref) === text);
/** What `read` counts, by text. */
const counts = (node: NodeFacade, channel_ref = 'general') =>
  Object.fromEntries(node.read({ channel_ref, limit: 50 }).map(({ text, delivery }) => [text, delivery]));
const hasRead = (node: NodeFacade, text: string) => until(`${text} has come`, () => text in counts(node));

it.each([
  [0, 0, 'here alone: there is no other device that it is for'],
  [5, 0, 'queued: on no other device yet'],
  [5, 2, 'on 2 of 5 devices'],
  [5, 5, 'on all 5 devices'],
  [1, 1, 'on the one other device'],
])('of %i devices %i: %s', (devices, delivered, text) => {
  expect(deliveryText(devices, delivered)).toBe(text);
});

it('a message is on 1 of 2 devices while one is away, and on all once it has come back', async () => {
  const { facade: alice } = await start();
  alice.createNetwork({ name: 'Home', as: 'alice' });
  const first = await said(alice, 'alone');
  expect(alice.delivery({ message_ref: first })).toMatchObject({ devices: 0, delivered: 0, recipients: [] });
  expect(counts(alice)).toEqual({ alone: { devices: 0, delivered: 0 } });

  const data_dir = join(temporaryFolder(), 'carol');
  const bobs = await start();
  const carols = await start({ data_dir });
  for (const [{ facade }, as] of [
    [bobs, 'bob'],
    [carols, 'carol'],
  ] as const) {
    const { link } = alice.createInvite({ uses: 1, ttl_ms: 3_600_000 });
    await facade.join({ link, as, timeout_ms: 20_000 });
  }
  await isText(alice, first, 'on all 2 devices');
  await until('all names have come', () => alice.members({}).every(({ name }) => name !== null));

  await stop(carols);
  const message_id = await said(alice, 'hello');
  // Sent is not there: nobody has been compared with since.
  expect(textOf(alice, message_id)).toBe('queued: on no other device yet');
  await hasRead(bobs.facade, 'hello');
  await isText(alice, message_id, 'on 1 of 2 devices');
  const { recipients, ...about } = alice.delivery({ message_ref: message_id.slice(12, 20) });
  expect(about).toMatchObject({ message_id, devices: 2, delivered: 1 });
  expect(recipients.map(({ user_name, delivered }) => [user_name, delivered]).sort()).toEqual([
    ['bob', true],
    ['carol', false],
  ]);
  expect(counts(alice)).toEqual({
    alone: { devices: 2, delivered: 2 },
    hello: { devices: 2, delivered: 1 },
  });
  // Of others' messages it is none of one's business.
  expect(counts(bobs.facade)).toEqual({ alone: null, hello: null });

  const again = await start({ data_dir });
  await isText(alice, message_id, 'on all 2 devices');
  expect(Object.keys(counts(again.facade))).toEqual(['alone', 'hello']);

  // As it reads now: what somebody has the old text of is not there yet.
  await stop(again);
  await until('carol is gone', () =>
    alice.peers({}).every((peer) => peer.user_name !== 'carol' || !peer.connected),
  );
  alice.edit({ message_ref: message_id, text: 'hello, all' });
  expect(textOf(alice, message_id)).toBe('queued: on no other device yet');
  await isText(alice, message_id, 'on 1 of 2 devices');
  expect(counts(alice)).toMatchObject({ 'hello, all': { devices: 2, delivered: 1 } });
  expect(textOf(alice, first)).toBe('on all 2 devices');

  // Who is removed is not waited for.
  alice.removeUser({ user_ref: 'carol' });
  await isText(alice, message_id, 'on the one other device');
  expect((await refusal(() => alice.delivery({ message_ref: 'ffffffff' }))).code).toBe('not_found');
});

it('what is said in a private group is for its members alone', async () => {
  const { alice, bob } = await home('alice', 'bob', 'carol');
  alice.createGroup({ name: 'team', user_refs: ['bob'] });
  const message_id = await said(alice, 'just us', 'team');
  await until('bob reads it', () => 'just us' in counts(bob, 'team'));
  await isText(alice, message_id, 'on the one other device');
  expect(counts(alice, 'team')).toEqual({ 'just us': { devices: 1, delivered: 1 } });
});

it('who wrote a message has it, before anybody has compared anything', async () => {
  const { alice, bob } = await home('alice', 'bob');
  const phone = (await start()).facade;
  await phone.join({ link: alice.linkDevice({ ttl_ms: 60_000 }).link, timeout_ms: 20_000 });
  const from_bob = await said(bob, 'by bob');
  await hasRead(alice, 'by bob');
  const { recipients } = alice.delivery({ message_ref: from_bob });
  expect(recipients.find(({ user_name }) => user_name === 'bob')?.delivered).toBe(true);
  // What one has written oneself elsewhere is one's own, too.
  await said(phone, 'by my phone');
  await hasRead(alice, 'by my phone');
  const count = counts(alice)['by my phone'];
  expect(count?.devices).toBe(2);
  expect(count?.delivered).toBeGreaterThan(0);
  expect(counts(alice)['by bob']).toBeNull();
});
