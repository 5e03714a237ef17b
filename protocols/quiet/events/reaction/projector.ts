import { insert, projector } from '../../../../core/sources.ts';
import { isMessage } from './queries.ts';
import { reaction } from './schema.ts';

export const projectReaction = projector(reaction, {
  rules: {
    target_is_a_message: (query, event) =>
      query(isMessage, { message_id: event.body.message_id })[0]?.group_id === event.group_id,
  },
  project: (_query, event) => [insert('reaction', { message: event.body.message_id })],
});
