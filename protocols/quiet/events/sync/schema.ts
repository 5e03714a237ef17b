/**
 * What two peers say to each other to end up with the same events. Transient: believed because of the session it comes through.
 */
import { z } from 'zod';
import { eventType } from '../../../../core/event-type.ts';
import { boolean, bytes, id, integer, time_ms } from '../../../../core/fields.ts';

/** Bytes of one reconciliation message: a few thousand ranges or listed ids. */
const MESSAGE_BYTES_MAX = 512 * 1024;
/** Events asked for, or sent, at a time. */
export const EVENTS_PER_FRAME = 500;

/** Keys asked for by name with one request. */
export const KEYS_ASKED_MAX = 64;
/** Chains whose end one request tells. */
export const CHAINS_TOLD_MAX = 256;

export const syncRequest = eventType({
  name: 'sync_request',
  class: 'transient',
  description: 'Compares what two peers have, and asks for what is missing.',
  body: {
    /** A reconciliation message (see `reconcile/negentropy.ts`), or null where only `need` is asked. */
    message: bytes(1, MESSAGE_BYTES_MAX).nullable().default(null),
    /** Ids of events that the asker lacks. */
    need: z.array(id()).max(EVENTS_PER_FRAME).default([]),
    /** Ids of group keys that events of the asker's wait for: it wants the events that bring them. */
    keys: z.array(id()).max(KEYS_ASKED_MAX).default([]),
    /** Where the asker's own chains end: whoever has later events of it tells it, since its data was restored. Groups and numbers, in step. */
    end_groups: z.array(id().nullable()).max(CHAINS_TOLD_MAX),
    end_seqs: z.array(integer()).max(CHAINS_TOLD_MAX),
    /** Both sides compare what has not expired by this time; null: by the asker's clock. */
    cut_ms: time_ms().nullable().default(null),
    /** The asker's clock. */
    now_ms: time_ms(),
    /** Counts the exchanges since something last changed on either side. */
    round: integer(0, 1_000).default(0),
    /** Others whenever the asker, or the answerer as the asker last heard, has taken in an event. */
    asker_progress: integer(),
    answerer_progress: integer().default(0),
    /** The asker has just shown how it became a member. */
    introduced: boolean().default(false),
    /** The answerer lacks so much that it is not simply sent: it is to ask for it itself. */
    much: boolean().default(false),
  },
});

export const syncResponse = eventType({
  name: 'sync_response',
  class: 'transient',
  description: 'Answers a sync_request.',
  body: {
    message: bytes(1, MESSAGE_BYTES_MAX).nullable().default(null),
    cut_ms: time_ms(),
    round: integer(0, 1_000).default(0),
    /** As the request had it. */
    asker_progress: integer(),
    answerer_progress: integer(),
    /** Whether the answerer has taken in events since the asker last heard. */
    answerer_progressed: boolean().default(false),
  },
});

export const syncRefused = eventType({
  name: 'sync_refused',
  class: 'transient',
  description: 'The answerer does not know the asker as a member.',
  body: { introduced: boolean() },
});
