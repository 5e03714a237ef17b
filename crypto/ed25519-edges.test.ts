/**
 * Signatures that nobody makes by accident. What ours must refuse, it refuses; where libraries legitimately differ, it
 * says here which side ours is on, because two peers that differ about one signature differ about history from then on.
 *
 * Ours and libsodium for WebAssembly verify without cofactor: they compute R = S·B - h·A and compare its bytes with those
 * of the signature. Noble, even when told to be strict, verifies with cofactor: both sides times eight are one point.
 */

import { ED25519_TORSION_SUBGROUP, ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { describe, expect, test } from 'vitest';
import {
  answerOf,
  bytes,
  ed25519_small_order,
  ed25519_small_order_other_forms,
  field_prime,
  fromLittleEndian,
  hex,
  joined,
  littleEndian,
  utf8,
  wasm,
} from './others.testing.ts';
import { signerFromSeed, verify } from './sign.ts';

const { Point } = ed25519;
const order = 2n ** 252n + 27742317777372353535851937790883648493n;

const message = utf8('Alice was here');
const alice = signerFromSeed(new Uint8Array(32).fill(1));
const signature = alice.sign(message);
const [r_bytes, s_bytes] = [signature.subarray(0, 32), signature.subarray(32)];

/** A secret scalar and a nonce of an attacker, who needs no seed. */
const [a, r] = [123_456_789_123_456_789n, 987_654_321_987_654_321n];
const honest_key = Point.BASE.multiply(a).toBytes();
const honest_r = Point.BASE.multiply(r).toBytes();

const torsion = ED25519_TORSION_SUBGROUP.map((point) => Point.fromHex(point));
const every_small_order = [...ed25519_small_order, ...ed25519_small_order_other_forms];

const hashOf = (r_part: Uint8Array, key: Uint8Array, text: Uint8Array) =>
  fromLittleEndian(sha512(joined(r_part, key, text))) % order;

interface Verdict {
  readonly ours: boolean;
  readonly wasm: boolean;
  readonly noble: boolean;
}

function verdict(candidate: Uint8Array, text: Uint8Array, key: Uint8Array): Verdict {
  return {
    ours: verify(candidate, text, key),
    wasm: answerOf(() => wasm.crypto_sign_verify_detached(candidate, text, key)) === true,
    noble: answerOf(() => ed25519.verify(candidate, text, key, { zip215: false })) === true,
  };
}
const all_refuse: Verdict = { ours: false, wasm: false, noble: false };
const all_take: Verdict = { ours: true, wasm: true, noble: true };

/** One row per kind: signatures of `message` by Alice's key that are none, whatever the library. */
const refused_by_all: readonly (readonly [string, readonly Uint8Array[]])[] = [
  [
    'S + kL, for every k that fits into 32 bytes',
    Array.from({ length: 15 }, (_, k) =>
      joined(r_bytes, littleEndian(fromLittleEndian(s_bytes) + BigInt(k + 1) * order)),
    ),
  ],
  [
    'S that is L, L - 1, 0, 2^252 or all ones',
    [order, order - 1n, 0n, 2n ** 252n, 2n ** 256n - 1n].map((s) => joined(r_bytes, littleEndian(s))),
  ],
  ['-S', [joined(r_bytes, littleEndian(order - fromLittleEndian(s_bytes)))]],
  ['zeros, or ones', [new Uint8Array(64), new Uint8Array(64).fill(255)]],
  ['S before R', [joined(s_bytes, r_bytes)]],
  ['R twice, or S twice', [joined(r_bytes, r_bytes), joined(s_bytes, s_bytes)]],
  ['the negative of R', [joined(new Uint8Array([...r_bytes.subarray(0, 31), r_bytes[31]! ^ 128]), s_bytes)]],
  [
    'R that is not in canonical form: y from p to 2^255, either sign',
    Array.from({ length: 19 }, (_, y) => field_prime + BigInt(y)).flatMap((y) => [
      joined(littleEndian(y), s_bytes),
      joined(littleEndian(y + 2n ** 255n), s_bytes),
    ]),
  ],
  ['R that is no point', [joined(littleEndian(2n), s_bytes)]],
  ['the signature of another message', [alice.sign(utf8('Alice was her'))]],
  ['the signature of another key', [signerFromSeed(new Uint8Array(32).fill(2)).sign(message)]],
  ['fewer bytes, by 1 to 64', Array.from(signature, (_, length) => signature.subarray(0, length))],
  ['fewer bytes in front', Array.from(signature, (_, length) => signature.subarray(length + 1))],
  ['more bytes', [joined(signature, new Uint8Array(1)), joined(signature, signature)]],
  ['more bytes in front', [joined(new Uint8Array(1), signature)]],
];

describe('a signature', () => {
  test('as such is taken by all', () => {
    expect(verdict(signature, message, alice.public_key)).toEqual(all_take);
  });

  test.each(refused_by_all)('that is %s is refused by all', (_, candidates) => {
    for (const candidate of candidates)
      expect(verdict(candidate, message, alice.public_key)).toEqual(all_refuse);
  });

  test('of a message that is shorter or longer than the signed one is refused by all', () => {
    for (let length = 0; length < message.length; length += 1)
      expect(verdict(signature, message.subarray(0, length), alice.public_key)).toEqual(all_refuse);
    for (const text of [joined(message, new Uint8Array(1)), joined(new Uint8Array(1), message)])
      expect(verdict(signature, text, alice.public_key)).toEqual(all_refuse);
  });
});

describe('a public key', () => {
  test('that is shorter, longer or empty verifies nothing', () => {
    for (let length = 0; length < 32; length += 1)
      expect(verdict(signature, message, alice.public_key.subarray(0, length))).toEqual(all_refuse);
    expect(verdict(signature, message, joined(alice.public_key, new Uint8Array(1)))).toEqual(all_refuse);
  });

  test('that is not in canonical form, or no point, verifies nothing', () => {
    for (let y = 0n; y < 19n; y += 1n) {
      for (const form of [field_prime + y, field_prime + y + 2n ** 255n])
        expect(verdict(signature, message, littleEndian(form))).toEqual(all_refuse);
    }
    expect(verdict(signature, message, littleEndian(2n))).toEqual(all_refuse);
  });

  // With such a key h·A vanishes for one message in eight or more, and then S = r solves the equation without a secret.
  test.each(every_small_order)('of small order (%s) verifies nothing, though the equation holds', (point) => {
    const forged = joined(honest_r, littleEndian(r));
    let solved = 0;
    for (let number = 0; number < 64; number += 1) {
      const text = utf8(`message ${number}`);
      if (hashOf(honest_r, bytes(point), text) % 8n === 0n) solved += 1;
      expect(verdict(forged, text, bytes(point))).toEqual(all_refuse);
    }
    expect(solved).toBeGreaterThan(0);
  });

  test('of small order verifies nothing with any R of small order and S = 0', () => {
    for (const key of every_small_order) {
      for (const r_part of every_small_order) {
        const forged = joined(bytes(r_part), new Uint8Array(32));
        for (let byte = 0; byte < 4; byte += 1) {
          expect(verify(forged, new Uint8Array([byte]), bytes(key))).toBe(false);
          expect(
            answerOf(() => wasm.crypto_sign_verify_detached(forged, new Uint8Array([byte]), bytes(key))),
          ).not.toBe(true);
        }
      }
    }
  });
});

describe('where libraries differ', () => {
  /** S = h·a, so that S·B - h·A is the identity: what the owner of a key can do, and nobody else. */
  const signatureWithR = (r_part: Uint8Array) =>
    joined(r_part, littleEndian((hashOf(r_part, honest_key, message) * a) % order));

  test.each(ed25519_small_order)('R of small order (%s): ours refuses, noble takes it', (point) => {
    expect(verdict(signatureWithR(bytes(point)), message, honest_key)).toEqual({
      ours: false,
      wasm: false,
      noble: true,
    });
  });

  test.each(ed25519_small_order_other_forms)('the same in another form (%s): all refuse', (point) => {
    expect(verdict(signatureWithR(bytes(point)), message, honest_key)).toEqual(all_refuse);
  });

  test('mixed order, in the key, in R or in both: ours takes it where the equation holds without cofactor, noble always', () => {
    let [taken, refused] = [0, 0];
    for (const in_key of torsion) {
      for (const in_r of torsion) {
        const key = Point.BASE.multiply(a).add(in_key).toBytes();
        const r_part = Point.BASE.multiply(r).add(in_r).toBytes();
        for (let number = 0; number < 8; number += 1) {
          const text = utf8(`message ${number}`);
          const h = hashOf(r_part, key, text);
          const candidate = joined(r_part, littleEndian((r + h * a) % order));
          // S·B - h·A is r·B - h·in_key: equal to R if the torsion of both cancels out.
          const cancels = in_key
            .multiplyUnsafe(h % 8n)
            .add(in_r)
            .is0();
          expect(verdict(candidate, text, key)).toEqual({ ours: cancels, wasm: cancels, noble: true });
          if (cancels) taken += 1;
          else refused += 1;
        }
      }
    }
    expect(Math.min(taken, refused)).toBeGreaterThan(20);
  });
});

test('the lists of small-order points are complete: all of them, and each is one', () => {
  expect(new Set(ed25519_small_order)).toEqual(new Set(ED25519_TORSION_SUBGROUP));
  const lax = every_small_order.map((point) => Point.fromBytes(bytes(point), true));
  expect(lax.every((point) => point.isSmallOrder())).toBe(true);
  // Any other encoding of them has y < p with a sign on x = 0, or y >= p; both are tried here.
  const forms = new Set<string>();
  for (const y of lax.map((point) => point.toAffine().y)) {
    for (const form of [y, y + field_prime].filter((value) => value < 2n ** 255n))
      for (const sign of [0n, 2n ** 255n]) forms.add(hex(littleEndian(form + sign)));
  }
  expect(new Set(every_small_order)).toEqual(forms);
});
