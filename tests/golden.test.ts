/**
 * Test vectors of the wire format, and the shape of the database. What is in `golden/` was made by our code from fixed secrets; it is made again
 * here by our code, and by another implementation (`golden/independent.ts`) that was written from docs/protocol.md with other libraries.
 *
 * Whoever changes the format, the judgement or the schema on purpose: UPDATE_GOLDEN=1 npx vitest run tests/golden.test.ts tests/judgement.test.ts
 * (and the same again without, since what is read here was read before it was written).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { encodeEventItem, encodeFrame } from '../core/frame-codec.ts';
import { publicKeyOf } from '../crypto/sign.ts';
import { unpack } from '../transport/packing.ts';
import { FILES } from './golden/files.ts';
import * as independent from './golden/independent.ts';
import { TRANSIENT_TYPES } from './golden/transients.ts';
import { CAROL, DEVICE, EVENTS, fill, NETWORK, named, rawOf } from './golden/vectors.ts';
import { quietProtocol, storedEvents, TestNode } from './support.ts';
import { World } from './world.ts';

const { bytes, hex } = independent;
const path = (name: string) => fileURLToPath(new URL(`golden/${name}`, import.meta.url));
const UPDATE = process.env.UPDATE_GOLDEN !== undefined;

type Made<Name extends keyof typeof FILES> = Awaited<ReturnType<(typeof FILES)[Name]>>;
const golden = <Name extends keyof typeof FILES>(name: Name) =>
  JSON.parse(readFileSync(path(name), 'utf8')) as Made<Name>;

/** Compares, or writes where that is asked for. */
function expectGolden(name: string, text: string): void {
  if (UPDATE) writeFileSync(path(name), text);
  expect(text).toBe(readFileSync(path(name), 'utf8'));
}

describe('our code', () => {
  it.each(Object.entries(FILES))('makes %s as it is', async (name, make) => {
    expectGolden(name, `${JSON.stringify(await make(), null, 2)}\n`);
  });

  /** Somebody who joins, is given the keys, and takes all of `events.json`. Its device key and its first prekey are those that the vectors are for. */
  function newcomer(): TestNode {
    let drawn = 8;
    const bob = new TestNode({ random: { bytes: (length) => fill(++drawn, length) } });
    const invite = { invite_id: hex(fill(13)), invite_key: hex(publicKeyOf(fill(12))) };
    bob.engine.command('join_network', 0, { network_id: NETWORK, ...invite }, { invite_secret: fill(12) });
    hear(
      bob,
      EVENTS.map((event) => encodeEventItem(rawOf(event))),
    );
    return bob;
  }
  const hear = (node: TestNode, items: readonly Uint8Array[]) =>
    node.engine.receive(1, { session_id: 'test', device_id: DEVICE }, encodeFrame(items));

  it('takes these events, as somebody who joins and is given the keys', () => {
    const bob = newcomer();
    const known = bob.all('SELECT id FROM event').map(({ id }) => hex(id as Uint8Array));
    // The edit did not wait for its channel: what it edits was deleted.
    const kept = EVENTS.filter(({ name }) => name !== 'edit');
    expect(known.sort()).toEqual(kept.map((event) => event.event_id).sort());
    expect(bob.query('get_channels')).toMatchObject([
      { name: 'general', messages: 1, retention_ms: 7 * 86_400_000 },
    ]);
    const { channel_id } = bob.query<{ channel_id: string }>('get_channels')[0]!;
    expect(bob.query('get_messages', { channel_id, limit: 5 })).toMatchObject([{ text: 'bleibt' }]);
    expect(bob.query('get_reactions', { channel_id, limit: 5 })).toMatchObject([{ emoji: '👍' }]);
    expect(bob.query('is_removed_device', { device_id: CAROL })).toHaveLength(1);
    expect(bob.query('get_rights', { user_id: null })).toEqual([]);
    expect(bob.query('get_invites')).toMatchObject([{ revoked: true, used: 1 }]);
  });

  it.each(golden('refused.json').map((vector) => [vector.name, vector] as const))(
    'refuses %s, by the rule of that name',
    (_name, { rule, item }) => {
      const bob = newcomer();
      const counters = () => new Map(bob.engine.pipeline.counters);
      const rows = () =>
        bob.all('SELECT count(*) AS events, (SELECT count(*) FROM waiting) AS waiting FROM event');
      bob.clock.pass(1_000);
      const [counted, had] = [counters(), rows()];
      hear(bob, [bytes(item)]);
      const news = [...counters()].filter(([name, times]) => counted.get(name) !== times);
      expect(news).toContainEqual([`rejected:${rule}`, (counted.get(`rejected:${rule}`) ?? 0) + 1]);
      // Nothing waits or fails; of a wrap that does not fit it is noted, too.
      expect(news.filter(([name]) => !name.startsWith('rejected:'))).toEqual([]);
      expect(rows()).toEqual(had);
    },
  );

  it('has a vector of every type that travels', () => {
    const travelling = [...quietProtocol.types.values()].filter(({ value }) => value.class !== 'local');
    const shown = new Set([...EVENTS.map(({ type }) => type), ...TRANSIENT_TYPES]);
    expect([...shown].sort()).toEqual(travelling.map(({ value }) => value.name).sort());
  });

  it('makes a database of the shape that is in schema.sql', () => {
    const node = new TestNode();
    const version = node.all('PRAGMA user_version')[0]?.user_version;
    const statements = node
      .all(
        "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY CASE type WHEN 'table' THEN 0 WHEN 'index' THEN 1 ELSE 2 END, name",
      )
      .map(({ sql }) => `${sql};\n`);
    expectGolden('schema.sql', [`PRAGMA user_version = ${version};\n`, ...statements].join('\n'));
  });
});

