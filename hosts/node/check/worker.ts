/** Checks the signatures of a frame's events, in a thread of its own. Needs no secret: headers are signed in clear. */
import { parentPort } from 'node:worker_threads';
import { decodeFrame, type FrameItem } from '../../../core/frame-codec.ts';
import { decodeHeader, eventIdOf } from '../../../core/header-codec.ts';
import { blake2b256 } from '../../../crypto/hash.ts';
import { verify } from '../../../crypto/sign.ts';

export interface Asked {
  readonly number: number;
  readonly frame: Uint8Array;
}
export interface Answered {
  readonly number: number;
  /** Places of the events whose signature holds. */
  readonly holds: readonly number[];
}

parentPort?.on('message', ({ number, frame }: Asked) => {
  const answered: Answered = { number, holds: placesIn(frame) };
  parentPort?.postMessage(answered);
});

function placesIn(frame: Uint8Array): number[] {
  let items: FrameItem[];
  try {
    items = decodeFrame(frame);
  } catch {
    // Whoever takes it in says what is wrong with it.
    return [];
  }
  return items.flatMap((item, place) => (item.item === 'event' && signatureHolds(item.raw) ? [place] : []));
}

function signatureHolds({
  header,
  signature,
}: {
  readonly header: Uint8Array;
  readonly signature: Uint8Array;
}): boolean {
  try {
    const { created_ms, author } = decodeHeader(header);
    const event_id = eventIdOf(created_ms, blake2b256(header));
    return verify(signature, Uint8Array.fromHex(event_id), Uint8Array.fromHex(author));
  } catch {
    return false;
  }
}
