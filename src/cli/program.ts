/** The names of the program, and what it is under each of them. */

import { serveMailboxes } from '../mta/mailbox-server.ts';
import { servePam } from '../mta/pam.ts';
import { dbmbuild } from '../tools/dbmbuild.ts';
import { act, actAs } from './become.ts';
import { checkQuotasCommand } from './commands/check-quotas.ts';
import { deliverAs } from './deliver-as.ts';
import { exim } from './exim.ts';
import { standardTerminal } from './output.ts';
import type { Start } from './start.ts';
import { tabella } from './tabella.ts';

type Program = (start: Start) => Promise<number>;

const programs: ReadonlyMap<string, Program> = new Map<string, Program>([
  ['tabella', tabella],
  [
    'exim_dbmbuild',
    ({ words }) => {
      const { out, error } = standardTerminal();
      return dbmbuild(words, { stdin: process.stdin, out, err: error });
    },
  ],
  ['maildir-check-quotas', ({ words }) => checkQuotasCommand(words, standardTerminal())],
]);

/** Answers the exit status. */
export async function program(start: Start): Promise<number> {
  const [first, ...others] = start.words;
  if (first === '--deliver-as') return deliverAs(others);
  if (first === '--mailboxes-as') return actAs(others, serveMailboxes);
  if (first === '--ask-pam-as') return actAs(others, servePam);
  if (first === '--ask-pam') return act(servePam);
  return (programs.get(start.calledAs) ?? exim)(start);
}
