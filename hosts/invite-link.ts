/**
 * The links by which one gets in: everything a newcomer needs to find the network, to check that it is the right one, and to be let in. They
 * hold a secret: whoever has a person's link can join, and whoever has a device's link joins as its maker.
 *
 *     sotto://join/<base64url of CBOR [1, network id, invite id, secret, device of the inviter, [address, ...]]>            a new person
 *     sotto://link/<base64url of CBOR [1, network id, invite id, secret, device of the inviter, [address, ...], user id]>   a user's next device
 */
import { SottoError } from '../core/assert.ts';
import { type CborValue, decode, encode } from '../core/cbor.ts';
import type { Id } from '../core/fields.ts';

export interface InviteLink {
  readonly network_id: Id;
  readonly invite_id: Id;
  /** 32 bytes. Never printed but inside the link. */
  readonly secret: Uint8Array;
  /** The device to connect to first. */
  readonly device_id: Id;
  /** Where it may be reached, `host:port` each. */
  readonly addresses: readonly string[];
  /** Whose further device joins; null: a new person does. */
  readonly user_id: Id | null;
}

const FOR_PERSON = 'sotto://join/';
const FOR_DEVICE = 'sotto://link/';
const VERSION = 1;
const LENGTH_MAX = 4_096;
const ADDRESSES_MAX = 8;

export function encodeInviteLink(link: InviteLink): string {
  const bytes = encode([
    VERSION,
    Uint8Array.fromHex(link.network_id),
    Uint8Array.fromHex(link.invite_id),
    link.secret,
    Uint8Array.fromHex(link.device_id),
    link.addresses.slice(0, ADDRESSES_MAX),
    ...(link.user_id === null ? [] : [Uint8Array.fromHex(link.user_id)]),
  ]);
  const prefix = link.user_id === null ? FOR_PERSON : FOR_DEVICE;
  return prefix + bytes.toBase64({ alphabet: 'base64url', omitPadding: true });
}

/** Throws `SottoError('bad_link')`; the message never quotes the link. */
export function decodeInviteLink(text: string): InviteLink {
  const trimmed = text.trim();
  const prefix = [FOR_PERSON, FOR_DEVICE].find((candidate) => trimmed.startsWith(candidate));
  if (prefix === undefined) throw badLink(`expected it to begin with ${FOR_PERSON} or ${FOR_DEVICE}`);
  if (trimmed.length > LENGTH_MAX) throw badLink('it is too long');
  let fields: CborValue;
  try {
    fields = decode(Uint8Array.fromBase64(trimmed.slice(prefix.length), { alphabet: 'base64url' }));
  } catch {
    throw badLink(DAMAGED);
  }
  const length = prefix === FOR_PERSON ? 6 : 7;
  if (!Array.isArray(fields) || fields[0] !== VERSION || fields.length !== length)
    throw badLink('it is of a version that this node does not know');
  const [, network_id, invite_id, secret, device_id, addresses, user_id] = fields as readonly CborValue[];
  if (!isKey(network_id) || !isKey(invite_id) || !isKey(secret) || !isKey(device_id)) throw badLink(DAMAGED);
  if (user_id !== undefined && !isKey(user_id)) throw badLink(DAMAGED);
  if (
    !Array.isArray(addresses) ||
    addresses.length > ADDRESSES_MAX ||
    !addresses.every((address) => typeof address === 'string')
  ) {
    throw badLink('its addresses have not the form they must have');
  }
  return {
    network_id: network_id.toHex(),
    invite_id: invite_id.toHex(),
    secret,
    device_id: device_id.toHex(),
    addresses: addresses as readonly string[],
    user_id: user_id?.toHex() ?? null,
  };
}

const DAMAGED = 'it is damaged; copy it again, whole';

function isKey(value: CborValue | undefined): value is Uint8Array {
  return value instanceof Uint8Array && value.length === 32;
}

function badLink(what: string): SottoError {
  return new SottoError('bad_link', `This is no invite link: ${what}.`);
}
