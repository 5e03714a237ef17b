/** What of a node's secrets is on its disk: with and without a passphrase, and after a network was erased. */
import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import type { Db } from '../../core/db.ts';
import { openNodeSqlite } from '../../storage/node-sqlite.ts';
import { changePassphrase } from './change-passphrase.ts';
import type { SottoNode } from './node.ts';
import { filesWith, home, refusal, start, stop, temporaryFolder, until } from './nodes.testing.ts';
import { sealedAnew, unlocked } from './passphrase.ts';

function passphraseFile(text: string): string {
  const file = join(temporaryFolder(), 'passphrase');
  writeFileSync(file, text);
  return file;
}

/** What stands in the key slots that are in use, device keys first, as whoever has the file reads it. */
function slotsOf(data_dir: string): Uint8Array[] {
  const db = new DatabaseSync(join(data_dir, 'sotto.db'));
  try {
    return db
      .prepare('SELECT s.secret FROM key_slot s JOIN key_slot_use u ON u.slot = s.id ORDER BY u.purpose')
      .all()
      .map((row) => row.secret as Uint8Array);
  } finally {
    db.close();
  }
}

/** Tables with a row in which these bytes are, or their hex digits. */
function tablesWith(data_dir: string, bytes: Uint8Array): string[] {
  const db = new DatabaseSync(join(data_dir, 'sotto.db'));
  try {
    const columns = db
      .prepare(
        "SELECT m.name AS t, c.name AS c FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'",
      )
      .all();
    const isIn = ({ t, c }: Record<string, unknown>) =>
      db
        .prepare(
          `SELECT 1 FROM "${t}" WHERE instr(CAST("${c}" AS BLOB), :bytes) > 0 OR instr("${c}", :hex) > 0`,
        )
        .get({ bytes, hex: bytes.toHex() }) !== undefined;
    return columns.filter(isIn).map(({ t }) => t as string);
  } finally {
    db.close();
  }
}

const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)) };

/** A copy of a data directory's database as it is now, without its owner knowing: what is there if the process dies at once. */
function imageOf(data_dir: string): string {
  const image = join(temporaryFolder(), 'node');
  mkdirSync(image);
  for (const name of ['sotto.db', 'sotto.db-wal']) {
    if (existsSync(join(data_dir, name))) copyFileSync(join(data_dir, name), join(image, name));
  }
  return image;
}

/** What is there if a process dies right after it has done something to a data directory's database. */
function killedWhile(data_dir: string, act: (db: Db) => void): string {
  const alive = imageOf(data_dir);
  const db = openNodeSqlite(join(alive, 'sotto.db'));
  try {
    act(db);
    return imageOf(alive);
  } finally {
    db.close();
  }
}

const found = (node: SottoNode) => node.facade.createNetwork({ name: 'Home', as: 'alice' });
const say = (node: SottoNode, text: string) => node.facade.send({ channel_ref: 'general', text, ttl_ms: 0 });
const heard = (node: SottoNode) =>
  node.facade.read({ channel_ref: 'general', limit: 9 }).map(({ text }) => text);

