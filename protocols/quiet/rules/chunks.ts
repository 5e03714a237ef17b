/** How jobs hand over many events: a full batch is so many chunks of so many, a few milliseconds each, and the job is run again for more. */
import type { Id } from '../../../core/fields.ts';

export const CHUNK = 128;
export const CHUNKS = 4;

export function chunksOf(ids: readonly Id[]): Id[][] {
  const chunks: Id[][] = [];
  for (let from = 0; from < ids.length; from += CHUNK) chunks.push(ids.slice(from, from + CHUNK));
  return chunks;
}
