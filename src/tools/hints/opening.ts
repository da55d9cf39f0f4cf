/** How the programs for hints databases are called, and how they open one. */

import { HintsFile } from '../../hints/hints.ts';
import { errorText } from '../../lib/errno.ts';
import * as files from '../../safe/files.ts';
import { type Clean, concat, literal, pathOf, reviewed } from '../../safe/taint.ts';
import { hintsKinds } from './kinds.ts';
import type { HintsKind, ShowTime } from './records.ts';

export interface HintsTerminal {
  out(text: string): void;
  error(text: string): void;
}

/** The database that is worked on. */
export interface NamedHints {
  readonly spool: Clean;
  readonly name: Clean;
  readonly kind: HintsKind;
}

export function usageOf(program: string, options: string): string {
  const names = hintsKinds.map(({ name }) => name);
  return `Usage: ${program} ${options}  <spool-directory> <database-name>\n  <database-name> = ${names.join(' | ')}\n`;
}

/** The two words behind the options; nothing when they are not what they have to be. */
export function hintsNamed([spool, name, ...others]: readonly string[]): NamedHints | undefined {
  const kind = name === undefined ? undefined : hintsKinds.find((each) => each.matches(name));
  if (spool === undefined || name === undefined || kind === undefined || others.length > 0) return undefined;
  const why = 'a word of the command line of a program that has the rights of its caller';
  return { spool: reviewed(spool, why), name: reviewed(name, why), kind };
}

export const pathOfHints = ({ spool, name }: NamedHints): Clean => pathOf(spool, literal('db'), name);

/** Opens it, or answers why it cannot be had, as Exim's programs tell it. */
export function openHints(
  named: NamedHints,
  terminal: HintsTerminal,
  use: 'reading' | 'writing',
): HintsFile | { readonly problem: string } {
  const path = pathOfHints(named);
  try {
    const lockFile = concat(path, literal('.lockfile'));
    if (files.stat(lockFile) === undefined)
      return missing(`database lock file ${lockFile}`, 'No such file or directory');
    if (files.stat(concat(path, literal('.sqlite'))) === undefined)
      return missing(`DBM file ${path} for ${use}`, '\n   No such file or directory');
  } catch (error) {
    return missing(`database ${path}`, errorText(error));
  }
  return new HintsFile(named.spool, named.name, undefined, (error) => terminal.error(`${errorText(error)}\n`));
}

const missing = (what: string, why: string): { readonly problem: string } => ({
  problem: `** Failed to open ${what}:${why.startsWith('\n') ? '' : ' '}${why}\n`,
});

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (number: number): string => String(number).padStart(2, '0');

/** `30-Nov-2026 22:44:47`, in local time or in UTC. */
export function timeShower(utc: boolean): ShowTime {
  return (seconds) => {
    const at = new Date(Math.floor(seconds) * 1000);
    const parts = utc
      ? [
          at.getUTCDate(),
          at.getUTCMonth(),
          at.getUTCFullYear(),
          at.getUTCHours(),
          at.getUTCMinutes(),
          at.getUTCSeconds(),
        ]
      : [at.getDate(), at.getMonth(), at.getFullYear(), at.getHours(), at.getMinutes(), at.getSeconds()];
    const [day = 0, month = 0, year = 0, hour = 0, minute = 0, second = 0] = parts;
    return `${two(day)}-${months[month]}-${year} ${two(hour)}:${two(minute)}:${two(second)}`;
  };
}
