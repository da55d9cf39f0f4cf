/**
 * Queries of `dnsdb` as they are written (Exim spec 9.10, 9.11, 9.13): `>:,; defer_never, dnssec_strict, mx=a.b : c.d`.
 * What is wrong is said in Exim's words.
 */

import { parseInterval } from '../lib/intervals.ts';
import { splitList } from '../lib/list-text.ts';
import { lower, trimEnd } from '../lib/octets.ts';
import { ipVersion } from '../net/address.ts';

type Attitude = 'strict' | 'lax' | 'never';

export interface DnsdbQuery {
  /** What stands between records. */
  readonly separator: string;
  /** What stands between the fields of a record, `''` to join them; nothing when the query does not say. */
  readonly fieldSeparator: string | undefined;
  /** What a temporary failure means. */
  readonly deferral: Attitude;
  readonly dnssec: Attitude;
  /** Milliseconds; nothing for what is usual. */
  readonly timeout: number | undefined;
  /** How often a server is asked; nothing for what is usual. */
  readonly attempts: number | undefined;
  /** In lower case, not checked yet. */
  readonly type: string;
  readonly names: readonly string[];
}

type Modifiers = {
  -readonly [Name in 'deferral' | 'dnssec' | 'timeout' | 'attempts']: DnsdbQuery[Name];
};

interface Modifier {
  readonly name: string;
  /** What its value looks like; it is the first group. */
  readonly form: RegExp;
  /** Takes the value, or says why not. */
  take(modifiers: Modifiers, value: string | undefined): string | undefined;
}

const mostAttempts = 30;
/** A query is text from outside as often as not; each name is at least one question to a name server. */
const mostNames = 500;

const attitude = /(strict|lax|never)?/iy;
const attitudes: ReadonlyMap<string, Attitude> = new Map([
  ['strict', 'strict'],
  ['lax', 'lax'],
  ['never', 'never'],
]);

const modifierTable: readonly Modifier[] = [
  {
    name: 'defer_',
    form: attitude,
    take(modifiers, value = '') {
      const found = attitudes.get(lower(value));
      if (found === undefined) return 'unsupported dnsdb defer behaviour';
      modifiers.deferral = found;
    },
  },
  {
    name: 'dnssec_',
    form: attitude,
    take(modifiers, value = '') {
      const found = attitudes.get(lower(value));
      if (found === undefined) return 'unsupported dnsdb dnssec behaviour';
      modifiers.dnssec = found;
    },
  },
  {
    name: 'retrans_',
    form: /([^,]*)/y,
    take(modifiers, value = '') {
      const seconds = parseInterval(value);
      if (seconds === undefined || seconds <= 0) return 'unsupported dnsdb timeout value';
      modifiers.timeout = seconds * 1000;
    },
  },
  {
    name: 'retry_',
    form: /[ \t-\r]*(\d*)/y,
    take(modifiers, value = '') {
      const count = Math.min(Number(value), mostAttempts);
      modifiers.attempts = count === 0 ? undefined : count;
    },
  },
];

const blanks = /[ \t-\r]*/y;

/** A place in a text that moves on. */
class Cursor {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** The match of a sticky expression here, and goes behind it. */
  match(form: RegExp): RegExpExecArray | undefined {
    form.lastIndex = this.at;
    const found = form.exec(this.text);
    if (found === null) return undefined;
    this.at += found[0].length;
    return found;
  }

  next(): string {
    return this.text[this.at++] ?? '';
  }

  get rest(): string {
    return this.text.slice(this.at);
  }
}

function readSeparators(cursor: Cursor): Pick<DnsdbQuery, 'separator' | 'fieldSeparator'> {
  if (cursor.text[cursor.at] !== '>') return { separator: '\n', fieldSeparator: undefined };
  cursor.next();
  const separator = cursor.next();
  let fieldSeparator: string | undefined;
  if (cursor.text[cursor.at] === ',') {
    cursor.next();
    fieldSeparator = cursor.next();
  } else if (cursor.text[cursor.at] === ';') {
    cursor.next();
    fieldSeparator = '';
  }
  cursor.match(blanks);
  return { separator, fieldSeparator };
}

function readModifiers(cursor: Cursor): Modifiers | { readonly error: string } {
  const modifiers: Modifiers = { deferral: 'lax', dnssec: 'lax', timeout: undefined, attempts: undefined };
  for (;;) {
    const start = lower(cursor.text.slice(cursor.at, cursor.at + 8));
    const modifier = modifierTable.find(({ name }) => start.startsWith(name));
    if (modifier === undefined) return modifiers;
    cursor.at += modifier.name.length;
    const error = modifier.take(modifiers, cursor.match(modifier.form)?.[1]);
    if (error !== undefined) return { error };
    cursor.match(blanks);
    if (cursor.next() !== ',') return { error: 'dnsdb modifier syntax error' };
    cursor.match(blanks);
  }
}

/** Takes a query apart, or says what is wrong with it. */
export function parseDnsdbQuery(text: string): DnsdbQuery | { readonly error: string } {
  const cursor = new Cursor(text);
  cursor.match(blanks);
  const separators = readSeparators(cursor);
  const modifiers = readModifiers(cursor);
  if ('error' in modifiers) return modifiers;
  let type = 'txt';
  const equals = text.indexOf('=', cursor.at);
  if (equals >= 0) {
    type = lower(trimEnd(text.slice(cursor.at, equals)));
    cursor.at = equals + 1;
    cursor.match(blanks);
  }
  // one IPv6 address is no list, though it looks like one
  const names = type === 'ptr' && ipVersion(cursor.rest) === 6 ? [cursor.rest] : splitList(cursor.rest).items;
  if (names.length > mostNames) return { error: `more than ${mostNames} names in a dnsdb query` };
  return { ...separators, ...modifiers, type, names };
}
