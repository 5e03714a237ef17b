/**
 * How often a simulation came to rare states. A state that no seed reaches is one that nothing is proved of: a run over many seeds says which, and how
 * often each was seen.
 */
import type { TraceEntry } from '../core/trace.ts';
import type { Machine } from './machine.ts';

/** By name: what an entry of an engine's trace has to be. */
const OF_TRACE: Readonly<Record<string, (entry: TraceEntry) => boolean>> = {
  'an event waited for its author': ({ outcome, why }) =>
    outcome === 'block' && why === 'author_not_a_member',
  'an event waited for a key': ({ outcome, why }) => outcome === 'block' && why === 'key_missing',
  'an event from the future was held': ({ outcome, why }) => outcome === 'block' && why === 'from_the_future',
  'a record came late, under a closed or erased key': ({ type, cause }) =>
    type === 'need-rewrap' && cause.kind === 'session',
  'events were sealed anew': ({ type, outcome }) => type === 'rekey' && outcome === 'advance',
  'a key was made for events that no clean key fits': ({ type, outcome }) =>
    type === 'mint-key' && outcome === 'advance',
  'a key was said to be dirty': ({ type, stage }) => type === 'key-dirty' && stage === 'valid',
  'a key was to be purged': ({ type, handler }) => type === 'purge-key' && handler === 'purge',
  'prekeys were retired': ({ type, handler }) => type === 'retire-prekeys' && handler === 'retire',
  'a device said that it has forgotten': ({ type, stage }) => type === 'forgotten' && stage === 'valid',
  'a removed sender was refused': ({ why }) => why === 'sender_removed',
  'something of a removed author was refused': ({ why }) => why === 'author_removed',
  'a key was asked for': ({ type, stage }) => type === 'key-request' && stage === 'valid',
  'something was refused': ({ outcome }) => outcome === 'reject',
};

const OF_DEATHS: Readonly<Record<string, RegExp>> = {
  'died while a slot was zeroed': /zeroblob\(32\)/,
  'died at a checkpoint': /wal_checkpoint/,
  'died while the log was padded': /log_padding/,
  'died at a commit': /^COMMIT/,
  'died as a receipt was written': /^UPDATE purge SET zeroed_ms/,
};

const OTHERS = [
  'died amid a transaction',
  'a purge was finished at the next start',
  'a machine was set back to an old copy',
  'two machines were one device',
  'a clock was suspect',
  'a disk was full at the commit of a command',
  'an erasure waited for a reader',
  'two devices gave keys by one prekey',
  'a key did not open',
  'a frame was heard twice',
  'a session began anew',
  'a handshake failed',
  'a frame was not taken in',
  'a disk failed',
  'a hostile frame was refused',
  'a machine was destroyed',
  'a member was removed',
  'a removal was disputed by nobody',
  'what the removed said against others counted for nothing',
] as const;
export type Mark = (typeof OTHERS)[number];

export const ALL_MARKS: readonly string[] = [...Object.keys(OF_TRACE), ...Object.keys(OF_DEATHS), ...OTHERS];

export class Marks {
  readonly counts = new Map<string, number>();

  seen(mark: Mark): void {
    this.#add(mark);
  }

  #add(mark: string): void {
    this.counts.set(mark, (this.counts.get(mark) ?? 0) + 1);
  }

  traced(entry: TraceEntry): void {
    for (const [mark, is] of Object.entries(OF_TRACE)) if (is(entry)) this.#add(mark);
  }

  died({ disk }: Machine): void {
    if (disk.died_in_transaction) this.#add('died amid a transaction');
    for (const [mark, at] of Object.entries(OF_DEATHS)) if (at.test(disk.died_at)) this.#add(mark);
  }
}
