/** Mutants: who is removed, and by whom, where those who remove each other have not heard of it. */
import { type Edit, type Mutant, QUIET } from './mutants.kit.ts';

/** Every scenario begins with the founder making admins; then there is a cut, and on both sides of it people are removed, amid words. */
const adminsApart = (removals: number, ...kinds: readonly string[]): readonly Edit[] => [
  {
    file: 'sim/people.ts',
    find: "const right = ['admin', 'invite', 'delete'][pick % 3];",
    replace: "const right = 'admin';",
  },
  {
    file: 'sim/scenario.ts',
    find: 'return { seed, machines, pace, steps };',
    replace: `const step = (kind: Kind, who = chance.below(64)): Step => ({ after_ms: 5_000, kind, who, pick: chance.below(10_000) });
  const admins = Array.from({ length: 6 }, () => step('grant', 0));
  const words = () => [step('send'), step('send'), step('send')];
  const quarrel = Array.from({ length: ${removals} }, () => [...words(), step(chance.pick(${JSON.stringify(kinds)} as Kind[]))]).flat();
  const rest: Step = { ...step('pause'), after_ms: 2 * MINUTE_MS };
  return { seed, machines: 5, pace, steps: [...admins, rest, step('split'), ...quarrel, rest, ...steps.slice(0, 8)] };`,
  },
];

export const judging: readonly Mutant[] = [
  {
    name: 'juniors-undo-seniors',
    what: 'What somebody senior did is judged after the removal of that one by a junior.',
    promises: ['S12'],
    edits: [
      {
        file: `${QUIET}/rules/order.ts`,
        find: 'return this.#seniority.rank(act) <= this.#seniority.rank(other);',
        replace: 'return true;',
      },
    ],
    likelier: adminsApart(6, 'remove_user'),
    seeds: 120,
  },
  {
    name: 'removed-remove-others',
    what: 'That somebody was removed is not judged before what they say against others: rank and ids alone decide.',
    promises: ['S12'],
    edits: [
      {
        file: `${QUIET}/rules/order.ts`,
        find: 'if (!this.#precedes(other, act) || !this.#standing.isEntitled(other)) return false;',
        replace: 'if (!this.#precedes(other, act) || other.event_id !== act.event_id) return false;',
      },
    ],
    likelier: adminsApart(3, 'remove_user'),
    seeds: 120,
  },
  {
    name: 'the-lowest-cut-holds',
    what: 'Of two who remove somebody the one that had heard less decides what counts.',
    promises: ['S5'],
    edits: [
      {
        file: `${QUIET}/rules/cuts.ts`,
        find: '.reduce((best, head) => (isHigher(head, best) ? head : best));',
        replace: '.reduce((best, head) => (isHigher(head, best) ? best : head));',
      },
    ],
    likelier: adminsApart(6, 'remove_user'),
    seeds: 120,
  },
  {
    name: 'who-leaves-says-what-counts',
    what: 'Who has been removed saves words that nobody had heard, by leaving.',
    promises: ['S12'],
    edits: [
      {
        file: `${QUIET}/rules/cuts.ts`,
        find: 'const judged = others.length > 0 ? others : removals.slice(0, 1);',
        replace: 'const judged = others.length < 0 ? others : removals;',
      },
    ],
    likelier: adminsApart(6, 'remove_user', 'leave'),
    seeds: 120,
  },
];
