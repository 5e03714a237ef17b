import { insert, projector } from '../../../../core/sources.ts';
import { mayActBy } from '../../rules/rights.ts';
import { isChannel } from '../channel/queries.ts';
import { title } from './schema.ts';

export const projectTitle = projector(title, {
  rules: {
    /** Of the network: who may administrate it. Of a channel or a group: everybody in it. */
    author_may_name_it: (query, event) => {
      const { of_id, basis_id } = event.body;
      if (of_id === event.network_id) return mayActBy(query, event.author, basis_id, 'admin');
      return (
        of_id === event.group_id || query(isChannel, { channel_id: of_id })[0]?.group_id === event.group_id
      );
    },
  },
  project: (_query, event) => [insert('title', { of_id: event.body.of_id })],
});
