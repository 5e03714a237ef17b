/**
 * What jobs and reflectors share of a round of sync: the request that opens it, and what each request says besides.
 */
import { type TransmitDraft, transmit } from '../../../core/envelope.ts';
import type { Id } from '../../../core/fields.ts';
import type { Query } from '../../../core/query.ts';
import { getMissingLinks } from '../events/chain-scan/queries.ts';
import { getChainGaps, getKeysAwaited, getLastTakenIn, getOwnEnds } from '../events/sync/queries.ts';
import { CHAINS_TOLD_MAX, KEYS_ASKED_MAX, syncRequest } from '../events/sync/schema.ts';
import { itemsOf } from './items.ts';
import { openingMessage } from './negentropy.ts';

/** Headers of removed devices' chains asked for with each round. */
const GAPS_ASKED = 64;
/** Headers that are missing in the chains of members. */
const LINKS_ASKED = 16;
/**
 * Another number whenever an event has been taken in, and no more than that: a count would tell a peer of one network what this node hears in
 * others. The end of an event's id is chance.
 */
export function progressOf(query: Query): number {
  return Number.parseInt(query(getLastTakenIn)[0]?.event_id.slice(-12) ?? '0', 16);
}

/** What every request says besides: keys that are waited for, and where this device's own chains end. */
export function wants(
  query: Query,
  now_ms: number,
  peer_id: Id,
): { keys: Id[]; end_groups: (Id | null)[]; end_seqs: number[] } {
  const salt = now_ms.toString(16).padStart(16, '0');
  const ends = query(getOwnEnds, { peer_id, limit: CHAINS_TOLD_MAX });
  return {
    keys: query(getKeysAwaited, { salt, limit: KEYS_ASKED_MAX }).map((row) => row.key_id),
    end_groups: ends.map((end) => end.group_id),
    end_seqs: ends.map((end) => end.seq),
  };
}

/** The request that opens a round with one peer. */
export function openingRequest(
  query: Query,
  now_ms: number,
  { session_id, device_id }: { readonly session_id: string; readonly device_id: Id },
  known: { round: number; answerer_progress: number; introduced: boolean } = {
    round: 0,
    answerer_progress: 0,
    introduced: false,
  },
): TransmitDraft {
  const body = {
    message: openingMessage(itemsOf(query, now_ms, now_ms, device_id)).toHex(),
    need: [
      ...query(getChainGaps, { limit: GAPS_ASKED }),
      ...query(getMissingLinks, { at: now_ms, limit: LINKS_ASKED }),
    ].map((row) => row.event_id),
    ...wants(query, now_ms, device_id),
    cut_ms: null,
    now_ms,
    asker_progress: progressOf(query),
    ...known,
    much: false,
  };
  return transmit(syncRequest, body, session_id);
}
