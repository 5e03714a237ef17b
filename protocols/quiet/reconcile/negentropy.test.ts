import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../../crypto/hash.ts';
import { type ItemSource, openingMessage, type Range, reconcile } from './negentropy.ts';

/** A set in memory; sums by big integers, as the specification says them. */
function setOf(ids: Iterable<string>, also_known: readonly string[] = []): ItemSource {
  const sorted = [...new Set(ids)].sort();
  const within = ({ lower, upper }: Range, list: readonly string[]) =>
    list.filter((id) => id >= lower && (upper === null || id < upper));
  return {
    summary: (range) => {
      const found = within(range, sorted);
      const littleEndian = (id: string) => BigInt(`0x${id.match(/../g)!.reverse().join('')}`);
      const sum = found.reduce((total, id) => (total + littleEndian(id)) % 2n ** 256n, 0n);
      const bytes = Uint8Array.fromHex(sum.toString(16).padStart(64, '0')).reverse();
      const digits: number[] = [found.length % 128];
      for (let rest = Math.floor(found.length / 128); rest > 0; rest = Math.floor(rest / 128))
        digits.unshift((rest % 128) | 128);
      const fingerprint = sha256(Uint8Array.from([...bytes, ...digits]))
        .subarray(0, 16)
        .toHex();
      return { count: found.length, fingerprint };
    },
    ids: (range, limit) => within(range, sorted).slice(0, limit),
    alsoKnown: (range, limit) => within(range, also_known).slice(0, limit),
    tail: () => [sorted[Math.floor(sorted.length / 2)]!, `${sorted.at(-1)!}`],
    split: (range, parts) => {
      const found = within(range, sorted);
      return found.filter(
        (_, place) =>
          place > 0 &&
          Math.floor((place * parts) / found.length) !== Math.floor(((place - 1) * parts) / found.length),
      );
    },
  };
}

/** Runs rounds as two peers would, each taking in what it lacks, until neither learns anything. */
function settle(mine: Set<string>, theirs: Set<string>): { rounds: number; messages: number } {
  let rounds = 0;
  let messages = 0;
  for (let learned = true; learned; rounds++) {
    learned = false;
    let message: Uint8Array | null = openingMessage(setOf(mine));
    for (let turn = 0; message !== null; turn++) {
      messages += 1;
      const initiator = turn % 2 === 1;
      const answered = reconcile(setOf(initiator ? mine : theirs), message, initiator);
      message = answered.answer;
      if (!initiator) continue;
      for (const id of answered.have) theirs.add(id);
      for (const id of answered.need) mine.add(id);
      // What it has nothing of is fetched page by page.
      const fetched = answered.few.flatMap((range) => setOf(theirs).ids(range, 1_000));
      const lacking = answered.few
        .flatMap((range) => setOf(mine).ids(range, 1_000))
        .filter((id) => !theirs.has(id));
      for (const id of lacking) theirs.add(id);
      for (const id of fetched) mine.add(id);
      learned ||= answered.have.length + answered.need.length + answered.few.length > 0;
    }
    if (rounds > 50) throw new Error('no end of rounds');
  }
  return { rounds, messages };
}

const time = fc.integer({ min: 1_800_000_000_000, max: 1_800_000_100_000 });
const id = fc
  .tuple(time, fc.uint8Array({ minLength: 26, maxLength: 26 }))
  .map(([ms, hash]) => ms.toString(16).padStart(12, '0') + hash.toHex());

describe('range-based reconciliation', () => {
  it('L2: two sets end as their union, whatever they are', () => {
    const some = fc.array(id, { maxLength: 300 });
    fc.assert(
      fc.property(some, some, some, (common, only_mine, only_theirs) => {
        const mine = new Set([...common, ...only_mine]);
        const theirs = new Set([...common, ...only_theirs]);
        const union = mine.union(theirs);
        settle(mine, theirs);
        expect(mine).toEqual(union);
        expect(theirs).toEqual(union);
      }),
      { numRuns: 60 },
    );
  });

  it('L8: sets that agree exchange one message of a few bytes', () => {
    const same = Array.from(
      { length: 1_000 },
      (_, index) => (1_800_000_000_000 + index).toString(16).padStart(12, '0') + 'ab'.repeat(26),
    );
    const opening = openingMessage(setOf(same));
    expect(opening.length).toBeLessThan(32);
    expect(reconcile(setOf(same), opening, false)).toEqual({ answer: null, have: [], need: [], few: [] });
  });

  it('an empty set takes in a large one, in messages of bounded size', () => {
    const theirs = new Set(
      Array.from(
        { length: 6_000 },
        (_, index) => (1_800_000_000_000 + index).toString(16).padStart(12, '0') + 'ab'.repeat(26),
      ),
    );
    const mine = new Set<string>();
    settle(mine, theirs);
    expect(mine.size).toBe(6_000);
  });

  it('E9: what is known and not in the set is neither asked for nor offered', () => {
    const dead = `${(1_800_000_000_500).toString(16).padStart(12, '0')}${'cd'.repeat(26)}`;
    const listing = reconcile(setOf([dead]), openingMessage(setOf([])), false).answer!;
    expect(reconcile(setOf([], [dead]), listing, true)).toMatchObject({ have: [], need: [] });
    const answer = reconcile(setOf([], [dead]), openingMessage(setOf([dead])), false).answer!;
    expect(reconcile(setOf([dead]), answer, true)).toMatchObject({ have: [], need: [] });
  });

  it('F23: any bytes are refused by name or understood, within bounded work', () => {
    const items = setOf(
      Array.from(
        { length: 100 },
        (_, index) => (1_800_000_000_000 + index).toString(16).padStart(12, '0') + 'ab'.repeat(26),
      ),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, initiator) => {
        try {
          reconcile(items, Uint8Array.from([0x61, ...bytes]), initiator);
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'bad_reconciliation' });
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
