import { event } from '../../../../core/envelope.ts';
import { id } from '../../../../core/fields.ts';
import { command, refuse } from '../../../../core/sources.ts';
import { isChannel } from '../channel/queries.ts';
import { title } from './schema.ts';

/** Gives a channel another name. */
export const renameChannel = command(
  { description: 'Gives a channel another name.', input: { channel_id: id(), name: title.shape.title } },
  (query, input) => {
    const channel = query(isChannel, { channel_id: input.channel_id })[0];
    if (channel === undefined) throw refuse('not_found', 'There is no such channel here.');
    const body = { of_id: input.channel_id, title: input.name, basis_id: null };
    return [event(title, body, { group_id: channel.group_id })];
  },
);
