/** The vectors of what must be refused: each breaks one rule, and no other. */
import type { Header, RawEvent } from '../../core/envelope.ts';
import { encodeEventItem, encodeTransientItem } from '../../core/frame-codec.ts';
import { decodeHeader, encodeHeader, eventIdOf } from '../../core/header-codec.ts';
import { NEVER_MS } from '../../core/limits.ts';
import { blake2b256 } from '../../crypto/hash.ts';
import { signOnce } from '../../crypto/sign.ts';
import { sealBody, wrapContentKey } from '../../protocols/quiet/handlers/content-key.ts';
import { bytes, hex, decode as independentDecode, encode as independentEncode } from './independent.ts';
import {
  CAROL_SEED,
  DAY_MS,
  type EventVector,
  fill,
  type Make,
  makeFurther as make,
  named,
  rawOf,
  SEED,
  T0_MS,
} from './vectors.ts';

/** What a node refuses that has taken all of `events.json`, and by which rule. */
export function makeRefused() {
  const id = (name: string) => named(name).event_id;
  const refused: { name: string; rule: string; item: string }[] = [];
  const add = (name: string, rule: string, item: Uint8Array) => refused.push({ name, rule, item: hex(item) });
  const address = (faults: Partial<Header> = {}) => make('address', { address: '127.0.0.1:9' }, { faults });
  const itemWith = (event: EventVector, other: Partial<RawEvent>) =>
    encodeEventItem({ ...rawOf(event), ...other });
  /** The same, signed and hashed as it should be. */
  const signed = (header: Uint8Array, created_ms: number, body: Uint8Array) =>
    encodeEventItem({
      header,
      body,
      signature: signOnce(SEED, bytes(eventIdOf(created_ms, blake2b256(header)))),
      wraps: [],
    });
  const withBody = (type: string, fields: Record<string, unknown>, as = address()) => {
    const body = independentEncode(fields);
    const header: Header = { ...headerOf(as), type, body_hash: blake2b256(body).toHex() };
    return signed(encodeHeader(header), header.created_ms, body);
  };

  const plain = address();
  add(
    'signed by somebody else',
    'bad_signature',
    itemWith(plain, { signature: signOnce(CAROL_SEED, bytes(plain.event_id)) }),
  );
  add('another body', 'body_hash_differs', itemWith(plain, { body: bytes(named('address').body_bytes) }));
  add('of another network', 'other_network', encodeEventItem(rawOf(address({ network_id: hex(fill(99)) }))));
  add('run out', 'expired', encodeEventItem(rawOf(address({ expires_ms: T0_MS + 100 }))));
  // The version in two bytes instead of one.
  const longer = Uint8Array.from([
    ...bytes(plain.header).subarray(0, 1),
    0x18,
    ...bytes(plain.header).subarray(1),
  ]);
  add(
    'a header in another encoding',
    'malformed_cbor',
    signed(longer, plain.header_fields.created_ms, bytes(plain.body_bytes)),
  );
  const further = independentEncode([...(independentDecode(bytes(plain.header)) as unknown[]), null]);
  add(
    'a header of fourteen fields',
    'malformed_header',
    signed(further, plain.header_fields.created_ms, bytes(plain.body_bytes)),
  );
  add(
    'a life of more than ten years',
    'malformed_header',
    encodeEventItem(rawOf(address({ expires_ms: T0_MS + 3_651 * DAY_MS }))),
  );
  add(
    'public and sealed at once',
    'public_and_sealed',
    encodeEventItem(rawOf(address({ key_commitment: hex(fill(1)) }))),
  );
  add('a body with a further field', 'malformed_body', withBody('address', { address: 'a:1', port: 1 }));
  add('a body without a field', 'malformed_body', withBody('address', {}));
  add('an id as text', 'malformed_body', withBody('admit', { joiner_id: id('user by invite') }));
  add('a type that never travels', 'local_type_from_network', withBody('standing', {}));
  const key = { key: fill(23), channel: id('channel') };
  const said = make('message', { channel_id: id('channel'), text: 'x' }, { ...key, content_key: fill(40) });
  add(
    'a wrap of another content key',
    'no_wrap_fits',
    itemWith(said, {
      wraps: [
        {
          key_id: said.sealed!.key_id,
          sealed: wrapContentKey(fill(23), said.event_id, said.sealed!.key_id, fill(41)),
        },
      ],
    }),
  );
  const dressed = make(
    'message',
    { channel_id: id('channel'), text: 'x' },
    { ...key, content_key: fill(42), faults: { expires_ms: NEVER_MS } },
  );
  const other_body = sealBody(fill(42), headerOf(said), bytes(said.sealed!.plaintext));
  const header = { ...headerOf(dressed), body_hash: blake2b256(other_body).toHex() };
  const header_bytes = encodeHeader(header);
  const event_id = eventIdOf(header.created_ms, blake2b256(header_bytes));
  add(
    'a body that was sealed for another header',
    'body_does_not_open',
    encodeEventItem({
      header: header_bytes,
      body: other_body,
      signature: signOnce(SEED, bytes(event_id)),
      wraps: [
        {
          key_id: dressed.sealed!.key_id,
          sealed: wrapContentKey(fill(23), event_id, dressed.sealed!.key_id, fill(42)),
        },
      ],
    }),
  );
  const refuse = (name: string, rule: string, ...event: Parameters<Make>) =>
    add(name, rule, encodeEventItem(rawOf(make(...event))));
  const nothing = { device_ids: [], head_seqs: [], head_ids: [], basis_id: null, because_id: null };
  const by = CAROL_SEED;
  refuse(
    'a prekey of eight days',
    'expires_in_time',
    'prekey',
    { public_key: hex(fill(43)) },
    { ttl_ms: 8 * DAY_MS },
  );
  refuse(
    'a prekey of small order',
    'can_be_sealed_to',
    'prekey',
    { public_key: `01${'00'.repeat(31)}` },
    { ttl_ms: DAY_MS },
  );
  refuse(
    'a right given without one',
    'author_may_grant',
    'grant',
    { user_id: id('user by invite'), right: 'admin', basis_id: null },
    { by },
  );
  refuse(
    'a right given by another right',
    'author_may_grant',
    'grant',
    { user_id: id('user by invite'), right: 'admin', basis_id: id('grant') },
    { by },
  );
  refuse(
    'an invite without a right',
    'author_may_invite',
    'invite',
    { invite_key: hex(fill(44)), uses: 1, invite_expires_ms: T0_MS, user_id: null, basis_id: null },
    { by },
  );
  refuse(
    'a removal without a right',
    'author_may_remove',
    'remove',
    { user_id: id('user'), whole_user: true, ...nothing, known_ids: [] },
    { by },
  );
  refuse('a removal of nobody', 'removes_somebody', 'remove', {
    user_id: id('user by invite'),
    whole_user: false,
    ...nothing,
    known_ids: [],
  });
  refuse('a removal with a head too many', 'one_head_per_device', 'remove', {
    user_id: id('user by invite'),
    whole_user: true,
    ...nothing,
    head_seqs: [1],
    known_ids: [],
  });
  refuse('a removal for everybody because of another', 'because_is_for_groups', 'remove', {
    user_id: id('user by invite'),
    whole_user: true,
    ...nothing,
    because_id: id('remove'),
    known_ids: [],
  });
  refuse(
    'a right taken without one',
    'author_may_revoke',
    'revoke',
    { grant_id: id('grant'), ...nothing },
    { by },
  );
  refuse(
    "somebody else's invite taken back",
    'author_may_revoke_invite',
    'revoke-invite',
    { invite_id: id('invite'), basis_id: null },
    { by },
  );
  refuse(
    'a group that begins in the middle',
    'begins_its_chain',
    'group',
    { kind: 'private', member_ids: [] },
    { faults: { seq: 2 } },
  );
  refuse(
    'a reaction to a channel',
    'target_is_a_message',
    'reaction',
    { message_id: id('channel'), emoji: 'x' },
    { ...key, content_key: fill(45) },
  );
  refuse(
    'a deletion of another target than it carries',
    'target_does_not_fit',
    'delete-message',
    { target_header: named('channel').header, target_signature: named('channel').signature, basis_id: null },
    { ...key, content_key: fill(46), target: named('message that lives') },
  );
  const transient = (type: string, fields: Record<string, unknown>) =>
    encodeTransientItem(type, independentEncode(fields));
  add('a transient without a field', 'malformed_body', transient('sync_refused', {}));
  add(
    'a transient with a field too many',
    'malformed_body',
    transient('sync_refused', { introduced: true, by: 1 }),
  );
  return refused;
}

/** The header of a vector, to be changed. */
function headerOf({ header }: EventVector): Header {
  return decodeHeader(bytes(header));
}
