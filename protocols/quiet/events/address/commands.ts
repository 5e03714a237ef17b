import { event } from '../../../../core/envelope.ts';
import { command } from '../../../../core/sources.ts';
import { getMyAddress } from './queries.ts';
import { address } from './schema.ts';

/** Tells the network where this device can be reached, unless it knows. */
export const announceAddress = command(
  {
    description: 'Tells the network where this device can be reached, unless it knows.',
    input: { address: address.shape.address },
  },
  (query, input) =>
    query(getMyAddress)[0]?.address === input.address ? [] : [event(address, { address: input.address })],
);
