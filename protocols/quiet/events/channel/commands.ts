import { event } from '../../../../core/envelope.ts';
import { command } from '../../../../core/sources.ts';
import { channel } from './schema.ts';

/** Opens a channel. */
export const createChannel = command(
  { description: 'Opens a channel.', input: { name: channel.shape.name } },
  (_query, input) => [event(channel, { name: input.name })],
);
