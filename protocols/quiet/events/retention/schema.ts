/**
 * How long messages in a channel live: each is stamped with it when it is sent. The newest counts; 0 is for ever. What was sent before keeps the time it
 * was sent with.
 */
import { eventType } from '../../../../core/event-type.ts';
import { dependsOn, ttl_ms } from '../../../../core/fields.ts';

export const retention = eventType({
  name: 'retention',
  class: 'sealed',
  description: 'How long messages in a channel live.',
  body: { channel_id: dependsOn(), ttl_ms: ttl_ms() },
});
