/** The ports of services by their names, as the system's table has them (`getservbyname`). */

import * as files from '../safe/files.ts';
import { literal } from '../safe/taint.ts';

/** Services of mail, for systems that come without the table. */
const mail: ReadonlyMap<string, number> = new Map([
  ['smtp', 25],
  ['submission', 587],
  ['smtps', 465],
  ['submissions', 465],
]);

const table = literal('/etc/services');

/** The TCP port in a table of the form of /etc/services: `name port/protocol aliases`, `#` before a comment. */
export function portIn(text: string, service: string): number | undefined {
  for (const line of text.split('\n')) {
    const [name, place = '', ...aliases] = line.replace(/#.*/, '').split(/[ \t\r]+/);
    if (name !== service && !aliases.includes(service)) continue;
    const port = /^(\d{1,5})\/tcp$/.exec(place)?.[1];
    if (port !== undefined) return Number(port);
  }
  return undefined;
}

/** The TCP port of a service, or nothing when there is no such service. */
export function servicePort(service: string): number | undefined {
  if (service === '') return undefined;
  const listed = files.mayAccess(table, 'r') ? portIn(files.readText(table), service) : undefined;
  return listed ?? mail.get(service);
}
