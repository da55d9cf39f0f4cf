/** The line that tells of the command line (log selector `arguments`, Exim spec 53.15). */

import * as clock from '../lib/clock.ts';
import { printing } from '../lib/escapes.ts';
import type { Runtime } from '../mta/runtime.ts';
import { timestamp } from '../observe/main-log.ts';
import { checks } from './checks.ts';
import type { Action } from './invocation.ts';
import { backgroundMark } from './open-runtime.ts';
import type { Terminal } from './output.ts';
import type { Start } from './start.ts';

/** What leaves no trace of itself: tests, and what only looks at the configuration. */
const untold: ReadonlySet<Action> = new Set<Action>([
  ...checks,
  'log line',
  'options',
  'remove pid file',
  'scan for malware',
]);

/** A word as it stands in the line: in quotes when it is empty or has blanks in it. */
function shown(word: string): string {
  const text = printing(word).replaceAll('\\t', '\t');
  return text === '' || /[ \t]/.test(text) ? `"${text}"` : text;
}

export function logArguments(
  action: Action,
  { directory, calledAs, words }: Start,
  { logs }: Runtime,
  { error }: Terminal,
): void {
  if (!logs.selects('arguments') || untold.has(action)) return;
  // whoever put the daemon into the background has told it
  if (action === 'daemon' && process.env[backgroundMark] !== undefined) return;
  const all = [`${directory}/bin/${calledAs}`, ...words].map((word) => ` ${shown(word)}`).join('');
  const line = `cwd=${process.cwd()} ${words.length + 1} args:${all}`;
  if (action === 'version') error(`${timestamp(clock.now())} ${line}\n`);
  else logs.main(line);
}