describe('a passphrase', () => {
  it('set on a data directory that had none, seals every key in it; nothing raw is left in its files', async () => {
    const data_dir = join(temporaryFolder(), 'node');
    const plain = await start({ data_dir });
    found(plain);
    await say(plain, 'before');
    await stop(plain);
    const secrets = slotsOf(data_dir);
    expect(secrets.length).toBeGreaterThan(20);
    // Without a passphrase they are what the file protects, and nothing else does.
    for (const secret of secrets) expect(filesWith(data_dir, secret)).toEqual(['sotto.db']);

    const passphrase_file = passphraseFile('correct horse battery staple\n');
    const sealed = await start({ data_dir, passphrase_file });
    for (const secret of secrets) expect(filesWith(data_dir, secret)).toEqual([]);
    await say(sealed, 'after');
    expect(heard(sealed)).toEqual(['before', 'after']);
    await stop(sealed);
    for (const secret of secrets) expect(filesWith(data_dir, secret)).toEqual([]);
    expect(filesWith(data_dir, Buffer.from('correct horse'))).toEqual([]);

    // The newline at the end of the file is not part of it.
    const again = await start({ data_dir, passphrase_file: passphraseFile('correct horse battery staple') });
    await say(again, 'and again');
    expect(heard(again)).toEqual(['before', 'after', 'and again']);
  });

  it('is needed from then on, and no other will do; a refused start changes nothing', async () => {
    const data_dir = join(temporaryFolder(), 'node');
    const passphrase_file = passphraseFile('one\n');
    const node = await start({ data_dir, passphrase_file });
    found(node);
    await stop(node);
    const refused = async (file?: string) => {
      const { code, message } = await refusal(() => start({ data_dir, passphrase_file: file }));
      expect(message).not.toContain('one\n');
      return code;
    };
    expect(await refused()).toBe('passphrase_needed');
    expect(await refused(passphraseFile('two'))).toBe('wrong_passphrase');
    expect(await refused(passphraseFile('one\n\n'))).toBe('wrong_passphrase');
    expect(await refused(passphraseFile('\n'))).toBe('bad_passphrase');
    expect(await refused(passphraseFile(''))).toBe('bad_passphrase');
    expect(await refused(passphraseFile('x'.repeat(5_000)))).toBe('bad_passphrase');
    expect(await refused(join(data_dir, 'nowhere'))).toBe('bad_passphrase_file');
    const right = await start({ data_dir, passphrase_file });
    await say(right, 'still here');
    expect(heard(right)).toEqual(['still here']);
  });

  it('set on what a killed node has left, and killed before the log is seen to: nothing raw is left after the next start', async () => {
    const data_dir = join(temporaryFolder(), 'node');
    const plain = await start({ data_dir });
    found(plain);
    await say(plain, 'before');
    const killed = imageOf(data_dir);
    const secrets = slotsOf(imageOf(killed));
    const passphrase_file = passphraseFile('one');
    const sealed = killedWhile(killed, (db) => unlocked(db, passphrase_file, random, () => undefined));
    for (const secret of secrets) expect(filesWith(sealed, secret)).not.toEqual([]);
    const again = await start({ data_dir: sealed, passphrase_file });
    for (const secret of secrets) expect(filesWith(sealed, secret)).toEqual([]);
    expect(heard(again)).toEqual(['before']);
  });

  it('is changed, and taken away, while no node runs; what it was before opens nothing, and is gone from the files', async () => {
    const data_dir = join(temporaryFolder(), 'node');
    const [one, two] = ['one', 'two'].map(passphraseFile) as [string, string];
    const node = await start({ data_dir, passphrase_file: one });
    found(node);
    await say(node, 'before');
    const change = (passphrase_file?: string, new_passphrase_file?: string) =>
      changePassphrase({ data_dir, passphrase_file, new_passphrase_file });
    expect((await refusal(() => change(one, two))).code).toBe('data_dir_in_use');
    await stop(node);
    const under_one = slotsOf(data_dir);
    expect((await refusal(() => change(undefined, two))).code).toBe('passphrase_needed');
    expect((await refusal(() => change(two, two))).code).toBe('wrong_passphrase');
    expect((await refusal(() => change(two))).code).toBe('wrong_passphrase');
    expect((await refusal(() => change(one, passphraseFile('')))).code).toBe('bad_passphrase');
    expect(slotsOf(data_dir)).toEqual(under_one);

    // Somebody has the database open, so that closing it does not take the log's file away.
    const beside = new DatabaseSync(join(data_dir, 'sotto.db'));
    expect(beside.prepare('SELECT count(*) AS locks FROM key_slot_lock').get()).toEqual({ locks: 1 });
    await change(one, two);
    for (const stored of under_one) expect(filesWith(data_dir, stored)).toEqual([]);
    beside.close();
    expect((await refusal(() => start({ data_dir, passphrase_file: one }))).code).toBe('wrong_passphrase');
    const with_two = await start({ data_dir, passphrase_file: two });
    expect(heard(with_two)).toEqual(['before']);
    await say(with_two, 'after');
    await stop(with_two);
    const under_two = slotsOf(data_dir);

    await change(two);
    for (const stored of under_two) expect(filesWith(data_dir, stored)).toEqual([]);
    expect((await refusal(() => change(two))).code).toBe('no_passphrase');
    const plain = await start({ data_dir });
    expect(heard(plain)).toEqual(['before', 'after']);
    await stop(plain);
    // And a first one, as at a start.
    await change(undefined, one);
    expect((await refusal(() => start({ data_dir }))).code).toBe('passphrase_needed');
    const nowhere = join(temporaryFolder(), 'nowhere');
    expect(
      (
        await refusal(() =>
          changePassphrase({ data_dir: nowhere, passphrase_file: one, new_passphrase_file: two }),
        )
      ).code,
    ).toBe('no_database');
  });

  it.each([
    ['changed', 'two'],
    ['taken away', undefined],
  ])(
    '%s, and killed at any moment: either holds, and nothing is left of the one before',
    async (_what, next) => {
      const data_dir = join(temporaryFolder(), 'node');
      const one = passphraseFile('one');
      const new_file = next === undefined ? undefined : passphraseFile(next);
      const node = await start({ data_dir, passphrase_file: one });
      found(node);
      await say(node, 'before');
      const killed = imageOf(data_dir);
      const stored = slotsOf(imageOf(killed));
      // Before the transaction is through, nothing has happened.
      const early = killedWhile(killed, (db) => {
        db.exec(
          "CREATE TEMP TRIGGER dies BEFORE UPDATE OF nonce ON key_slot_use WHEN old.slot = 9 BEGIN SELECT raise(ABORT, 'dead'); END",
        );
        expect(() => sealedAnew(db, one, new_file, random)).toThrow();
      });
      const before = await start({ data_dir: early, passphrase_file: one });
      expect(heard(before)).toEqual(['before']);
      // After it, only the log is owed.
      const late = killedWhile(killed, (db) => sealedAnew(db, one, new_file, random));
      for (const each of stored) expect(filesWith(late, each)).not.toEqual([]);
      const after = await start({ data_dir: late, passphrase_file: new_file });
      for (const each of stored) expect(filesWith(late, each)).toEqual([]);
      expect(heard(after)).toEqual(['before']);
    },
  );

  it('does not keep nodes from meeting', async () => {
    const [alice, bob] = [
      await start({ passphrase_file: passphraseFile('alices') }),
      await start({ passphrase_file: passphraseFile('bobs') }),
    ];
    found(alice);
    const { link } = alice.facade.createInvite({ uses: 1, ttl_ms: 60_000 });
    await bob.facade.join({ link, as: 'bob', timeout_ms: 20_000 });
    await say(bob, 'hello');
    await until('alice hears', () => heard(alice).join() === 'hello');
  });
});

