/**
 * What jobs and reflectors share of a round of sync: the set of events behind a reconciliation message, and the request that opens a round.
 */
import { type TransmitDraft, transmit } from '../../../core/envelope.ts';
import type { Query } from '../../../core/query.ts';
import {
  getEventsForSync,
  getKnownElsewhere,
  getSyncFingerprint,
  getSyncProgress,
  getSyncSplits,
} from '../events/sync/queries.ts';
import { syncRequest } from '../events/sync/schema.ts';
import { type ItemSource, openingMessage, type Range } from './negentropy.ts';

const BEHIND_ALL = 'ff'.repeat(33);

/** The events of this identity that had not expired at `cut_ms`. */
export function itemsOf(query: Query, cut_ms: number): ItemSource {
  const bounds = ({ lower, upper }: Range) => ({ lower, upper: upper ?? BEHIND_ALL, cut_ms });
  const summary = (range: Range) => query(getSyncFingerprint, bounds(range))[0]!;
  return {
    count: (range) => summary(range).count,
    fingerprint: (range) => summary(range).fingerprint,
    ids: (range, limit) => query(getEventsForSync, { ...bounds(range), limit }).map((row) => row.event_id),
    alsoKnown: (range, limit) =>
      query(getKnownElsewhere, { ...bounds(range), limit }).map((row) => row.event_id),
    split: (range, parts) =>
      query(getSyncSplits, { ...bounds(range), parts, count: summary(range).count }).map(
        (row) => row.event_id,
      ),
  };
}

export function progressOf(query: Query): number {
  return query(getSyncProgress)[0]?.progress ?? 0;
}

/** The request that opens a round with one peer. */
export function openingRequest(
  query: Query,
  now_ms: number,
  session_id: string,
  known: { round: number; answerer_progress: number; introduced: boolean } = {
    round: 0,
    answerer_progress: 0,
    introduced: false,
  },
): TransmitDraft {
  const body = {
    message: openingMessage(itemsOf(query, now_ms)).toHex(),
    need: [],
    cut_ms: now_ms,
    now_ms,
    asker_progress: progressOf(query),
    ...known,
  };
  return transmit(syncRequest, body, session_id);
}
