/** `pgsql`: PostgreSQL servers (Exim spec 9.21 - 9.25). */

import { defineLookup, openedLate } from './lookup.ts';

const escapes: ReadonlyMap<string, string> = new Map([
  ['\n', '\\n'],
  ['\t', '\\t'],
  ['\r', '\\r'],
  ['\b', '\\b'],
  ["'", "''"],
  ['"', '\\"'],
  ['\\', '\\\\'],
]);

export const pgsql = defineLookup({
  name: 'pgsql',
  doc: 'PostgreSQL servers',
  style: 'query',
  options: ['servers'],
  vouches: true,
  open: openedLate(async (surroundings) => new (await import('./pgsql-database.ts')).PgsqlDatabase(surroundings)),
  quote: (text) => text.replace(/[\n\t\r\b'"\\]/g, (character) => escapes.get(character) ?? character),
});
