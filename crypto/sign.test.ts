/** Signatures against RFC 8032, and everything that must not verify. */

import { createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { publicKeyOf, signerFromSeed, signOnce, verify, x25519PublicKey } from './sign.ts';
import { sodium } from './sodium.ts';

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
const hex = (value: Uint8Array) => Buffer.from(value).toString('hex');

/** RFC 8032, section 7.1, tests 1 to 3. */
const rfc_8032 = [
  {
    seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    public_key: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    public_key: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    public_key: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
];

/** The points of order 1, 2, 4 and 8, in canonical form and with y + p. */
const small_order_points = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
];

const message = new TextEncoder().encode('Alice was here');
const alice = signerFromSeed(new Uint8Array(32).fill(1));
const signature = alice.sign(message);

function flipped(value: Uint8Array, bit: number): Uint8Array {
  const copy = value.slice();
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}

describe('signing', () => {
  test.each(rfc_8032)('gives the signature of RFC 8032 for "$message"', (vector) => {
    const signer = signerFromSeed(bytes(vector.seed));
    expect(hex(signer.public_key)).toBe(vector.public_key);
    expect(hex(signer.sign(bytes(vector.message)))).toBe(vector.signature);
    expect(verify(bytes(vector.signature), bytes(vector.message), bytes(vector.public_key))).toBe(true);
  });

  test('a destroyed signer signs nothing and has forgotten its keys', () => {
    const signer = signerFromSeed(new Uint8Array(32).fill(3));
    const { secretKey } = signer.dh_keypair();
    signer.destroy();
    expect(secretKey.every((byte) => byte === 0)).toBe(true);
    expect(() => signer.sign(message)).toThrow(/destroyed/);
    expect(() => signer.dh_keypair()).toThrow(/destroyed/);
  });

  test('once, with a seed, gives the same, and any number of times', () => {
    const seed = new Uint8Array(32).fill(1);
    expect(publicKeyOf(seed)).toEqual(alice.public_key);
    // Locked memory is scarce: one allocation a signature would end the process long before this.
    for (let count = 0; count < 40_000; count += 1) signOnce(seed, message);
    expect(signOnce(seed, message)).toEqual(signature);
    expect(() => signOnce(new Uint8Array(31), message)).toThrow(RangeError);
  });

  test('a seed of another length is refused', () => {
    expect(() => signerFromSeed(new Uint8Array(31))).toThrow(RangeError);
  });
});

describe('verifying', () => {
  test('takes what was signed', () => {
    expect(verify(signature, message, alice.public_key)).toBe(true);
  });

  test('refuses every flipped bit of signature, message and key', () => {
    for (let bit = 0; bit < 512; bit += 1) {
      expect(verify(flipped(signature, bit), message, alice.public_key)).toBe(false);
    }
    for (let bit = 0; bit < message.length * 8; bit += 1) {
      expect(verify(signature, flipped(message, bit), alice.public_key)).toBe(false);
    }
    for (let bit = 0; bit < 256; bit += 1) {
      expect(verify(signature, message, flipped(alice.public_key, bit))).toBe(false);
    }
  });

  test('refuses S + L, which solves the same equation', () => {
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const s = BigInt(`0x${hex(signature.slice(32).reverse())}`);
    const malleated = new Uint8Array(signature);
    malleated.set(bytes((s + order).toString(16).padStart(64, '0')).reverse(), 32);
    expect(verify(malleated, message, alice.public_key)).toBe(false);
  });

  test.each(small_order_points)('refuses the small-order key %s', (point) => {
    // R = the point itself and S = 0 satisfy a lax equation for some messages.
    const lax = new Uint8Array(64);
    lax.set(bytes(point));
    const identity = new Uint8Array(64);
    identity[0] = 1;
    for (let byte = 0; byte < 32; byte += 1) {
      expect(verify(lax, new Uint8Array([byte]), bytes(point))).toBe(false);
      expect(verify(identity, new Uint8Array([byte]), bytes(point))).toBe(false);
    }
  });

  test('refuses other lengths and other things, without throwing', () => {
    expect(verify(signature.subarray(0, 63), message, alice.public_key)).toBe(false);
    expect(verify(new Uint8Array([...signature, 0]), message, alice.public_key)).toBe(false);
    expect(verify(new Uint8Array(0), message, alice.public_key)).toBe(false);
    expect(verify(signature, message, alice.public_key.subarray(1))).toBe(false);
    expect(verify(signature, message, new Uint8Array(0))).toBe(false);
    expect(verify(signature, 'Alice was here' as never, alice.public_key)).toBe(false);
    expect(verify(undefined as never, null as never, {} as never)).toBe(false);
  });

  test('an answer that is not true is a refusal', () => {
    const library = sodium.crypto_sign_verify_detached;
    try {
      sodium.crypto_sign_verify_detached = () => undefined;
      expect(verify(signature, message, alice.public_key)).toBe(false);
    } finally {
      sodium.crypto_sign_verify_detached = library;
    }
  });
});

describe('the X25519 form', () => {
  test('of the public key belongs to that of the secret key', () => {
    const keypair = alice.dh_keypair();
    expect(x25519PublicKey(alice.public_key)).toEqual(keypair.publicKey);
    // Node's own OpenSSL must agree on what the pair is.
    const prefix = bytes('302e020100300506032b656e04220420');
    const private_key = createPrivateKey({
      key: Buffer.concat([prefix, keypair.secretKey]),
      format: 'der',
      type: 'pkcs8',
    });
    const der = createPublicKey(private_key).export({ format: 'der', type: 'spki' });
    expect(hex(der.subarray(-32))).toBe(hex(keypair.publicKey));
    expect(diffieHellman({ privateKey: private_key, publicKey: createPublicKey(private_key) })).toHaveLength(
      32,
    );
  });

  test.each([...small_order_points, 'ff'.repeat(32), '02'.repeat(31), ''])('of %s is none', (point) => {
    expect(x25519PublicKey(bytes(point))).toBeNull();
  });
});
