/** All vectors, by the file that they are in. */
import { makeRefused } from './refused.ts';
import { makeTransients } from './transients.ts';
import { DEVICE, EVENTS, makeFrames, makeJoining, makeKeys, makeSession, makeSync, SEED } from './vectors.ts';
import { hex } from './independent.ts';

/** By file: what is in it. */
export const FILES = {
  'events.json': () => ({ device_seed: hex(SEED), device: DEVICE, events: EVENTS }),
  'keys.json': makeKeys,
  'frames.json': makeFrames,
  'transients.json': makeTransients,
  'refused.json': makeRefused,
  'joining.json': makeJoining,
  'session.json': makeSession,
  'sync.json': makeSync,
} as const;
