/** `tabella import`: its words, and how it tells what it does. */

import { lower } from '../../lib/octets.ts';
import { type Clean, reviewed } from '../../safe/taint.ts';
import { accountsOf } from '../../tools/import/accounts.ts';
import { aliasesFile } from '../../tools/import/aliases-file.ts';
import type { FormRules } from '../../tools/import/form.ts';
import { forms, importTables } from '../../tools/import/import.ts';
import { qmail } from '../../tools/import/qmail.ts';
import { qmailLdap } from '../../tools/import/qmail-ldap.ts';
import { type ImportSource, Unreadable } from '../../tools/import/record.ts';
import { UsageError } from '../options.ts';
import type { Terminal } from '../output.ts';
import { ProgressLine } from '../progress-line.ts';
import { type OptionWords, readWords, type Words } from '../words.ts';

const usage = `tabella import [option...] --to ${forms.map(({ name }) => name).join('|')}
 what is read:
  --qmail DIR          a qmail system: control, users/assign, alias/.qmail-* (--alias-home DIR for these)
  --passwd FILE        accounts of the system (with --qmail: those that qmail delivers to)
  --qmail-ldap FILE    an LDIF dump of qmail-ldap (--message-store DIR, --host NAME)
  --aliases FILE       aliases of sendmail, Postfix or Exim
  --domain NAME        the domain of names without one; further ones get aliases to it
 what is written:
${forms.map(({ name, doc }) => `  --to ${name.padEnd(16)}${doc}`).join('\n')}
  --output PLACE       a directory for tables, a file for SQL and LDIF (else standard output)
  --mail-root DIR      where the mailboxes lie (/var/mail)
  --base DN            the entry above the domains (o=top)
  --existing FILE      what the directory holds, as LDIF: only what is missing is written
  --uid N, --gid N     who owns mailboxes of which nothing is said (8, 8)
  --replace            what the output says otherwise is changed; else it stays, and is told
  --dry-run, -n        shows what would be done`;

const options: OptionWords = {
  '--qmail': 'value',
  '--alias-home': 'value',
  '--passwd': 'value',
  '--qmail-ldap': 'value',
  '--message-store': 'value',
  '--host': 'value',
  '--aliases': 'value',
  '--domain': 'value',
  '--to': 'value',
  '--output': 'value',
  '--mail-root': 'value',
  '--base': 'value',
  '--existing': 'value',
  '--uid': 'value',
  '--gid': 'value',
  '--replace': 'flag',
  '--dry-run': 'flag',
  '-n': 'flag',
};

const wrong = (message: string): UsageError => new UsageError(`${message}\nusage: ${usage}`);

const named = (word: string): Clean => reviewed(word, 'who calls the program names files with his own rights');

function fileOf(words: Words, option: string): Clean | undefined {
  const value = words.value(option);
  return value === undefined ? undefined : named(value);
}

function sourcesOf(words: Words): ImportSource[] {
  const sources: ImportSource[] = [];
  const domains = words.values('--domain').map(lower);
  const [domain, ...otherDomains] = domains;
  const needsDomain = (option: string): string => {
    if (domain === undefined) throw wrong(`${option} needs --domain: the names in it have none`);
    return domain;
  };
  if (domains.length > 0) {
    sources.push(function* () {
      for (const each of domains) yield { kind: 'domain', domain: each, use: 'local', origin: { file: '--domain' } };
    });
  }
  const accounts = fileOf(words, '--passwd');
  const system = fileOf(words, '--qmail');
  const aliasHome = fileOf(words, '--alias-home');
  if (system !== undefined) sources.push(qmail({ directory: system, aliasHome, accounts }));
  else if (accounts !== undefined) sources.push(accountsOf(accounts, needsDomain('--passwd'), otherDomains));
  for (const file of words.values('--qmail-ldap')) {
    const messageStore = words.value('--message-store') ?? '/var/qmail/maildirs';
    const host = words.value('--host');
    sources.push(qmailLdap(named(file), { messageStore, host: host === undefined ? undefined : lower(host) }));
  }
  for (const file of words.values('--aliases')) {
    sources.push(aliasesFile(named(file), { domain: needsDomain('--aliases'), otherDomains }));
  }
  if (sources.length === (domains.length > 0 ? 1 : 0)) throw wrong('nothing is named that could be read');
  return sources;
}

function numberOf(words: Words, option: string): number {
  const text = words.value(option) ?? '8';
  if (!/^\d{1,9}$/.test(text)) throw wrong(`${option} needs a number`);
  return Number(text);
}

/**
 * Answers 0 when all was carried over, 1 when something was left out (which was told, and the rest is written), 2 when
 * nothing could be done.
 */
export async function importCommand(words: readonly string[], terminal: Terminal): Promise<number> {
  const given = readWords(words, options, usage);
  const [word] = given.rest;
  if (word !== undefined) throw wrong(`"${word}" belongs to no option`);
  const form = forms.find(({ name }) => name === given.value('--to'));
  if (form === undefined) throw wrong(`--to needs one of ${forms.map(({ name }) => name).join(', ')}`);
  const output = fileOf(given, '--output');
  if (form.needsOutput && output === undefined) throw wrong(`--to ${form.name} needs --output`);
  const progress = new ProgressLine(terminal);
  const toTerminal = form.needsOutput || output !== undefined;
  const dryRun = given.has('--dry-run') || given.has('-n');
  const rules: FormRules = {
    output,
    dryRun,
    replace: given.has('--replace'),
    mailRoot: given.value('--mail-root') ?? '/var/mail',
    existing: fileOf(given, '--existing'),
    base: given.value('--base') ?? 'o=top',
    uid: numberOf(given, '--uid'),
    gid: numberOf(given, '--gid'),
    // standard output may be what is written
    say: (line) =>
      progress.interrupt(() => (toTerminal || dryRun ? terminal.out(`${line}\n`) : terminal.error(`${line}\n`))),
    out: (text) => terminal.out(text),
    progress: (what, count) => progress.show(`${what}: ${count}`),
  };
  const error = (line: string): void => progress.interrupt(() => terminal.error(`${line}\n`));
  try {
    const { lost, remarks } = await importTables(sourcesOf(given), form, rules, { error });
    progress.end();
    if (lost > 0) error(`${lost} ${lost === 1 ? 'thing was' : 'things were'} left out`);
    if (remarks > 0) error(`${remarks} ${remarks === 1 ? 'thing' : 'things'} to look at`);
    return lost > 0 ? 1 : 0;
  } catch (problem) {
    if (!(problem instanceof Unreadable)) throw problem;
    progress.end();
    terminal.error(`tabella: ${problem.message}\n`);
    return 2;
  }
}
