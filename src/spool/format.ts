/** The text of -H files (Exim spec 57.1), written and read. What is read is checked; a damaged file is told, not guessed. */

import { trimEnd } from '../lib/octets.ts';
import type { HeaderLine, HeaderType } from '../mail/header-line.ts';
import { type QueueId, Text } from '../safe/taint.ts';
import type { Envelope, SpooledRecipient, SpoolFacts } from './envelope.ts';

type Name = keyof SpoolFacts;

interface FactRow {
  readonly name: Name;
  readonly kind: 'flag' | 'number' | 'text';
  /** Text from outside: a second hyphen marks it. */
  readonly tainted: boolean;
}

const flag = (name: Name): FactRow => ({ name, kind: 'flag', tainted: false });
const number = (name: Name): FactRow => ({ name, kind: 'number', tainted: false });
const text = (name: Name): FactRow => ({ name, kind: 'text', tainted: false });
const outside = (name: Name): FactRow => ({ name, kind: 'text', tainted: true });

/** Words of the file, in the order in which they are written. */
const factRows: ReadonlyMap<string, FactRow> = new Map([
  ['received_time_usec', number('receivedTimeUsec')],
  ['received_time_complete', text('receivedTimeComplete')],
  ['helo_name', outside('heloName')],
  ['host_address', outside('hostAddress')],
  ['host_name', outside('hostName')],
  ['host_auth', text('hostAuth')],
  ['interface_address', outside('interfaceAddress')],
  ['active_hostname', text('activeHostname')],
  ['ident', outside('ident')],
  ['received_protocol', outside('receivedProtocol')],
  ['body_linecount', number('bodyLineCount')],
  ['max_received_linelength', number('maxReceivedLineLength')],
  ['body_zerocount', number('bodyZeroCount')],
  ['auth_id', outside('authId')],
  ['auth_sender', outside('authSender')],
  ['allow_unqualified_recipient', flag('allowUnqualifiedRecipient')],
  ['allow_unqualified_sender', flag('allowUnqualifiedSender')],
  ['deliver_firsttime', flag('deliverFirstTime')],
  ['frozen', number('frozen')],
  ['N', flag('dontDeliver')],
  ['manual_thaw', flag('manualThaw')],
  ['localerror', flag('localError')],
  ['local', flag('local')],
  ['host_lookup_deferred', flag('hostLookupDeferred')],
  ['host_lookup_failed', flag('hostLookupFailed')],
  ['sender_set_untrusted', flag('senderSetUntrusted')],
  ['smtputf8', flag('smtpUtf8')],
  ['spam_bar', text('spamBar')],
  ['spam_score', text('spamScore')],
  ['spam_score_int', text('spamScoreInt')],
  ['spool_file_wireformat', flag('spoolFileWireformat')],
  ['tls_certificate_verified', flag('tlsCertificateVerified')],
  ['tls_cipher', outside('tlsCipher')],
  ['tls_peerdn', outside('tlsPeerDn')],
  ['tls_sni', outside('tlsSni')],
  ['dsn_envid', text('dsnEnvid')],
  ['dsn_ret', number('dsnRet')],
]);

const writeFact = (word: string, row: FactRow, facts: SpoolFacts): string => {
  const value = facts[row.name];
  if (value === undefined || value === false) return '';
  if (row.name === 'receivedTimeUsec') return `-${word} .${String(value).padStart(6, '0')}\n`;
  const hyphens = row.tainted ? '--' : '-';
  return row.kind === 'flag' ? `-${word}\n` : `${hyphens}${word} ${oneLine(String(value))}\n`;
};

/** A value must not make a line of its own. */
function oneLine(value: string): string {
  return value.replace(/[\n\0]/g, '?');
}

function writeAclVariables(word: string, variables: ReadonlyMap<string, Text>): string {
  let lines = '';
  for (const [name, value] of variables) {
    const mark = value.isClean ? '' : value.taint === 'tainted' ? '-' : `(${value.taint.replace(/^quoted:/, '')})`;
    lines += `-${mark}${word} ${name} ${value.value.length}\n${value.value}\n`;
  }
  return lines;
}

