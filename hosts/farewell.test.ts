/** What a removed device is told as it is turned away has to be enough for it to know that it is removed. */
import { describe, expect, it } from 'vitest';
import { World } from '../tests/world.ts';
import { farewell } from './farewell.ts';

describe('S12: a device that is removed', () => {
  it('learns of it, though it has never heard of the admin who did it, nor of the one who made them one', () => {
    const world = new World({ seed: 61 });
    world.found('alice');
    world.join('alice', 'bob');
    world.gather();
    // From here on Bob is away.
    const makeAdmin = (by: string, name: string) => {
      const input = { user_id: world.userOf(name), right: 'admin' };
      world.node(by).engine.command('grant_right', 1, input);
      world.meet(by, name);
    };
    world.join('alice', 'carol');
    makeAdmin('alice', 'carol');
    world.join('carol', 'dave');
    makeAdmin('carol', 'dave');
    const bob = { user_id: world.userOf('bob', 'dave'), group_id: null };
    world.node('dave').engine.command('remove_user', 1, bob);
    const told = farewell(world.node('dave').engine, 1, world.device('bob'), 'network');
    const knows = () => world.node('bob').query('is_removed_device', { device_id: world.device('bob') });
    expect(knows()).toEqual([]);
    const session = { session_id: 's', device_id: world.device('dave') };
    world.node('bob').engine.receive(1, session, told?.frame ?? new Uint8Array());
    expect(knows()).toHaveLength(1);
    // And nothing else: of those two no word, no prekey, no address.
    const rows = world
      .node('bob')
      .all('SELECT DISTINCT type, lower(hex(author)) AS author FROM event ORDER BY type');
    const strange = rows.filter(({ author }) =>
      [world.device('carol'), world.device('dave')].includes(String(author)),
    );
    expect([...new Set(strange.map(({ type }) => type))]).toEqual([
      'admit',
      'grant',
      'invite',
      'peer',
      'remove',
      'user',
    ]);
  });

  it('learns of it, though for all that it has heard the one who did it was removed before', () => {
    const world = new World({ seed: 62 });
    world.found('alice');
    for (const name of ['bob', 'carol', 'dave']) world.join('alice', name);
    world.gather();
    const run = (by: string, command: string, input: object) =>
      world.node(by).engine.command(command, 1, input);
    for (const name of ['bob', 'carol'])
      run('alice', 'grant_right', { user_id: world.userOf(name), right: 'admin' });
    world.gather();
    const out = (name: string) => ({ user_id: world.userOf(name), group_id: null });
    run('carol', 'remove_user', out('dave'));
    run('bob', 'remove_user', out('carol'));
    run('alice', 'remove_user', out('bob'));
    const hear = (to: string, from: string, of: string, who_knows = from) => {
      const told = farewell(world.node(who_knows).engine, 1, world.device(of), 'network');
      const session = { session_id: 's', device_id: world.device(from) };
      world.node(to).engine.receive(1, session, told?.frame ?? new Uint8Array());
    };
    const knows = () =>
      world.node('dave').query('is_removed_device', { device_id: world.device('dave') }).length > 0;
    // Dave hears Bob, who has turned Carol out; Alice hears all, and had turned Bob out before.
    world.meet('bob', 'dave');
    hear('dave', 'carol', 'dave');
    expect(knows()).toBe(false);
    world.meet('alice', 'carol');
    hear('alice', 'carol', 'carol', 'bob');
    hear('dave', 'alice', 'dave');
    expect(knows()).toBe(true);
  });
});
