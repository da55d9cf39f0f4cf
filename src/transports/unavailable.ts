/** Transports that the configuration may name but that this version cannot run: their deliveries wait. */

import type { OptionTable } from '../options/table.ts';
import { autoreplyOptions } from './autoreply-options.ts';
import { defineLocalTransport } from './define-local-transport.ts';
import { deferred, errorCodes, type TransportDriver } from './transport.ts';

const unavailable = (name: string, summary: string, options: OptionTable): TransportDriver => {
  const answer = deferred(errorCodes.unknown, `the ${name} transport is not available in this version`);
  return defineLocalTransport({
    name,
    summary,
    options,
    prepare: () => () => answer,
    perform: async () => answer,
  });
};

export const unavailableTransports: readonly TransportDriver[] = [
  unavailable('autoreply', 'sends a message in answer to the one it is given', autoreplyOptions),
];
