/** Where a peer can be reached, as an invite's link says: what a newcomer dials before it knows anybody's address. Local. */
import { eventType } from '../../../../core/event-type.ts';
import { id } from '../../../../core/fields.ts';
import { address } from '../address/schema.ts';

export const dialHint = eventType({
  name: 'dial-hint',
  class: 'local',
  description: 'Where a peer can be reached, as an invite says.',
  body: { device_id: id(), address: address.shape.address },
});
