import { instruct } from '../../../../core/envelope.ts';
import { reflector } from '../../../../core/sources.ts';
import { getMessageById } from '../message/queries.ts';
import { notification } from '../notification/schema.ts';
import { getUserOfDevice } from '../user/queries.ts';
import { reaction } from './schema.ts';

/** Somebody reacted to a message: its author's node makes a note of it, unless it was the author. */
export const reflectMessageReaction = reflector(reaction, (query, event, ctx) => {
  const message = query(getMessageById, { message_id: event.body.message_id })[0];
  if (message === undefined || ctx.me === null) return [];
  const userOf = (device_id: string) => query(getUserOfDevice, { device_id })[0]?.user_id;
  const me = userOf(ctx.me.device_id);
  if (userOf(message.author) !== me || userOf(event.author) === me) return [];
  return [instruct(notification, { event_id: event.event_id, about_id: message.message_id })];
});