/** The set as a balanced binary tree, each node before its branches. */
function writeTree(addresses: readonly string[]): string {
  if (addresses.length === 0) return 'XX\n';
  const sorted = [...addresses].sort();
  const write = (from: number, to: number): string => {
    const middle = (from + to) >> 1;
    const [left, right] = [from < middle, middle + 1 < to];
    const node = `${left ? 'Y' : 'N'}${right ? 'Y' : 'N'} ${oneLine(sorted[middle] ?? '')}\n`;
    return node + (left ? write(from, middle) : '') + (right ? write(middle + 1, to) : '');
  };
  return write(0, sorted.length);
}

function writeRecipient({ address, parent, errorsTo = '', notification }: SpooledRecipient): string {
  if (parent === undefined && notification === undefined) return `${oneLine(address)}\n`;
  const { original, flags } = notification ?? { original: '', flags: 0 };
  const notify = `${oneLine(original)} ${original.length},${flags}`;
  return `${oneLine(address)} ${notify} ${oneLine(errorsTo)} ${errorsTo.length},${parent ?? -1}#3\n`;
}

/** The contents of the -H file. */
export function writeHeaderFile(envelope: Envelope): string {
  const parts: string[] = [
    `${envelope.id}-H\n`,
    `${oneLine(envelope.originatorLogin)} ${envelope.originatorUid} ${envelope.originatorGid}\n`,
    `<${oneLine(envelope.sender)}>\n`,
    `${envelope.receivedTime} ${envelope.warningCount}\n`,
  ];
  for (const [word, row] of factRows) parts.push(writeFact(word, row, envelope.facts));
  for (const line of envelope.otherFacts) parts.push(`${line}\n`);
  parts.push(writeAclVariables('aclc', envelope.aclConnectionVariables));
  parts.push(writeAclVariables('aclm', envelope.aclMessageVariables));
  parts.push(writeTree([...envelope.nonRecipients]));
  parts.push(`${envelope.recipients.length}\n`, ...envelope.recipients.map(writeRecipient), '\n');
  for (const { type, text: line } of envelope.headers) {
    parts.push(`${String(line.length).padStart(3, '0')}${type} ${line}`);
  }
  return parts.join('');
}

/** The file is not what a -H file must be. */
export class DamagedSpoolFile extends Error {}

class LineReader {
  readonly #text: string;
  at = 0;

  constructor(content: string) {
    this.#text = content;
  }

  get atEnd(): boolean {
    return this.at >= this.#text.length;
  }

  line(): string {
    const end = this.#text.indexOf('\n', this.at);
    if (end < 0) throw new DamagedSpoolFile('it ends in the middle');
    const line = this.#text.slice(this.at, end);
    this.at = end + 1;
    return line;
  }

  characters(count: number): string {
    if (this.at + count > this.#text.length) throw new DamagedSpoolFile('it ends in the middle');
    this.at += count;
    return this.#text.slice(this.at - count, this.at);
  }

  peek(): string {
    return this.#text[this.at] ?? '';
  }
}

function readAclVariable(
  line: string,
  reader: LineReader,
): { readonly name: string; readonly value: Text } | undefined {
  const found = /^-(-|\([^)]*\))?acl([cm]) ([^ \t-\r]+) (\d+)$/.exec(line);
  if (found === null) return undefined;
  const [, mark, , name = '', length] = found;
  const value = reader.characters(Number(length));
  if (reader.characters(1) !== '\n') throw new DamagedSpoolFile('an ACL variable has the wrong length');
  if (mark === undefined) return { name, value: Text.configured(value) };
  const tainted = Text.tainted(value);
  return { name, value: mark === '-' ? tainted : Text.quoted(value, mark.slice(1, -1), tainted) };
}

function readFact(line: string, facts: Record<string, unknown>): boolean {
  const found = /^--?([A-Za-z_]+)(?: (.*))?$/s.exec(line);
  const row = factRows.get(found?.[1] ?? '');
  if (found === null || row === undefined) return false;
  const value = found[2] ?? '';
  if (row.kind === 'flag') facts[row.name] = true;
  else if (row.kind === 'number') facts[row.name] = Number(value.replace(/^\./, ''));
  else facts[row.name] = value;
  return true;
}

