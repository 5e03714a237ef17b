/**
 * How a sealed event hangs together. Its body is sealed under a content key that seals nothing else; the signed header commits to that key; and
 * the content key is sealed once more (a wrap) under a group key. So id, ciphertext and content key fix one plaintext, a wrap is judged with the
 * group key alone, and two devices that wrap alike make the same bytes.
 */
import type { Header } from '../../../core/envelope.ts';
import type { Id } from '../../../core/fields.ts';
import { encodeHeader, withoutBodyHash } from '../../../core/header-codec.ts';
import { blake2b256, keyedHash } from '../../../crypto/hash.ts';
import { seal, seal_bytes, seal_key_bytes, seal_nonce_bytes, unseal } from '../../../crypto/seal.ts';

const utf8 = new TextEncoder();
const COMMITMENT = utf8.encode('sotto content key v1\0');
const WRAP = utf8.encode('sotto wrap v1\0');
/** A content key seals one body, so that one nonce will do for all of them. */
const BODY_NONCE = new Uint8Array(seal_nonce_bytes);
const NO_HASH = '00'.repeat(32);
const NO_CHANNEL = new Uint8Array(32);

/** What the header says of the content key: BLAKE2b-256 of a label and the key. */
export function commitmentTo(content_key: Uint8Array): Id {
  return blake2b256(COMMITMENT, content_key).toHex();
}

/** The header is associated data of its body: with zeros in place of the body's hash, which is only known afterwards. */
export function sealBody(content_key: Uint8Array, header: Header, plaintext: Uint8Array): Uint8Array {
  return seal(content_key, BODY_NONCE, plaintext, encodeHeader({ ...header, body_hash: NO_HASH }));
}

/** `header`: its bytes, as they were signed. */
export function openBody(content_key: Uint8Array, header: Uint8Array, sealed: Uint8Array): Uint8Array | null {
  return unseal(content_key, BODY_NONCE, sealed, withoutBodyHash(header));
}

/** From event and key alone: the one content key of the event is all that is ever sealed under this pair. */
function wrapNonce(event_id: IdOrBytes, key_id: IdOrBytes): Uint8Array {
  return blake2b256(WRAP, bytesOf(event_id), bytesOf(key_id)).subarray(0, seal_nonce_bytes);
}

/** A wrap: the content key, and what sealing adds to it. */
export const wrap_bytes = seal_key_bytes + seal_bytes;

/** Where many are wrapped, their ids are at hand as bytes. */
type IdOrBytes = Id | Uint8Array;
const bytesOf = (id: IdOrBytes): Uint8Array => (typeof id === 'string' ? Uint8Array.fromHex(id) : id);

export function wrapContentKey(
  group_key: Uint8Array,
  event_id: IdOrBytes,
  key_id: IdOrBytes,
  content_key: Uint8Array,
): Uint8Array {
  return seal(group_key, wrapNonce(event_id, key_id), content_key, WRAP);
}

export function unwrapContentKey(
  group_key: Uint8Array,
  event_id: IdOrBytes,
  key_id: IdOrBytes,
  sealed: Uint8Array,
): Uint8Array | null {
  return unseal(group_key, wrapNonce(event_id, key_id), sealed, WRAP);
}

/**
 * A group key's id: a hash under the key itself of what it is for, so that whoever has the key can tell that nobody has lied about its group,
 * channel or expiry, and who does not have it learns nothing.
 */
export function keyIdOf(
  group_key: Uint8Array,
  { group_id, channel_id, expires_ms }: { group_id: Id; channel_id: Id | null; expires_ms: number },
): Id {
  const expiry = new Uint8Array(8);
  new DataView(expiry.buffer).setBigUint64(0, BigInt(expires_ms));
  const channel = channel_id === null ? NO_CHANNEL : Uint8Array.fromHex(channel_id);
  return keyedHash(group_key, 'sotto group key v1', Uint8Array.fromHex(group_id), channel, expiry).toHex();
}
