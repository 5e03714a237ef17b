/** Packs items that are due to one session into frames: few, since each costs a message, and none near the limit. */
import { encodeFrame } from '../core/event-codec.ts';
import { limits } from '../core/limits.ts';

/** Bytes after which a frame is closed and the next begun. */
const FRAME_BYTES_TARGET = 512 * 1024;

export function* framesOf(items: readonly Uint8Array[]): Generator<Uint8Array> {
  let batch: Uint8Array[] = [];
  let bytes = 0;
  for (const item of items) {
    if (
      batch.length > 0 &&
      (bytes + item.length > FRAME_BYTES_TARGET || batch.length >= limits.frame_items_max)
    ) {
      yield encodeFrame(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += item.length;
  }
  if (batch.length > 0) yield encodeFrame(batch);
}
