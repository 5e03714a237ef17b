/** Mutants: who is removed, and by whom, where those who remove each other have not heard of it. */
import { type Edit, type Mutant, QUIET } from './mutants.kit.ts';

/** Every scenario begins with the founder making admins; then there is a cut, and on both sides of it people are removed, amid words. */
const adminsApart = (): readonly Edit[] => [
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
  const quarrel = Array.from({ length: 6 }, () => [...words(), step('remove_user')]).flat();
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
    likelier: adminsApart(),
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
    likelier: adminsApart(),
    seeds: 120,
  },
];
