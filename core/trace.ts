/**
 * The trace: each envelope's way through the handlers, in a ring of fixed size. It shows types, ids, outcomes and microseconds; never a
 * body, so that it may be printed anywhere.
 */
import type { AnyEnvelope, Cause, Identity } from './envelope.ts';
import type { Id } from './fields.ts';
import { limits } from './limits.ts';

export interface TraceEntry {
  /** Counts up over the life of the process: tells a reader where it left off. */
  readonly entry: number;
  readonly at_ms: number;
  /** Same for all entries of one envelope. */
  readonly envelope: number;
  readonly identity: Identity;
  readonly cause: Cause;
  readonly depth: number;
  readonly handler: string;
  readonly stage: string;
  readonly type: string | null;
  readonly event_id: Id | null;
  /** `advance`, `block`, `reject`, `duplicate`, `emit` or `failed`. */
  readonly outcome: string;
  /** The rule that rejected or blocked, or the class and place of a failure. */
  readonly why: string | null;
  readonly duration_us: number;
}

export class Trace {
  readonly #ring: TraceEntry[] = [];
  readonly #listeners = new Set<(entry: TraceEntry) => void>();
  #count = 0;

  add(entry: Omit<TraceEntry, 'entry'>): void {
    const numbered = { entry: this.#count, ...entry };
    this.#ring[this.#count % limits.trace_entries_max] = numbered;
    this.#count += 1;
    for (const listener of this.#listeners) listener(numbered);
  }

  /** The newest `limit` entries from number `since` on, oldest of them first. */
  read(limit: number, since = 0): readonly TraceEntry[] {
    const first = Math.max(since, this.#count - Math.min(limit, this.#ring.length), 0);
    const entries: TraceEntry[] = [];
    for (let entry = first; entry < this.#count; entry++)
      entries.push(this.#ring[entry % limits.trace_entries_max]!);
    return entries;
  }

  /** Calls `listener` for every new entry; returns the function that ends it. Listeners must be quick and must not throw. */
  follow(listener: (entry: TraceEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** What of an envelope may be shown. */
export function shownOf(envelope: AnyEnvelope): { type: string | null; event_id: Id | null } {
  switch (envelope.stage) {
    case 'frame':
    case 'received':
    case 'header':
      return { type: null, event_id: null };
    case 'verified':
      return { type: envelope.header.type, event_id: envelope.event_id };
    case 'opened':
    case 'valid':
      return { type: envelope.type.name, event_id: envelope.raw === null ? null : envelope.event.event_id };
    case 'outgoing':
      return envelope.draft.draft === 'forward'
        ? { type: null, event_id: envelope.draft.event_id }
        : { type: envelope.draft.type.name, event_id: null };
    case 'instruction':
      return { type: envelope.draft.type.name, event_id: null };
  }
}
