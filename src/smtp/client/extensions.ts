/** The extensions that a server offers (RFC 5321 §2.2): SIZE, PIPELINING, 8BITMIME, SMTPUTF8, DSN and others. */

import { upper } from '../../lib/octets.ts';
import type { Reply } from '../reply.ts';

/** By name in upper case, with their parameters. */
export type Extensions = ReadonlyMap<string, string>;

/** What a reply to EHLO or LHLO offers, one a line behind the first (RFC 5321 §4.1.1.1). */
export function extensionsIn({ lines }: Reply): Extensions {
  const found = new Map<string, string>();
  for (const line of lines.slice(1)) {
    const [, name = '', parameters = ''] = /^\d{3}[ -]([A-Za-z0-9][A-Za-z0-9-]*)(?:[ =](.*))?$/.exec(line) ?? [];
    if (name !== '') found.set(upper(name), parameters);
  }
  return found;
}