// --- what another implementation makes of it ------------------------------------------------------------------------------------------------

describe('another implementation', () => {
  it.each(EVENTS.map(({ name }) => name))('makes the same event: %s', (name) => {
    const { events } = golden('events.json');
    const event = events.find((candidate) => candidate.name === name)!;
    const { header_fields, sealed } = event;
    const body = independent.encode(independent.fromVector(event.body));
    let body_bytes = body;
    if (sealed !== null) {
      const content_key = bytes(sealed.content_key);
      const plaintext = independent.encode([event.type, body]);
      expect(hex(plaintext)).toBe(sealed.plaintext);
      expect(hex(independent.commitment(content_key))).toBe(header_fields.key_commitment);
      expect(hex(independent.associatedData(header_fields))).toBe(sealed.associated_data);
      body_bytes = independent.sealBody(content_key, header_fields, plaintext);
      const channel = sealed.channel === null ? null : bytes(sealed.channel);
      const group_key = bytes(sealed.group_key);
      const key_id = independent.keyId(
        group_key,
        bytes(header_fields.group!),
        channel,
        sealed.key_expires_ms,
      );
      expect(hex(key_id)).toBe(sealed.key_id);
      expect(hex(independent.wrap(group_key, bytes(event.event_id), key_id, content_key))).toBe(sealed.wrap);
    }
    expect(hex(body_bytes)).toBe(event.body_bytes);
    expect(hex(independent.hash(body_bytes))).toBe(event.body_hash);
    const header = independent.headerBytes(header_fields, bytes(event.body_hash));
    expect(hex(header)).toBe(event.header);
    const event_id = independent.eventId(header_fields.created_ms, header);
    expect(hex(event_id)).toBe(event.event_id);
    const seed = bytes(event.author_seed);
    expect(hex(independent.publicKey(seed))).toBe(header_fields.author);
    expect(hex(independent.sign(seed, event_id))).toBe(event.signature);
  });

  it('makes the same keys', () => {
    const { ids, box, expiry } = golden('keys.json');
    for (const { group_key, group, channel, expires_ms, key_id } of ids)
      expect(
        hex(
          independent.keyId(
            bytes(group_key),
            bytes(group),
            channel === null ? null : bytes(channel),
            expires_ms,
          ),
        ),
      ).toBe(key_id);
    expect(hex(independent.prekeyOf(bytes(box.prekey_secret)))).toBe(box.prekey);
    const sealed = independent.sealKey(bytes(box.prekey), bytes(box.group_key), bytes(box.ephemeral_secret));
    expect(hex(sealed)).toBe(box.sealed);
    expect(hex(independent.openKey(bytes(box.prekey_secret), sealed))).toBe(box.group_key);
    for (const { now_ms, expires_ms, key_expires_ms } of expiry)
      expect(independent.keyExpiry(now_ms, expires_ms)).toBe(key_expires_ms);
  });

  it('makes the same frame', () => {
    const { items, frame, packed } = golden('frames.json');
    const of = (name: string) => {
      const { header, signature, body_bytes } = named(name);
      return [header, signature, body_bytes].map(bytes);
    };
    const { key_id, wrap } = named('message').sealed!;
    const made = {
      public_event: [0, ...of('address')],
      sealed_event: [0, ...of('message'), [[bytes(key_id), bytes(wrap)]]],
      transient: [1, 'sync_refused', independent.encode({ introduced: false })],
      header: [2, ...of('message').slice(0, 2)],
    };
    expect(Object.entries(made).map(([name, item]) => [name, hex(independent.encode(item))])).toEqual(
      Object.entries(items),
    );
    expect(hex(independent.encode([1, Object.values(made)]))).toBe(frame);
    expect(hex(independent.packed(bytes(frame)))).toBe(packed);
    expect(unpack(bytes(packed))).toEqual(bytes(frame));
  });

  it.each(TRANSIENT_TYPES.map((type, at) => [type, at] as const))(
    'makes the same transient: %s (%i)',
    (type, at) => {
      const { body, item } = golden('transients.json')[at]!;
      const fields = independent.fromVector(body) as Record<string, unknown>;
      expect(hex(independent.encode([1, type, independent.encode(fields)]))).toBe(item);
    },
  );

  it('makes the same proof and the same links', () => {
    const { person_link, device_link, ...joining } = golden('joining.json');
    const secret = bytes(joining.invite_secret);
    const [network, device] = [bytes(joining.network), bytes(joining.joining_device)];
    const message = independent.proofMessage(network, device);
    expect(hex(message)).toBe(joining.proof_message);
    expect(hex(independent.publicKey(secret))).toBe(joining.invite_key);
    expect(hex(independent.sign(secret, message))).toBe(joining.invite_proof);
    const fields = [
      1,
      network,
      bytes(joining.invite_id),
      secret,
      bytes(joining.inviting_device),
      joining.addresses,
    ];
    expect(independent.link('sotto://join/', fields)).toBe(person_link);
    expect(independent.link('sotto://link/', [...fields, bytes(joining.user)])).toBe(device_link);
  });

  it('has the same handshake, and seals the same frames', () => {
    const session = golden('session.json');
    const network = bytes(session.network);
    const responder = { seed: bytes(session.responder_seed), ephemeral: bytes(session.responder_ephemeral) };
    const initiator = { seed: bytes(session.initiator_seed), ephemeral: bytes(session.initiator_ephemeral) };
    const hint = independent.hintFor(network, bytes(session.salt), independent.publicKey(responder.seed));
    expect(hex(hint)).toBe(session.hint);
    expect(hex(independent.pskFor(network))).toBe(session.psk);
    const { messages, keys } = independent.handshake(network, bytes(session.salt), initiator, responder);
    expect(messages.map(hex)).toEqual(session.handshake);
    const sealed = keys.map((key) =>
      session.frames.map((frame, number) => hex(independent.frameSeal(key, number, bytes(frame)))),
    );
    expect(sealed).toEqual([session.from_initiator, session.from_responder]);
  });

  it('compares sets in the same words', () => {
    const { ids, fingerprint, opening, answering_ids, answer } = golden('sync.json');
    expect(hex(independent.fingerprint(ids))).toBe(fingerprint);
    expect(hex(independent.openingMessage(ids))).toBe(opening);
    expect(hex(independent.listingMessage(answering_ids))).toBe(answer);
  });

  it('reads everything that a real node has written, from its keys alone', () => {
    const world = new World({ seed: 11 });
    world.found('alice');
    world.join('alice', 'bob');
    const message_id = world.say('bob', 'helo');
    world.node('bob').engine.command('edit_message', 1, { message_id, text: 'hello' });
    world.node('bob').engine.command('react', 1, { message_id, emoji: '👍' });
    world.node('bob').engine.command('create_group', 1, { name: 'two', member_ids: [world.userOf('alice')] });
    world.gather();
    const alice = world.node('alice');
    const secrets = (table: string) =>
      alice
        .all(`SELECT s.secret FROM ${table} t JOIN key_slot s ON s.id = t.slot`)
        .map((row) => row.secret as Uint8Array);
    const prekeys = new Map(
      secrets('prekey_secret').map((secret) => [hex(independent.prekeyOf(secret)), secret]),
    );
    const group_keys = new Map<string, Uint8Array>();
    for (const { key_id, group_id, channel_id, expires_ms, secret } of alice.all(
      'SELECT k.id AS key_id, k.group_id, k.channel_id, k.expires_ms, s.secret FROM group_key k JOIN key_slot s ON s.id = k.slot',
    ) as {
      key_id: Uint8Array;
      group_id: Uint8Array;
      channel_id: Uint8Array | null;
      expires_ms: number;
      secret: Uint8Array;
    }[]) {
      expect(hex(independent.keyId(secret, group_id, channel_id, expires_ms))).toBe(hex(key_id));
      group_keys.set(hex(key_id), secret);
    }
    const read: string[] = [];
    for (const stored of storedEvents(alice)) {
      const { body_hash, ...fields } = independent.readHeader(stored.header);
      const event_id = independent.eventId(fields.created_ms, stored.header);
      expect(hex(event_id)).toBe(stored.event_id);
      expect(hex(independent.headerBytes(fields, body_hash))).toBe(hex(stored.header));
      expect(hex(independent.hash(stored.body))).toBe(hex(body_hash));
      expect(independent.isSignedBy(stored.signature, event_id, bytes(fields.author))).toBe(true);
      let [type, body] = [fields.type, stored.body];
      if (type === null) {
        const { key_id, sealed } = stored.wraps[0]!;
        const content_key = independent.unwrap(group_keys.get(key_id)!, event_id, bytes(key_id), sealed);
        expect(hex(independent.commitment(content_key))).toBe(fields.key_commitment);
        [type, body] = independent.decode(independent.openBody(content_key, fields, stored.body)) as [
          string,
          Uint8Array,
        ];
      }
      const decoded = independent.decode(body) as Record<string, unknown>;
      if (type === 'key' && hex(decoded.device_id as Uint8Array) === world.device('alice')) {
        const secret = independent.openKey(
          prekeys.get(hex(decoded.prekey as Uint8Array))!,
          decoded.sealed as Uint8Array,
        );
        expect(hex(secret)).toBe(hex(group_keys.get(hex(decoded.key_id as Uint8Array))!));
        read.push('a key for this device');
      }
      read.push(type === 'edit' ? (decoded.text as string) : type);
    }
    const expected = [
      'network',
      'user',
      'peer',
      'prekey',
      'invite',
      'admit',
      'profile',
      'title',
      'channel',
      'group',
      'reaction',
      'key',
    ];
    expect(read).toEqual(expect.arrayContaining([...expected, 'hello', 'a key for this device']));
  });
});
