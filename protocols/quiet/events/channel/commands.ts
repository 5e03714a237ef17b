import { event } from '../../../../core/envelope.ts';
import { id } from '../../../../core/fields.ts';
import { command, refuse } from '../../../../core/sources.ts';
import { channel } from './schema.ts';

/** Opens a channel, for everybody or in a private group. */
export const createChannel = command(
  {
    description: 'Opens a channel, for everybody or in a private group.',
    input: { name: channel.shape.name, group_id: id().nullable().default(null) },
  },
  (_query, input, ctx) => {
    const group_id = input.group_id ?? ctx.me?.network_id ?? null;
    if (group_id === null) throw refuse('not_found', 'This identity is in no network.');
    return [event(channel, { name: input.name }, { group_id })];
  },
);
