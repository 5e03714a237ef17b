/**
 * What somebody wrote before they were removed stays, also where parts of their chain died before others had them: headers of the dead are asked for while
 * there is somebody to ask.
 */
import { describe, expect, it } from 'vitest';
import { World } from './world.ts';

const HOUR_MS = 3_600_000;

function home(): World {
  const world = new World({ seed: 4 });
  world.found('alice');
  world.join('alice', 'bob');
  world.join('alice', 'carol');
  world.gather();
  return world;
}

/** Each looks for gaps, and asks the others. */
function askForLinks(world: World, ...names: string[]): void {
  for (let round = 0; round < 3; round++) {
    for (const name of names) {
      while (world.runJob(name, 'find_missing_links_job') > 0);
      // As two that have never agreed: then both begin a round, as their jobs do every three seconds.
      world.node(name).db.exec('DELETE FROM synced_with');
    }
    for (const [at, one] of names.entries()) for (const other of names.slice(at + 1)) world.meet(one, other);
  }
}

const edit = (world: World, message_id: string, text: string) => {
  world.clock.pass(1);
  world.node('bob').engine.command('edit_message', 1, { message_id, text });
};

const remove = (world: World, by: string) =>
  world.node(by).engine.command('remove_user', 1, { user_id: world.userOf('bob', by), group_id: null });

describe('F9, L5: what somebody wrote before they were removed stays', () => {
  it.each<[string, (world: World) => void]>([
    [
      'was edited twice before it was sent',
      (world) => {
        const message_id = world.say('bob', 'frst');
        world.gather();
        edit(world, message_id, 'furst');
        edit(world, message_id, 'first');
      },
    ],
    [
      'was said, edited and deleted before it was sent',
      (world) => {
        const message_id = world.say('bob', 'typo');
        edit(world, message_id, 'types');
        world.node('bob').engine.command('remove_message', 1, { message_id });
      },
    ],
    [
      'ran out before it was sent',
      (world) => {
        for (let said = 0; said < 100; said++) world.say('bob', `${said}`, world.channel_id, 60_000);
        world.clock.pass(2 * HOUR_MS);
        world.forget('bob');
      },
    ],
  ])('though something before it %s', (_what, happens) => {
    const world = home();
    happens(world);
    world.say('bob', 'said behind it');
    world.gather();
    askForLinks(world, 'alice', 'bob');
    const before = world.read('alice');
    expect(before).toContain('said behind it');
    remove(world, 'alice');
    expect(world.read('alice')).toEqual(before);
    world.meet('alice', 'carol');
    expect(world.read('carol')).toEqual(before);
  });

  it('though whoever removes them joined when much had died', () => {
    const world = home();
    world.say('bob', 'old');
    for (let said = 0; said < 100; said++) world.say('bob', `${said}`, world.channel_id, 60_000);
    world.gather();
    world.clock.pass(2 * HOUR_MS);
    for (const name of ['alice', 'bob', 'carol']) world.forget(name);
    world.say('bob', 'new');
    world.gather();
    world.join('alice', 'dave');
    world.node('alice').engine.command('grant_right', 1, { user_id: world.userOf('dave'), right: 'admin' });
    world.gather();
    // Bob's device is not to be had any more.
    askForLinks(world, 'alice', 'dave');
    remove(world, 'dave');
    expect(world.read('dave')).toEqual(['old', 'new']);
    world.meet('alice', 'dave');
    expect(world.read('alice')).toEqual(['old', 'new']);
    expect(world.waiting('alice')).toEqual({});
  });
});
