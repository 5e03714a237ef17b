/**
 * The first stage of forgetting: live events that only dirty keys open are sealed anew under a clean one, so that the dirty keys can go. Where
 * there is no clean key, one is made, by one of the connected devices: the events wait for it, and nothing is purged.
 */
import { type Envelope, instruct } from '../../../core/envelope.ts';
import { type Id, integer } from '../../../core/fields.ts';
import { keyExpiry } from '../../../core/key-expiry.ts';
import type { Query } from '../../../core/query.ts';
import { job } from '../../../core/sources.ts';
import { mintKey } from '../events/mint-key/schema.ts';
import {
  getCleanKeyForTtl,
  getDirtyKeys,
  getEventsNeedingRekey,
  getMintTurn,
} from '../events/rekey/queries.ts';
import { rekey } from '../events/rekey/schema.ts';
import { CHUNK, CHUNKS, chunksOf } from '../rules/chunks.ts';
import { saidDirty } from '../rules/dirt.ts';
import { takenAlong } from '../rules/dying.ts';
import { listIn } from '../rules/maps.ts';

const TEN_MINUTES_MS = 10 * 60_000;

export const rekeyCreationJob = job(
  {
    description: 'Seals live events anew that only dirty keys open.',
    params: {
      /** So long whoever's turn it is has for itself. */
      turn_ms: integer().default(TEN_MINUTES_MS),
    },
    for_each: 'network',
    batch: CHUNKS,
  },
  (query, { turn_ms }, ctx) => {
    const along = takenAlong(query);
    if (along.length > 0) return along;
    const sealed_anew = rewraps(query, ctx.now_ms, turn_ms);
    // The last batch has time for it.
    if (sealed_anew.length >= CHUNKS) return sealed_anew;
    const is_due = ({ turn, dirty_ms }: { turn: number; dirty_ms: number }) =>
      turn === 0 || dirty_ms + turn_ms <= ctx.now_ms;
    return [...saidDirty(query, ctx.now_ms, is_due), ...sealed_anew];
  },
);

interface Target {
  readonly key_id: Id;
  readonly expires_ms: number;
  room: number;
}

/**
 * Each event to the clean key of its group and channel with the smallest expiry that is enough, as long as there is room under it. A channel that waits for
 * its key to be made keeps no other from being done.
 */
function rewraps(query: Query, now_ms: number, turn_ms: number): Envelope[] {
  const keys = new Map<string, Target | null>();
  const to = new Map<Id, Id[]>();
  const mints = new Map<string, Envelope>();
  // What is under several dirty keys is found under each of them, and sealed anew once.
  const listed = new Set<Id>();
  let left = CHUNK * CHUNKS;
  for (const { key_id, group_id, channel_id } of query(getDirtyKeys)) {
    if (left === 0) break;
    for (const { event_id, expires_ms } of query(getEventsNeedingRekey, { key_id, limit: left })) {
      if (listed.has(event_id)) continue;
      const place = `${group_id} ${channel_id} ${expires_ms}`;
      let key = keys.get(place);
      if (key === undefined) {
        key = targetFor(query, { group_id, channel_id, expires_ms }, now_ms, keys);
        keys.set(place, key);
      }
      if (key !== null && key.room > 0) {
        key.room -= 1;
        left -= 1;
        listed.add(event_id);
        listIn(to, key.key_id).push(event_id);
      } else if (
        key === null &&
        !mints.has(place) &&
        isMyTurn(query, group_id, channel_id, now_ms - turn_ms)
      ) {
        mints.set(place, instruct(mintKey, { group_id, channel_id, expires_ms }));
      }
    }
  }
  const rekeys = [...to].flatMap(([key_id, event_ids]) =>
    chunksOf(event_ids).map((chunk) => instruct(rekey, { key_id, event_ids: chunk })),
  );
  return [...rekeys, ...mints.values()];
}

function targetFor(
  query: Query,
  wanted: { readonly group_id: Id; readonly channel_id: Id | null; readonly expires_ms: number },
  now_ms: number,
  known: ReadonlyMap<string, Target | null>,
): Target | null {
  const key_expires_ms = keyExpiry(now_ms, wanted.expires_ms);
  const found = query(getCleanKeyForTtl, { ...wanted, key_expires_ms })[0];
  if (found === undefined) return null;
  // One key may serve events of several expiries: they share its room.
  return [...known.values()].find((other) => other?.key_id === found.key_id) ?? { ...found };
}

function isMyTurn(query: Query, group_id: Id, channel_id: Id | null, before_ms: number): boolean {
  const turn = query(getMintTurn, { group_id, channel_id })[0];
  return turn !== undefined && (turn.turn === 0 || turn.dirty_since_ms <= before_ms);
}
