/**
 * When a group key expires. Keys come in classes of life spans, and within a class expire on a grid of a twelfth of it, so that all who write within one cell
 * share a key, and the key dies soon after what it seals.
 */
import { NEVER_MS } from './limits.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const CLASSES_MS = [HOUR_MS, DAY_MS, 7 * DAY_MS, 30 * DAY_MS, 365 * DAY_MS] as const;
/** Cells of the grid per class. */
const GRID = 12;

/** When a key expires that seals something expiring at `expires_ms`. */
export function keyExpiry(now_ms: number, expires_ms: number): number {
  const class_ms = CLASSES_MS.find((candidate) => expires_ms - now_ms <= candidate);
  if (expires_ms === NEVER_MS || class_ms === undefined) return NEVER_MS;
  const cell_ms = class_ms / GRID;
  return Math.ceil((now_ms + class_ms) / cell_ms) * cell_ms;
}
