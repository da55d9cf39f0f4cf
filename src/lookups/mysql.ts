/** `mysql`: MySQL and MariaDB servers (Exim spec 9.21 - 9.24). */

import { defineLookup, openedLate } from './lookup.ts';

const escapes: ReadonlyMap<string, string> = new Map([
  ['\n', '\\n'],
  ['\t', '\\t'],
  ['\r', '\\r'],
  ['\b', '\\b'],
]);

export const mysql = defineLookup({
  name: 'mysql',
  doc: 'MySQL and MariaDB servers',
  style: 'query',
  options: ['servers'],
  vouches: true,
  open: openedLate(async (surroundings) => new (await import('./mysql-database.ts')).MysqlDatabase(surroundings)),
  quote: (text) => text.replace(/[\n\t\r\b'"\\]/g, (character) => escapes.get(character) ?? `\\${character}`),
});
