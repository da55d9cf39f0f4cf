/** The accept router takes every address that reaches it (Exim spec 16). */

import { defineRouter } from './router.ts';

export const accept = defineRouter({
  name: 'accept',
  summary: 'takes every address that meets its preconditions',
  options: {},
  transport: 'required',
  logAsLocal: true,
  make: () => () => ({ outcome: 'accept' }),
});
