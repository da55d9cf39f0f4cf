/**
 * One .qmail file (dot-qmail(5)): forward lines, mailboxes, programs, comments. An empty file means the default delivery;
 * one of comments alone throws mail away. Some of qmail's own programs have a meaning here; the others are carried over
 * as programs, or told.
 */

import { trimEnd, trimStart } from '../../lib/octets.ts';
import * as files from '../../safe/files.ts';
import type { Clean } from '../../safe/taint.ts';
import { inputLines, openInput } from './input-lines.ts';
import type { Origin, Target, Teller } from './record.ts';
import { readAddress, shellCommand } from './targets.ts';

export interface DotQmail {
  readonly targets: readonly Target[];
  /** It is a mailbox of the user's own, wherever it lies. */
  readonly mailbox: string | undefined;
}

export interface DotQmailRules {
  readonly home: string;
  /** Whom the file must belong to; links are not followed. */
  readonly owner: number | undefined;
  readonly defaultDelivery: string;
  /** What addresses without a domain get. */
  readonly domain: string | undefined;
}

type Meaning = Target | { readonly told: string };

type Own = (words: readonly string[]) => Meaning | readonly Meaning[] | undefined;

/** Programs of qmail's own, by the last part of their names. */
const programs: Readonly<Record<string, Own>> = {
  forward: (words) => words.map((word) => readAddress(word, undefined)).map(orTold),
  // with one word: a text, and no program that decides
  bouncesaying: (words) => (words.length === 1 ? { kind: 'special', word: 'fail', text: words[0] ?? '' } : undefined),
  true: () => [],
};

/** Programs that cannot work elsewhere. */
const foreign: ReadonlyMap<string, string> = new Map([
  ['condredirect', 'a program decides where the mail goes'],
  ['except', 'a program decides what becomes of the mail'],
  ['bouncesaying', 'a program decides what becomes of the mail'],
  ['qbiff', 'it is a program of qmail'],
  ['qreceipt', 'it is a program of qmail'],
  ['dot-forward', 'what the .forward file says is not looked at; give it to a redirect router with "file"'],
  ['fastforward', 'it reads an alias table of its own; convert its text with --aliases'],
  ['vdelivermail', 'it finds the mailboxes of vpopmail, which are not looked at'],
  ['ezmlm-send', 'it is a mailing list of ezmlm'],
  ['ezmlm-manage', 'it is a mailing list of ezmlm'],
  ['ezmlm-reject', 'it is a mailing list of ezmlm'],
  ['ezmlm-return', 'it is a mailing list of ezmlm'],
  ['ezmlm-weed', 'it is a mailing list of ezmlm'],
]);

const orTold = (found: Target | { readonly error: string }): Meaning =>
  'error' in found ? { told: found.error } : found;

/** Words of a shell command that has none but plain and quoted words. */
function wordsOf(command: string): string[] | undefined {
  const words: string[] = [];
  for (const [whole, single, double] of command.matchAll(/'([^']*)'|"([^"\\$`]*)"|[^ \t'"]+|[ \t]+|./g)) {
    if (/^[ \t]+$/.test(whole)) continue;
    const word = single ?? double ?? whole;
    if (single === undefined && double === undefined && /[^A-Za-z0-9_@%+=:,./-]/.test(whole)) return undefined;
    words.push(word);
  }
  return words;
}

function programOf(command: string, home: string): readonly Meaning[] {
  const words = wordsOf(command);
  const [program = '', ...rest] = words ?? [];
  const name = /[^/]*$/.exec(program)?.[0] ?? '';
  const known = words === undefined || !Object.hasOwn(programs, name) ? undefined : programs[name]?.(rest);
  if (known !== undefined) return 'length' in known ? known : [known];
  // preline writes the lines that message_prefix and return_path_add of the pipe transport write
  const inner = /^(?:\/\S*\/)?preline(?:[ \t]+-[dfr]+)*[ \t]+(.*)$/s.exec(command)?.[1] ?? command;
  const reason = foreign.get(/(?:^|\/)([a-z-]+)(?=[ \t]|$)/.exec(trimStart(inner))?.[1] ?? '');
  if (reason !== undefined) return [{ told: `|${command}: ${reason}` }];
  return [{ kind: 'pipe', command: shellCommand(inner, home) }];
}

function mailboxPath(text: string, home: string): string {
  const path = text.startsWith('/') ? text : `${home.replace(/\/+$/, '')}/${text}`;
  return path.replace(/\/(?:\.\/+)+/g, '/').replace(/\/{2,}/g, '/');
}

/** Reads a file; throws Unreadable when it cannot be had. */
export function readDotQmail(path: Clean, rules: DotQmailRules, teller: Teller): DotQmail {
  const { home, owner, defaultDelivery, domain } = rules;
  const opened = openInput(path, { owner });
  const { mode, size } = files.statOpen(opened);
  files.close(opened);
  if ((mode & 0o022) !== 0)
    teller.remark({ file: path }, 'others may write to the file; qmail would not deliver by it');
  if ((mode & 0o1000) !== 0) teller.remark({ file: path }, 'the file is sticky: qmail would hold its mail back');
  const onlyForwards = (mode & 0o111) !== 0;
  const targets: Target[] = [];
  let mailbox: string | undefined;
  const take = (text: string, origin: Origin): void => {
    for (const meaning of meaningsOf(text, { home, domain })) {
      if ('told' in meaning) teller.lost(origin, meaning.told);
      else if (onlyForwards && meaning.kind !== 'address') {
        teller.lost(origin, 'the file may be executed: qmail takes only forward lines from it');
      } else if (meaning.kind === 'file' && mailbox === undefined) mailbox = meaning.path;
      else targets.push(meaning);
    }
  };
  if (size === 0) {
    take(defaultDelivery, { file: path });
    return { targets, mailbox };
  }
  let lost = false;
  let count = 0;
  const counting: Teller = {
    lost(origin, reason) {
      lost = true;
      teller.lost(origin, reason);
    },
    remark: (origin, reason) => teller.remark(origin, reason),
  };
  for (const { text, line } of inputLines(path, counting, { owner })) {
    const instruction = trimEnd(text);
    if (instruction === '' && line === 1)
      counting.lost({ file: path, line }, 'the first line is empty; qmail would hold its mail back');
    if (instruction === '' || instruction.startsWith('#')) continue;
    count++;
    take(instruction, { file: path, line });
  }
  if (count === 0 && !lost) targets.push({ kind: 'special', word: 'blackhole', text: '' });
  return { targets, mailbox };
}

function meaningsOf(text: string, { home, domain }: { home: string; domain: string | undefined }): readonly Meaning[] {
  if (text.startsWith('|')) return programOf(text.slice(1), home);
  if (/^[./]/.test(text)) return [{ kind: 'file', path: mailboxPath(text, home) }];
  if (text.startsWith('+')) return text === '+list' ? [] : [{ told: `"${text}" is no instruction` }];
  return [orTold(readAddress(text.startsWith('&') ? text.slice(1) : text, domain))];
}
