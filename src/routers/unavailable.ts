/** Routers that the configuration may name but that this version cannot run: their addresses wait. */

import type { OptionTable } from '../options/table.ts';
import { iplookupOptions } from './iplookup-options.ts';
import { defineRouter, type RouterDriver } from './router.ts';

const unavailable = (name: string, summary: string, options: OptionTable, transport: RouterDriver['transport']) =>
  defineRouter({
    name,
    summary,
    options,
    transport,
    make: () => () => ({ outcome: 'defer', message: `the ${name} router is not available in this version` }),
  });

export const unavailableRouters: readonly RouterDriver[] = [
  unavailable('iplookup', 'asks a server on the network for another address', iplookupOptions, 'forbidden'),
];
