/** `redis`: Redis and Valkey servers (Exim spec 9.22, 9.27). */

import { defineLookup, openedLate } from './lookup.ts';

export const redis = defineLookup({
  name: 'redis',
  doc: 'Redis and Valkey servers',
  style: 'query',
  options: ['servers'],
  vouches: true,
  open: openedLate(async (surroundings) => new (await import('./redis-database.ts')).RedisDatabase(surroundings)),
  quote: (text) => text.replace(/[ \t-\r\\]/g, '\\$&'),
});
