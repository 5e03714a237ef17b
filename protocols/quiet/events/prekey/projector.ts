import { insert, projector } from '../../../../core/sources.ts';
import { PREKEY_TTL_MS, prekey } from './schema.ts';

/** The X25519 keys to which nothing can be sealed, because everybody would know the shared secret: all points of small order, without the top bit. */
const OF_SMALL_ORDER = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]);

/** The last byte holds the top bit, which X25519 does not look at. */
function withoutTopBit(public_key: string): string {
  const last = Number.parseInt(public_key.slice(62), 16) & 0x7f;
  return public_key.slice(0, 62) + last.toString(16).padStart(2, '0');
}

export const projectPrekey = projector(prekey, {
  rules: {
    /** A prekey for ever would keep what it carried readable for ever. */
    expires_in_time: (_query, event) => event.expires_ms - event.created_ms <= PREKEY_TTL_MS,
    /** Or its device would be owed keys that nobody can give it. */
    can_be_sealed_to: (_query, event) => !OF_SMALL_ORDER.has(withoutTopBit(event.body.public_key)),
  },
  project: (_query, event) => [insert('prekey', { device: event.author, public_key: event.body.public_key })],
});
