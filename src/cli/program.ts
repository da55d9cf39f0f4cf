/** The names of the program, and what it is under each of them. */

import { hostname } from 'node:os';
import { serveMailboxes } from '../mta/mailbox-server.ts';
import { reviewed } from '../safe/taint.ts';
import { dbmbuild } from '../tools/dbmbuild.ts';
import { actAs } from './become.ts';
import { checkQuotasCommand } from './commands/check-quotas.ts';
import { testAddressCommand } from './commands.ts';
import { deliverAs } from './deliver-as.ts';
import { exim } from './exim.ts';
import { standardInputLines, standardTerminal } from './output.ts';
import type { Start } from './start.ts';
import { tabella } from './tabella.ts';

/** Seldom called, and then by people: they are read in when they are. */
const hintsPrograms = () => import('../tools/hints/programs.ts');

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
  ['exim_dumpdb', async ({ words }) => (await hintsPrograms()).dumpdb(words, standardTerminal())],
  ['exim_tidydb', async ({ words }) => (await hintsPrograms()).tidydb(words, standardTerminal())],
  ['exim_fixdb', async ({ words }) => (await hintsPrograms()).fixdb(words, standardInputLines(), standardTerminal())],
  [
    'exinext',
    async (start) => {
      const { exinext } = await import('./commands/exinext.ts');
      return exinext(start, standardTerminal(), testAddressCommand);
    },
  ],
  [
    'exim_lock',
    async ({ words }) => {
      const { eximLock } = await import('../tools/exim-lock.ts');
      const name = reviewed(hostname(), 'the name of this machine, as its administrator set it');
      return eximLock(words, { ...standardTerminal(), hostname: name, shell: process.env['SHELL'] });
    },
  ],
  ['maildir-check-quotas', ({ words }) => checkQuotasCommand(words, standardTerminal())],
]);

/** Answers the exit status. */
export async function program(start: Start): Promise<number> {
  const [first, ...others] = start.words;
  if (first === '--deliver-as') return deliverAs(others);
  if (first === '--mailboxes-as') return actAs(others, serveMailboxes);
  return (programs.get(start.calledAs) ?? exim)(start);
}
