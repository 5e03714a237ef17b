/** Signatures against RFC 8032, and everything that must not verify. */

import { createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { publicKeyOf, signerFromSeed, signOnce, verify, x25519PublicKey } from './sign.ts';
import { sodium } from './sodium.ts';

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
const hex = (value: Uint8Array) => Buffer.from(value).toString('hex');

/** RFC 8032, section 7.1: tests 1 to 3, 1024, and SHA(abc). */
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
  {
    seed: 'f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5',
    public_key: '278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e',
    message: [
      '08b8b2b733424243760fe426a4b54908632110a66c2f6591eabd3345e3e4eb98fa6e264bf09efe12ee50f8f54e9f77b1e355',
      'f6c50544e23fb1433ddf73be84d879de7c0046dc4996d9e773f4bc9efe5738829adb26c81b37c93a1b270b20329d658675fc',
      '6ea534e0810a4432826bf58c941efb65d57a338bbd2e26640f89ffbc1a858efcb8550ee3a5e1998bd177e93a7363c344fe6b',
      '199ee5d02e82d522c4feba15452f80288a821a579116ec6dad2b3b310da903401aa62100ab5d1a36553e06203b33890cc9b8',
      '32f79ef80560ccb9a39ce767967ed628c6ad573cb116dbefefd75499da96bd68a8a97b928a8bbc103b6621fcde2beca1231d',
      '206be6cd9ec7aff6f6c94fcd7204ed3455c68c83f4a41da4af2b74ef5c53f1d8ac70bdcb7ed185ce81bd84359d44254d9562',
      '9e9855a94a7c1958d1f8ada5d0532ed8a5aa3fb2d17ba70eb6248e594e1a2297acbbb39d502f1a8c6eb6f1ce22b3de1a1f40',
      'cc24554119a831a9aad6079cad88425de6bde1a9187ebb6092cf67bf2b13fd65f27088d78b7e883c8759d2c4f5c65adb7553',
      '878ad575f9fad878e80a0c9ba63bcbcc2732e69485bbc9c90bfbd62481d9089beccf80cfe2df16a2cf65bd92dd597b0707e0',
      '917af48bbb75fed413d238f5555a7a569d80c3414a8d0859dc65a46128bab27af87a71314f318c782b23ebfe808b82b0ce26',
      '401d2e22f04d83d1255dc51addd3b75a2b1ae0784504df543af8969be3ea7082ff7fc9888c144da2af58429ec96031dbcad3',
      'dad9af0dcbaaaf268cb8fcffead94f3c7ca495e056a9b47acdb751fb73e666c6c655ade8297297d07ad1ba5e43f1bca32301',
      '651339e22904cc8c42f58c30c04aafdb038dda0847dd988dcda6f3bfd15c4b4c4525004aa06eeff8ca61783aacec57fb3d1f',
      '92b0fe2fd1a85f6724517b65e614ad6808d6f6ee34dff7310fdc82aebfd904b01e1dc54b2927094b2db68d6f903b68401ade',
      'bf5a7e08d78ff4ef5d63653a65040cf9bfd4aca7984a74d37145986780fc0b16ac451649de6188a7dbdf191f64b5fc5e2ab4',
      '7b57f7f7276cd419c17a3ca8e1b939ae49e488acba6b965610b5480109c8b17b80e1b7b750dfc7598d5d5011fd2dcc5600a3',
      '2ef5b52a1ecc820e308aa342721aac0943bf6686b64b2579376504ccc493d97e6aed3fb0f9cd71a43dd497f01f17c0e2cb37',
      '97aa2a2f256656168e6c496afc5fb93246f6b1116398a346f1a641f3b041e989f7914f90cc2c7fff357876e506b50d334ba7',
      '7c225bc307ba537152f3f1610e4eafe595f6d9d90d11faa933a15ef1369546868a7f3a45a96768d40fd9d03412c091c6315c',
      'f4fde7cb68606937380db2eaaa707b4c4185c32eddcdd306705e4dc1ffc872eeee475a64dfac86aba41c0618983f8741c5ef',
      '68d3a101e8a3b8cac60c905c15fc910840b94c00a0b9d0',
    ].join(''),
    signature:
      '0aab4c900501b3e24d7cdf4663326a3a87df5e4843b2cbdb67cbf6e460fec350aa5371b1508f9f4528ecea23c436d94b5e8fcd4f681e30a6ac00a9704a188a03',
  },
  {
    seed: '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42',
    public_key: 'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
    message:
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    signature:
      'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704',
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
  test.each(rfc_8032)('gives the signature of RFC 8032 by $public_key', (vector) => {
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
