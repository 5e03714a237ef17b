import { z } from 'zod';
import { event, idOf } from '../../../../core/envelope.ts';
import { id } from '../../../../core/fields.ts';
import { limits } from '../../../../core/limits.ts';
import { command, refuse } from '../../../../core/sources.ts';
import { channel } from '../channel/schema.ts';
import { title } from '../title/schema.ts';
import { getUserOfDevice } from '../user/queries.ts';
import { group } from './schema.ts';

/** Founds a private group with a name, and a channel of that name. */
export const createGroup = command(
  {
    description: 'Founds a private group, with a channel of the same name.',
    input: { name: channel.shape.name, member_ids: z.array(id()).max(limits.group_founders_max) },
  },
  (_query, input) => {
    const founded = event(group, { kind: 'private', member_ids: input.member_ids });
    const of = { group_id: idOf(founded) };
    return [
      founded,
      event(title, { of_id: idOf(founded), title: input.name, basis_id: null }, of),
      event(channel, { name: input.name }, of),
    ];
  },
);

/** Opens a direct conversation with one other user. */
export const openDirect = command(
  { description: 'Opens a direct conversation with one other user.', input: { user_id: id() } },
  (query, input, ctx) => {
    const me = ctx.me === null ? undefined : query(getUserOfDevice, { device_id: ctx.me.device_id })[0];
    if (me?.user_id === input.user_id)
      throw refuse('bad_input', 'A direct conversation is with somebody else.');
    const founded = event(group, { kind: 'direct', member_ids: [input.user_id] });
    return [founded, event(channel, { name: 'direct' }, { group_id: idOf(founded) })];
  },
);
