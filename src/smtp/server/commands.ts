/** The commands of SMTP: one row for each, found by the first word of a line. */

import { lower, trimEnd, trimStart, upper } from '../../lib/octets.ts';
import type { SmtpCommand } from './command.ts';
import { auth } from './commands/auth.ts';
import { bdat } from './commands/bdat.ts';
import { data } from './commands/data.ts';
import { ehlo, helo } from './commands/helo.ts';
import { mail } from './commands/mail.ts';
import { etrn, expn, help, noop, quit, rset, vrfy } from './commands/other.ts';
import { rcpt } from './commands/rcpt.ts';
import { starttls } from './commands/starttls.ts';

const rows: readonly SmtpCommand[] = [
  helo,
  ehlo,
  starttls,
  auth,
  mail,
  rcpt,
  data,
  bdat,
  rset,
  noop,
  vrfy,
  expn,
  etrn,
  help,
  quit,
];
const byVerb: ReadonlyMap<string, SmtpCommand> = new Map(rows.map((row) => [row.verb, row]));

/** The command of a line, and what stands behind its words. */
export function commandNamed(line: string): { readonly command: SmtpCommand; readonly argument: string } | undefined {
  const text = trimEnd(line);
  const command = byVerb.get(upper(/^[A-Za-z]*/.exec(text)?.[0] ?? ''));
  if (command === undefined) return undefined;
  const { verb, words } = command;
  if (words !== undefined) {
    const whole = `${verb} ${words}`;
    if (lower(text.slice(0, whole.length)) !== lower(whole)) return undefined;
    return { command, argument: trimStart(text.slice(whole.length)) };
  }
  const next = text[verb.length];
  if (next !== undefined && next !== ' ') return undefined;
  return { command, argument: trimStart(text.slice(verb.length)) };
}
