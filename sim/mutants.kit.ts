/** What a mutant is: a program that is broken in one rule, and the promises that have to notice. And what is made likelier, so that they have the occasion. */

/** A text that is in the file once, and what stands there instead. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  readonly name: string;
  /** What is not so any more. */
  readonly what: string;
  /** Any of these is enough. */
  readonly promises: readonly string[];
  readonly edits: readonly Edit[];
  /** What the simulator does more often for this, where it would take thousands of seeds otherwise. It changes no check. */
  readonly likelier?: readonly Edit[];
  /** At most so many, from `from` on (1). */
  readonly seeds: number;
  readonly from?: number;
}

export const QUIET = 'protocols/quiet';
/** Where the tables and views of the protocol are, as they are run. */
export const SQL = `${QUIET}/registry.gen.ts`;

/** What people do, and how often: so many times as much of it. */
export const people = (...weights: readonly [string, number, number][]): readonly Edit[] =>
  weights.map(([kind, from, to]) => ({
    file: 'sim/scenario.ts',
    find: `\n  ${kind}: ${from},\n`,
    replace: `\n  ${kind}: ${to},\n`,
  }));
/** Every scenario has these faults. */
export const everywhere = (...classes: readonly string[]): Edit => ({
  file: 'sim/scenario.ts',
  find: 'if (chance.holds(share))',
  replace: `if (chance.holds(share) || [${classes.map((name) => `FAULTS.${name}`).join()}].includes(faults as never))`,
});
/** Mallory is in every scenario, busy, and does only this. */
export const mallory = (...kinds: readonly string[]): readonly Edit[] => malloryBeside([], ...kinds);
/** The same, and these faults besides. */
export const malloryBeside = (classes: readonly string[], ...kinds: readonly string[]): readonly Edit[] => [
  everywhere('hostile', ...classes),
  {
    file: 'sim/scenario.ts',
    find: 'hostile: { hostile: 10 },',
    replace: 'hostile: { hostile: 60 },',
  },
  {
    file: 'sim/hostile.ts',
    find: 'const kind = KINDS[pick % (KINDS.length + STRANGE)];',
    replace: `const kind = ${JSON.stringify(kinds)}[pick % ${kinds.length}] as (typeof KINDS)[number];`,
  },
];
export const MUCH_IS_DELETED = people(['send', 16, 40], ['delete', 8, 40]);
/** Dirty keys go as soon as they may. */
export const NO_GRACE: Edit = {
  file: 'sim/scenario.ts',
  find: 'grace_ms: 90_000',
  replace: 'grace_ms: 1_000',
};
export const MANY_ARE_REMOVED = people(['remove_user', 1, 8], ['remove_device', 1, 4], ['send', 16, 40]);
/** Much is said that has ten minutes to live. */
export const SOON_OVER: readonly Edit[] = [
  ...people(['send_hour', 4, 40]),
  {
    file: 'sim/people.ts',
    find: '[HOUR_MS, 10 * MINUTE_MS][pick % 2]!',
    replace: '[10 * MINUTE_MS, 10 * MINUTE_MS][pick % 2]!',
  },
];