function readTree(reader: LineReader): Set<string> {
  const addresses = new Set<string>();
  let open = 1;
  while (open > 0) {
    const line = reader.line();
    if (line === 'XX' && addresses.size === 0) break;
    const found = /^([YN])([YN]) (.*)$/s.exec(line);
    if (found === null) throw new DamagedSpoolFile('the list of finished recipients is damaged');
    addresses.add(found[3] ?? '');
    open += (found[1] === 'Y' ? 1 : 0) + (found[2] === 'Y' ? 1 : 0) - 1;
  }
  return addresses;
}

function readRecipient(line: string): SpooledRecipient {
  const found = /^(.*) (\d+),(-?\d+)#(\d+)$/s.exec(line);
  if (found === null) return { address: trimEnd(line) };
  const [, head = '', length, parent, flags] = found;
  const withErrorsTo = (Number(flags) & 1) !== 0;
  const errorsTo = withErrorsTo ? head.slice(head.length - Number(length)) : '';
  const front = withErrorsTo ? head.slice(0, head.length - Number(length)).replace(/ $/, '') : head;
  const notify = (Number(flags) & 2) === 0 ? null : /^(.*) (\d+),(-?\d+)$/s.exec(front);
  const [, rest = front, originalLength = '0', dsnFlags = '0'] = notify ?? [];
  const original = rest.slice(rest.length - Number(originalLength));
  return {
    address: trimEnd(rest.slice(0, rest.length - Number(originalLength))),
    parent: withErrorsTo && Number(parent) >= 0 ? Number(parent) : undefined,
    errorsTo: errorsTo === '' ? undefined : errorsTo,
    notification: notify === null ? undefined : { original, flags: Number(dsnFlags) },
  };
}

function readHeaders(reader: LineReader): HeaderLine[] {
  const headers: HeaderLine[] = [];
  while (!reader.atEnd) {
    let digits = '';
    while (/^\d$/.test(reader.peek())) digits += reader.characters(1);
    const type = reader.characters(1);
    if (digits === '' || !/^[BCFIPRST* ]$/.test(type) || reader.characters(1) !== ' ') {
      throw new DamagedSpoolFile('a header line is damaged');
    }
    headers.push({ type: type as HeaderType, text: reader.characters(Number(digits)) });
  }
  return headers;
}

/** Reads a -H file. @throws DamagedSpoolFile */
export function readHeaderFile(id: QueueId, content: string): Envelope {
  const reader = new LineReader(content);
  if (reader.line() !== `${id}-H`) throw new DamagedSpoolFile('its first line is not its name');
  const originator = /^(.*) (-?\d+) (-?\d+)$/s.exec(reader.line());
  const sender = /^<(.*)>$/s.exec(reader.line());
  const times = /^(\d+) (\d+)$/.exec(reader.line());
  if (originator === null || sender === null || times === null) throw new DamagedSpoolFile('its head is damaged');
  const facts: Record<string, unknown> = {};
  const aclConnectionVariables = new Map<string, Text>();
  const aclMessageVariables = new Map<string, Text>();
  const otherFacts: string[] = [];
  while (reader.peek() === '-') {
    const line = reader.line();
    const variable = readAclVariable(line, reader);
    if (variable !== undefined) {
      (/^[^ \t-\r]*aclc /.test(line) ? aclConnectionVariables : aclMessageVariables).set(variable.name, variable.value);
    } else if (!readFact(line, facts)) {
      otherFacts.push(line);
    }
  }
  const nonRecipients = readTree(reader);
  const count = reader.line();
  if (!/^\d{1,7}$/.test(count)) throw new DamagedSpoolFile('the number of recipients is missing');
  const recipients = Array.from({ length: Number(count) }, () => readRecipient(reader.line()));
  if (reader.line() !== '') throw new DamagedSpoolFile('there are more recipients than counted');
  return {
    id,
    originatorLogin: originator[1] ?? '',
    originatorUid: Number(originator[2]),
    originatorGid: Number(originator[3]),
    sender: sender[1] ?? '',
    receivedTime: Number(times[1]),
    warningCount: Number(times[2]),
    facts: facts as SpoolFacts,
    aclConnectionVariables,
    aclMessageVariables,
    otherFacts,
    nonRecipients,
    recipients,
    headers: readHeaders(reader),
  };
}
