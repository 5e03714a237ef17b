/** A thread that verifies signatures for `ceiling.ts`. It needs no secret: the header is signed in clear. */
import { parentPort } from 'node:worker_threads';
import { type CborValue, decode } from '../../core/cbor.ts';
import { blake2b256 } from '../../crypto/hash.ts';
import { verify } from '../../crypto/sign.ts';

export interface ToVerify {
  readonly number: number;
  readonly batch: readonly { readonly header: Uint8Array; readonly signature: Uint8Array }[];
}
export interface Verified {
  readonly number: number;
  /** 32 bytes each. */
  readonly ids: Uint8Array;
  /** 1: signed by its author. */
  readonly good: Uint8Array;
}

const AUTHOR = 4;
const CREATED_MS = 7;

parentPort?.on('message', ({ number, batch }: ToVerify) => {
  const ids = new Uint8Array(batch.length * 32);
  const view = new DataView(ids.buffer);
  const good = new Uint8Array(batch.length);
  batch.forEach(({ header, signature }, at) => {
    const fields = decode(header) as readonly CborValue[];
    const created_ms = fields[CREATED_MS] as number;
    view.setUint16(at * 32, Math.floor(created_ms / 2 ** 32));
    view.setUint32(at * 32 + 2, created_ms % 2 ** 32);
    ids.set(blake2b256(header).subarray(0, 26), at * 32 + 6);
    good[at] = verify(signature, ids.subarray(at * 32, at * 32 + 32), fields[AUTHOR] as Uint8Array) ? 1 : 0;
  });
  parentPort?.postMessage({ number, ids, good } satisfies Verified, [ids.buffer, good.buffer]);
});
parentPort?.postMessage('ready');
