/**
 * What `sotto audit` says of the records: a sound store is found sound, and every kind of damage is found.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkIntegrity, type Integrity } from '../hosts/node/integrity.ts';
import { openNodeSqliteToRead } from '../storage/node-sqlite.ts';
import { quietProtocol } from './support.ts';
import { World } from './world.ts';

function busy(): World {
  const world = new World({ seed: 4 });
  world.found('alice');
  world.join('alice', 'bob');
  const gone = world.say('alice', 'gone');
  const edited = world.say('bob', 'frist');
  world.gather();
  const { engine } = world.node('alice');
  engine.command('react', 1, { message_id: edited, emoji: '👍' });
  engine.command('create_group', 1, { name: 'team', member_ids: [world.userOf('bob', 'alice')] });
  // Twice: that there was a version in between stays known, and is not taken for damage.
  for (const text of ['frst', 'first']) {
    world.clock.pass(1);
    world.node('bob').engine.command('edit_message', 1, { message_id: edited, text });
  }
  world.say('alice', 'soon over', world.channel_id, 60_000);
  engine.command('remove_message', 1, { message_id: gone });
  world.gather();
  return world;
}

async function audited(world: World, name: string, now_ms?: number): Promise<Integrity> {
  const db = openNodeSqliteToRead(join(world.folder, `${name}.db`));
  try {
    return await checkIntegrity(db, quietProtocol, () => {}, now_ms);
  } finally {
    db.close();
  }
}

describe('the audit of a store', () => {
  it('finds a busy node sound: before, while and after it forgets', async () => {
    const world = busy();
    for (let stage = 0; stage < 3; stage++) {
      for (const name of ['alice', 'bob']) {
        const found = await audited(world, name);
        expect(found.problems).toEqual([]);
        expect(found).toMatchObject({ skipped: null });
        expect(found.records).toBeGreaterThan(40);
        expect(found.compared).toBeGreaterThan(40);
        world.forget(name, stage === 1 ? 0 : 3_600_000);
      }
      world.clock.pass(120_000);
      world.gather();
    }
  });

  it('finds a store sound in which a key has gone before the expired that only it opened', async () => {
    const world = busy();
    world.clock.pass(70 * 60_000);
    for (let run = 0; run < 3; run++) world.runJob('alice', 'purge_unused_keys_job', { grace_ms: 0 });
    const { problems } = await audited(world, 'alice', world.clock.wall);
    expect(problems).toEqual([]);
    const lost =
      'SELECT count(*) AS n FROM event e WHERE e.sealed = 1 AND e.body IS NOT NULL AND NOT EXISTS (SELECT 1 FROM wrap w JOIN group_key k ON k.n = w.key WHERE w.of = e.n AND k.slot IS NOT NULL)';
    expect(world.node('alice').all(lost)).toEqual([{ n: 1 }]);
    const before = await audited(world, 'alice', world.clock.wall - 70 * 60_000);
    expect(before.problems.map(({ problem }) => problem)).toContain('no key here opens it');
  });

  it.each([
    [
      'a bit of a body',
      `UPDATE event SET body = zeroblob(length(body)) WHERE type = 'message'`,
      /another hash/,
    ],
    [
      'a signature',
      `UPDATE event SET signature = zeroblob(64) WHERE type = 'peer'`,
      /signature does not hold/,
    ],
    [
      'a sum',
      `UPDATE sum_node SET count = count + 1 WHERE level = 1`,
      /sums of what peers compare are wrong/,
    ],
    ['a header', `UPDATE event SET header = x'00' WHERE type = 'profile'`, /header cannot be read/],
    ['a wrap', 'UPDATE wrap SET sealed = zeroblob(48) WHERE sealed IS NOT NULL', /wrap does not open/],
    ['a lost key', 'UPDATE key_slot SET secret = zeroblob(32)', /is not what its id says/],
    ['a row too few', 'DELETE FROM message', /table message: 0 rows .*, 2 that are missing/],
    ['a row too many', 'INSERT INTO member_device VALUES (1, zeroblob(32))', /table member_device: 1 rows/],
    [
      'a key left to what is gone',
      'UPDATE wrap SET sealed = zeroblob(48) WHERE sealed IS NULL',
      /it is gone, and a key to it is not/,
    ],
    ['dirt that is not known', 'UPDATE group_key SET dirty_ms = NULL', /is not dirty/],
    ['a type that is not true', `UPDATE event SET type = 'reaction' WHERE type = 'message'`, /another type/],
  ])('finds %s', async (_what, sql, problem) => {
    const world = busy();
    world.node('alice').db.exec(sql);
    const { problems } = await audited(world, 'alice');
    expect(problems.map((one) => one.problem).join('\n')).toMatch(problem);
  });
});
