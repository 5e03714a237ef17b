/** On which other devices messages are, as far as this one knows: it has compared with them since, and they agreed. */
import type { DeliveryView, MessageView, NodeFacade } from '../../api/facade.ts';
import type { Identity } from '../../core/envelope.ts';
import type { Id } from '../../core/fields.ts';
import type { Asking } from './asking.ts';
import type { ViewPorts } from './ports.ts';

interface DeliveryRow {
  readonly device_id: Id;
  readonly user_id: Id;
  readonly delivered: boolean;
}
type CountRow = NonNullable<MessageView['delivery']> & { readonly message_id: Id };

export function deliveryView({ asking, find }: ViewPorts): Pick<NodeFacade, 'delivery'> {
  return {
    delivery({ message_ref, ...selector }): DeliveryView {
      const network = find.select(selector);
      const message_id = find.message(network, message_ref);
      const names = asking.names(network.identity);
      const recipients = asking
        .query<DeliveryRow>('get_deliveries', { event_id: message_id }, network.identity)
        .map((row) => ({ ...row, user_name: names.of(row.user_id) }));
      const devices = recipients.length;
      const delivered = recipients.filter((one) => one.delivered).length;
      return { message_id, devices, delivered, text: deliveryText(devices, delivered), recipients };
    },
  };
}

export function deliveryText(devices: number, delivered: number): string {
  if (devices === 0) return 'here alone: there is no other device that it is for';
  if (delivered === 0) return 'queued: on no other device yet';
  if (delivered < devices) return `on ${delivered} of ${devices} devices`;
  return devices === 1 ? 'on the one other device' : `on all ${devices} devices`;
}

/** For the newest messages of some channels, by message: those of one's own only. */
export function deliveriesIn(
  asking: Asking,
  pages: readonly { readonly channel_id: Id; readonly limit: number }[],
  identity: Identity,
): ReadonlyMap<Id, MessageView['delivery']> {
  const rows = pages.flatMap((page) => asking.query<CountRow>('get_delivery_counts', page, identity));
  return new Map(rows.map(({ message_id, ...counts }) => [message_id, counts]));
}
