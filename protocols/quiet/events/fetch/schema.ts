/**
 * How much is fetched that this device has nothing of: page by page out of ranges of ids, the newest first, while reconciliation goes on elsewhere.
 * Who asks has the next page on its way while it takes in the last one, and two peers that both have it serve it from both ends.
 */
import { z } from 'zod';
import { eventType } from '../../../../core/event-type.ts';
import { boolean, bytes, id, integer, text, time_ms } from '../../../../core/fields.ts';
import { FEW_IDS_MAX } from '../../reconcile/negentropy.ts';

/** Events of one page: some hundred kilobytes; taking them in holds the event loop for some twenty milliseconds. */
export const PAGE_EVENTS = 256;
/** Facts (who belongs, who may what) that the first page brings along: nothing that rests on them has to wait. */
export const FACTS_MAX = 2_000;
/** Names that it brings along: what is read first is read with the names of who said it and where, and a join ends as soon as the network has its name. */
export const NAMES_MAX = 1_000;

/** Ranges asked for at a time. */
export const RANGES_MAX = 128;

const ranges = {
  /** The ranges, in order: ids from here on, */
  lowers: z.array(bytes(0, 33)).max(RANGES_MAX),
  /** and below here; in step. */
  uppers: z.array(bytes(0, 33)).max(RANGES_MAX),
  /** From the lower end upwards: somebody else serves the newest. */
  oldest_first: boolean(),
};
const asked = { ...ranges, oldest_first: boolean().default(false) };

export const syncFetch = eventType({
  name: 'sync_fetch',
  class: 'transient',
  description: 'Asks for the next page of the events in ranges that the asker has nothing of, or little.',
  body: {
    ...asked,
    /** What the asker has in there, or knows and does not want. */
    except: z.array(id()).max(FEW_IDS_MAX).default([]),
    cut_ms: time_ms(),
    /** The first page. */
    first: boolean().default(false),
  },
});

export const syncPage = eventType({
  name: 'sync_page',
  class: 'transient',
  description: 'Says what is left of the ranges after the page that comes with it.',
  body: {
    ...asked,
    /** Events that are left. */
    left: integer().default(0),
    /** Of what was excepted, what the answerer does not know. */
    lacking: z.array(id()).max(FEW_IDS_MAX).default([]),
  },
});

export const fetching = eventType({
  name: 'fetching',
  class: 'local',
  description: 'What this device is fetching from a peer: nothing any more where there are no ranges.',
  body: {
    session_id: text(64),
    ...ranges,
    left: integer(),
    /** What the asker had taken in before (see `progressOf`): where nothing is new behind the last page, no further round is worth it. */
    progress: integer(),
  },
});
