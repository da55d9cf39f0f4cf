/** The commands of POP3: one row for each, found by the first word of a line. */

import { trim, upper } from '../lib/octets.ts';
import type { Pop3Command } from './command.ts';
import { auth } from './commands/auth.ts';
import { capa } from './commands/capa.ts';
import { list, stat, uidl } from './commands/listing.ts';
import { dele, last, noop, quit, rset } from './commands/marks.ts';
import { retr, top } from './commands/retrieval.ts';
import { stls } from './commands/stls.ts';
import { pass, user } from './commands/user.ts';

const rows: readonly Pop3Command[] = [
  user,
  pass,
  auth,
  stls,
  capa,
  stat,
  list,
  uidl,
  retr,
  top,
  dele,
  rset,
  last,
  noop,
  quit,
];
const byVerb: ReadonlyMap<string, Pop3Command> = new Map(rows.map((row) => [row.verb, row]));

/** The command of a line, and what stands behind it. A password keeps the blanks at its end. */
export function commandNamed(line: string): { readonly command: Pop3Command; readonly argument: string } | undefined {
  const [, verb = '', argument = ''] =
    /^([A-Za-z]{3,4})(?: (.*))?$/s.exec(line) ?? /^([A-Za-z]{3,4})[ \t]*$/.exec(line) ?? [];
  const command = byVerb.get(upper(verb));
  if (command === undefined) return undefined;
  return { command, argument: command.verb === 'PASS' ? argument : trim(argument) };
}
