/** A transport that sends dials elsewhere: through a proxy that counts, or nowhere, so that a network has the shape that is to be measured. */
import { SottoError } from '../../core/assert.ts';
import type { Transport } from '../../core/transport.ts';

/** Where a dial goes, by the address that is dialed: another address, or nowhere. `*`: what is not named; without that, it goes where it says. */
export interface Routes {
  readonly [address: string]: string | null;
}

export function routedTransport(inner: Transport, routes: () => Routes): Transport {
  return {
    listen: (address, on_connection) => inner.listen(address, on_connection),
    dial: async (address, options) => {
      const table = routes();
      const route = table[address] === undefined ? table['*'] : table[address];
      if (route === null) throw new SottoError('dial_failed', `There is no way to ${address} here.`);
      return inner.dial(route ?? address, options);
    },
  };
}
