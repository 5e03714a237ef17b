import { insert, projector } from '../../../../core/sources.ts';
import { network } from './schema.ts';

export const projectNetwork = projector(network, {
  rules: {
    /** The first and only event without predecessor that may found the network this identity belongs to. */
    is_the_root: (_query, event, ctx) => ctx.me?.network_id === event.event_id,
  },
  project: (_query, event) => [insert('network', { creator: event.author })],
});
