/**
 * Reads LDIF (RFC 2849) entry by entry, as `slapcat` and `ldapsearch -L` write it: folded lines, base64, comments. Values
 * are octets, one character each. What cannot be read is told.
 */

import { lower } from '../../lib/octets.ts';
import type { Clean } from '../../safe/taint.ts';
import { inputLines } from './input-lines.ts';
import type { Teller } from './record.ts';

export interface LdifEntry {
  readonly dn: string;
  /** By the attribute's name in lower case, without its options (`;lang-en`). */
  readonly attributes: ReadonlyMap<string, readonly string[]>;
  /** Of its first line. */
  readonly line: number;
}

/** Octets of one value, values of one entry. */
const longestValue = 1024 * 1024;
const mostValues = 100_000;

interface LogicalLine {
  text: string;
  readonly line: number;
}

/** Lines with their continuations; an empty line stays, for it ends an entry. */
function* unfolded(path: Clean, teller: Teller): Generator<LogicalLine> {
  let current: LogicalLine | undefined;
  let tooLong = false;
  for (const { text, line } of inputLines(path, teller)) {
    if (text.startsWith(' ')) {
      if (current === undefined) teller.lost({ file: path, line }, 'the line continues none');
      else if (current.text.length + text.length <= longestValue) current.text += text.slice(1);
      else tooLong = true;
      continue;
    }
    if (current !== undefined) {
      if (tooLong) teller.lost({ file: path, line: current.line }, `the value is longer than ${longestValue} octets`);
      else if (!current.text.startsWith('#')) yield current;
    }
    tooLong = false;
    current = { text, line };
  }
  if (current !== undefined && !tooLong && !current.text.startsWith('#')) yield current;
}

function valueOf(mark: string, text: string): string | undefined {
  if (mark === ':') return text;
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(text)) return undefined;
  return Buffer.from(text, 'base64').toString('latin1');
}

/** The entries of a file; changes to entries are told and left out. */
export function* ldifEntries(path: Clean, teller: Teller): Generator<LdifEntry> {
  let dn: string | undefined;
  let start = 0;
  let count = 0;
  let attributes = new Map<string, string[]>();
  const finished = (): LdifEntry | undefined => {
    const entry = dn === undefined ? undefined : { dn, attributes, line: start };
    dn = undefined;
    attributes = new Map();
    count = 0;
    if (entry === undefined) return undefined;
    const change = entry.attributes.get('changetype')?.[0];
    if (change === undefined || change === 'add') return entry;
    teller.lost({ file: path, line: entry.line }, `a change of the kind "${change}", and no entry`);
    return undefined;
  };
  for (const { text, line } of unfolded(path, teller)) {
    if (text === '') {
      const entry = finished();
      if (entry !== undefined) yield entry;
      continue;
    }
    const origin = { file: path, line };
    const [, name = '', mark = '', rest = ''] =
      /^([A-Za-z0-9.-]+(?:;[A-Za-z0-9.;-]+)?)(:[:<]?) *(.*)$/s.exec(text) ?? [];
    const key = lower(name.replace(/;.*/s, ''));
    if (dn === undefined && key === 'version') continue;
    if (dn === undefined && /^(?:search|result)$/.test(key)) continue;
    const value = mark === ':<' ? undefined : valueOf(mark, rest);
    if (name === '' || value === undefined) {
      teller.lost(origin, mark === ':<' ? 'values in other files are not read' : 'this is no line of LDIF');
      continue;
    }
    if (key === 'dn' && dn === undefined) {
      dn = value;
      start = line;
    } else if (dn === undefined) {
      teller.lost(origin, 'an entry must begin with its dn');
    } else if (++count > mostValues) {
      if (count === mostValues + 1) teller.lost(origin, `the entry has more than ${mostValues} values`);
    } else {
      const values = attributes.get(key);
      if (values === undefined) attributes.set(key, [value]);
      else values.push(value);
    }
  }
  const entry = finished();
  if (entry !== undefined) yield entry;
}
