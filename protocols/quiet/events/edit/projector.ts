import { insert, projector, upsert } from '../../../../core/sources.ts';
import { isChannel } from '../channel/queries.ts';
import { getUserOfDevice } from '../user/queries.ts';
import { getHeaderFacts, getLatestEdit } from './queries.ts';
import { edit } from './schema.ts';

export const projectEdit = projector(edit, {
  rules: {
    /** Sealed, and neither a deletion nor an edit itself. */
    target_can_be_edited: (_query, event) => event.target?.type === null && !event.target.has_target,
    author_may_edit: (query, event) => {
      const userOf = (device_id: string) => query(getUserOfDevice, { device_id })[0]?.user_id;
      const editor = userOf(event.author);
      return event.target !== null && editor !== undefined && editor === userOf(event.target.author);
    },
    channel_is_in_its_group: (query, event) =>
      query(isChannel, { channel_id: event.body.channel_id })[0]?.group_id === event.group_id,
    does_not_outlive_its_message: (_query, event) =>
      event.target !== null && event.expires_ms <= event.target.expires_ms,
  },
  project: (query, event) => {
    const message_id = event.target?.event_id ?? '';
    const latest = query(getLatestEdit, { message_id })[0];
    const is_newest =
      latest === undefined ||
      event.created_ms > latest.created_ms ||
      (event.created_ms === latest.created_ms && event.event_id > latest.edit_id);
    const facts = query(getHeaderFacts, { event_id: message_id })[0];
    return [
      insert('edit', { message: message_id }),
      ...(is_newest && facts !== undefined
        ? [
            upsert('message', ['event'], {
              event: message_id,
              channel: event.body.channel_id,
              created_ms: facts.created_ms,
              seq: facts.seq,
              shown: event.event_id,
            }),
          ]
        : []),
    ];
  },
});
