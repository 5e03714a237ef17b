import { instruct } from '../../../../core/envelope.ts';
import { command } from '../../../../core/sources.ts';
import { forget } from './schema.ts';

/** Erases a network from this node: all that this identity has of it, keys first. */
export const forgetNetwork = command(
  { description: 'Erases a network from this node, with all keys of this identity.', input: {} },
  () => [instruct(forget, {})],
);
