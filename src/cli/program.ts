/** The names of the program, and what it is under each of them. */

import { hostname } from 'node:os';
import { reviewed } from '../safe/taint.ts';
import { exim } from './exim.ts';
import { standardInputLines, standardTerminal } from './output.ts';
import type { Start } from './start.ts';

/** Seldom called, and then by people: they are read in when they are. */
const hintsPrograms = () => import('../tools/hints/programs.ts');

type Program = (start: Start) => Promise<number>;

/** Each is loaded when it is called: most calls are for `exim` and `sendmail`. */
const programs: ReadonlyMap<string, Program> = new Map<string, Program>([
  ['tabella', async (start) => (await import('./tabella.ts')).tabella(start)],
  [
    'exim_dbmbuild',
    async ({ words }) => {
      const { out, error } = standardTerminal();
      const { dbmbuild } = await import('../tools/dbmbuild.ts');
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
      return exinext(start, standardTerminal(), (await import('./commands/test-address.ts')).addressTest('test'));
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
  [
    'maildir-check-quotas',
    async ({ words }) => (await import('./commands/check-quotas.ts')).checkQuotasCommand(words, standardTerminal()),
  ],
]);

/** What the program is when its first word is one of these: a process of its own that works as another user. */
const workers: ReadonlyMap<string, (words: readonly string[]) => Promise<number>> = new Map([
  ['--deliver-as', async (words: readonly string[]) => (await import('./deliver-as.ts')).deliverAs(words)],
  ['--mailboxes-as', async (words: readonly string[]) => (await import('./mailboxes-as.ts')).mailboxesAs(words)],
  ['--ask-pam-as', async (words: readonly string[]) => (await import('./ask-pam.ts')).askPamAs(words)],
  ['--ask-pam', async () => (await import('./ask-pam.ts')).askPam()],
]);

/** Answers the exit status. */
export async function program(start: Start): Promise<number> {
  const [first = '', ...others] = start.words;
  const worker = workers.get(first);
  if (worker !== undefined) return worker(others);
  return (programs.get(start.calledAs) ?? exim)(start);
}
