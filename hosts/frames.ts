/** Packs items that are due to one session into frames: few, since each costs a message, and none near the limit. */
import { encodeFrame } from '../core/frame-codec.ts';
import { limits } from '../core/limits.ts';

/** Bytes after which a frame is closed and the next begun. */
const FRAME_BYTES_TARGET = 512 * 1024;

/** An item, and whether what follows belongs in another frame. */
export interface Sent {
  readonly item: Uint8Array;
  readonly ends_frame?: boolean;
}

export function* framesOf(items: readonly Sent[]): Generator<Uint8Array> {
  let batch: Uint8Array[] = [];
  let bytes = 0;
  for (const { item, ends_frame } of items) {
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
    if (ends_frame !== true) continue;
    yield encodeFrame(batch);
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield encodeFrame(batch);
}
