import { forward, instruct, transmit } from '../../../../core/envelope.ts';
import { reflector } from '../../../../core/sources.ts';
import { boundsOf, fetchBody, isLess, mutable, pageOf, withoutOthers } from '../../reconcile/fetch.ts';
import { itemsOf } from '../../reconcile/items.ts';
import { openingRequest, progressOf } from '../../reconcile/round.ts';
import { isMember } from '../sync/queries.ts';
import { getFactsInRange, getFetch, getNamesInRange, getPageNeeds, getUnknown } from './queries.ts';
import { FACTS_MAX, fetching, NAMES_MAX, PAGE_EVENTS, syncFetch, syncPage } from './schema.ts';

/** Sends the next page. What is left is said before it, so that the peer asks for more while it takes this in; or behind it, when it is the last. */
export const reflectSyncFetch = reflector(syncFetch, (query, request, ctx) => {
  const session = ctx.session;
  if (session === null || query(isMember, { device_id: session.device_id }).length === 0) return [];
  const { cut_ms, first, except } = request.body;
  const items = itemsOf(query, cut_ms, ctx.now_ms, session.device_id);
  const { page, left } = pageOf(items, request.body, PAGE_EVENTS, new Set(except));
  const asked = boundsOf(request.body);
  const hull = { lower: asked[0]?.lower ?? '', upper: asked.at(-1)?.upper ?? '' };
  const facts = first ? query(getFactsInRange, { ...hull, limit: FACTS_MAX }) : [];
  const names = first ? query(getNamesInRange, { ...hull, limit: NAMES_MAX }).map((row) => row.event_id) : [];
  const named =
    page.length === 0
      ? []
      : query(getPageNeeds, {
          event_ids: JSON.stringify([...page, ...names]),
          first_id: page[0]!,
          last_id: page.at(-1)!,
          device_id: session.device_id,
        });
  // What is in none of the ranges is alike on both sides.
  const needs = named.filter(({ event_id }) =>
    asked.some(({ lower, upper }) => lower <= event_id && event_id < upper && !except.includes(event_id)),
  );
  const sent = new Set([...facts, ...needs].map((row) => row.event_id).concat(names, page));
  const events = [...sent].map((event_id) => forward(event_id, session.session_id));
  const is_last = left.lowers.length === 0;
  const counts = boundsOf(left).map((range) => items.summary(range).count);
  const lacking = first && except.length > 0 ? query(getUnknown, { event_ids: JSON.stringify(except) }) : [];
  const body = {
    ...mutable(left),
    left: counts.reduce((sum, count) => sum + count, 0),
    lacking: lacking.map((row) => row.event_id),
  };
  return is_last
    ? [...events, transmit(syncPage, body, session.session_id)]
    : [transmit(syncPage, body, session.session_id, { ends_frame: true }), ...events];
});

/** Asks for the page after the one that is coming, or begins another round when there is none. */
export const reflectSyncPage = reflector(syncPage, (query, page, ctx) => {
  const session = ctx.session;
  if (session === null || ctx.me === null) return [];
  const { session_id } = session;
  const asked = query(getFetch, { session_id })[0];
  // Nobody makes us ask for what we did not ask for, nor for the same again and again.
  if (asked === undefined || page.body.oldest_first !== asked.oldest_first || !isLess(page.body, asked))
    return [];
  const is_member = query(isMember, { device_id: session.device_id }).length > 0;
  const sent = is_member ? page.body.lacking.map((event_id) => forward(event_id, session_id)) : [];
  const next = withoutOthers(query, page.body, session_id, ctx.now_ms);
  const progress = progressOf(query);
  const noted = instruct(fetching, { session_id, ...mutable(next), left: page.body.left, progress });
  if (next.lowers.length === 0) {
    // Where nothing of it could be taken in, the same would come again; and what the peer says it lacks it may lack for ever, whatever it is sent.
    const is_news = progress !== asked.progress;
    return [...sent, noted, ...(is_news ? [openingRequest(query, ctx.now_ms, session)] : [])];
  }
  const items = itemsOf(query, ctx.now_ms, ctx.now_ms, session.device_id);
  return [...sent, noted, transmit(syncFetch, fetchBody(next, items, ctx.now_ms, false), session_id)];
});