describe('erasing a network', () => {
  it('leaves no row and no secret of it on the disk, and the other networks as they are', async () => {
    const { alice } = await home('alice');
    const data_dir = join(temporaryFolder(), 'node');
    const bob = await start({ data_dir });
    const { link } = alice.createInvite({ uses: 2, ttl_ms: 60_000 });
    const joined = await bob.facade.join({ link, as: 'bob', timeout_ms: 20_000 });
    bob.facade.createNetwork({ name: 'Elsewhere', as: 'robert' });
    await bob.facade.send({ channel_ref: 'general', text: 'stays', ttl_ms: 0, network: 'Elsewhere' });
    await bob.facade.send({ channel_ref: 'general', text: 'goes', ttl_ms: 0, network: 'Home' });
    const marks = [joined.network_id, joined.user_id, joined.device_id].map((id) => Uint8Array.fromHex(id));
    for (const mark of marks) expect(tablesWith(data_dir, mark)).toContain('event');
    const before = slotsOf(data_dir);

    const erased = bob.facade.deleteNetwork({ network: 'Home', as: 'bob' });
    expect(erased).toMatchObject({ network_id: joined.network_id });
    expect(erased.events).toBeGreaterThan(20);
    expect(erased.secrets).toBeGreaterThan(20);
    // The receipts are there, and name neither.
    expect(marks.flatMap((mark) => tablesWith(data_dir, mark))).toEqual([]);
    expect(bob.facade.receipts({ since_ms: 0, limit: 100 })).toHaveLength(erased.secrets);
    const after = slotsOf(data_dir);
    const gone = before.filter((secret) => !after.some((kept) => Buffer.compare(kept, secret) === 0));
    expect(gone).toHaveLength(erased.secrets);
    for (const secret of gone) expect(filesWith(data_dir, secret)).toEqual([]);

    expect(bob.facade.status().networks.map(({ name }) => name)).toEqual(['Elsewhere']);
    expect(heard(bob)).toEqual(['stays']);
    await until('no job of it is left', () =>
      bob.facade.jobs().every(({ network_id }) => network_id !== joined.network_id),
    );
    await until('alice has lost the connection', () =>
      alice.peers({}).every(({ connected, is_this_device }) => is_this_device || !connected),
    );
    // It is local: to the others he is merely away, and he may come back as somebody new.
    expect(alice.members({}).find(({ user_id }) => user_id === joined.user_id)?.state).toBe('member');
    await bob.facade.join({ link, as: 'bob', timeout_ms: 20_000 });
    expect(bob.facade.whoami({ network: 'Home' })).toMatchObject([{ user_name: 'bob', state: 'member' }]);
  });
});
