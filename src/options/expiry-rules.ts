/**
 * The kind of `expire_rules`: a list of rules, each a pattern of paths, an age, and words. `/var/mail/*` is what a
 * directory holds, `/var/mail/**` any directory below it or itself; a pattern never begins at the root of the system.
 */

import { parseInterval } from '../lib/intervals.ts';
import { splitList } from '../lib/list-text.ts';
import { trim } from '../lib/octets.ts';
import { type Clean, literal, pathOf, reviewed } from '../safe/taint.ts';
import { type User, userNamed } from '../safe/users.ts';
import { fixed } from './kinds.ts';
import type { OptionRow, Reading } from './table.ts';

export interface ExpiryRule {
  /** As it is written. */
  readonly pattern: string;
  /** The directory before the first asterisk, or that of the file when there is none. */
  readonly directory: Clean;
  /** What stands behind it, component by component. */
  readonly components: readonly string[];
  /** Seconds. */
  readonly age: number;
  /** What the age is counted from: the last change of the contents, or of anything about the file. */
  readonly by: 'mtime' | 'ctime';
  /** Files are emptied and not removed. */
  readonly empties: boolean;
  /** With whose rights root does it. */
  readonly user: User | undefined;
}

export interface ExpiryRules {
  readonly source: string;
  readonly rules: readonly ExpiryRule[];
}

const mostRules = 1000;

type Place = Pick<ExpiryRule, 'directory' | 'components'>;

function readPattern(pattern: string): Place | { readonly error: string } {
  const all = pattern.split('/').slice(1);
  if (!pattern.startsWith('/') || all.some((each) => each === '' || each === '.' || each === '..')) {
    return { error: `"${pattern}" is no absolute path without empty components, . and ..` };
  }
  const deep = all.filter((each) => each.includes('**'));
  if (deep.length > 1 || (deep.length === 1 && (deep[0] !== '**' || all.at(-1) === '**'))) {
    return { error: `in "${pattern}" ** may stand once, between slashes` };
  }
  const wild = all.findIndex((each) => each.includes('*'));
  const fixedOnes = all.slice(0, wild < 0 ? -1 : wild);
  if (fixedOnes.length === 0) return { error: `"${pattern}" must begin with the name of a directory` };
  const why = 'a setting of the configuration file';
  const [first = '', ...others] = fixedOnes;
  const directory = pathOf(literal(''), reviewed(first, why), ...others.map((each) => reviewed(each, why)));
  return { directory, components: all.slice(fixedOnes.length) };
}

function readRule(text: string): ExpiryRule | { readonly error: string } {
  const [pattern = '', age = '', ...words] = trim(text).split(/[ \t-\r]+/);
  const place = readPattern(pattern);
  if ('error' in place) return place;
  const seconds = parseInterval(age);
  if (seconds === undefined) return { error: `an age such as 10d is missing behind "${pattern}"` };
  let user: User | undefined;
  for (const word of words) {
    const name = /^user=(.+)$/s.exec(word)?.[1];
    if (name !== undefined) {
      user = userNamed(name);
      if (user === undefined) return { error: `user ${name} was not found` };
    } else if (word !== 'ctime' && word !== 'empty') {
      return { error: `"${word}" is none of ctime, empty, user=name` };
    }
  }
  return {
    ...place,
    pattern,
    age: seconds,
    by: words.includes('ctime') ? 'ctime' : 'mtime',
    empties: words.includes('empty'),
    user,
  };
}

/** Rules with the separator of lists between them. */
export function expiryRules(doc: string): OptionRow<ExpiryRules | undefined> {
  const text = fixed(doc);
  return {
    type: 'list of rules',
    doc,
    standard: undefined,
    isSwitch: false,
    synonyms: [],
    unused: false,
    read(given, name): Reading<ExpiryRules | undefined> {
      const reading = text.read(given, name);
      if ('error' in reading || reading.value === undefined) return { ...reading, value: undefined };
      const rules: ExpiryRule[] = [];
      for (const item of splitList(reading.value).items) {
        if (item === '') continue;
        if (rules.length === mostRules) return { error: `there are more than ${mostRules} rules in ${name}` };
        const rule = readRule(item);
        if ('error' in rule) return { error: `${name}: ${rule.error}` };
        rules.push(rule);
      }
      return { value: { source: reading.value, rules } };
    },
    print: (name, value, eightBit) =>
      text.print(name, value && reviewed(value.source, 'a setting of the configuration file'), eightBit),
  };
}
