/** All mutants: programs that are broken in one rule each. */
import { forgetting } from './mutants.forgetting.ts';
import { judging } from './mutants.judging.ts';
import type { Mutant } from './mutants.kit.ts';
import { running } from './mutants.running.ts';
import { who } from './mutants.who.ts';

export const mutants: readonly Mutant[] = [...who, ...judging, ...forgetting, ...running];
