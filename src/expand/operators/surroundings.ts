/** Operators that ask the surroundings: files, lists, lookup quoting, a second expansion. */

import { errorText } from '../../lib/errno.ts';
import { splitList } from '../../lib/list-text.ts';
import { upper } from '../../lib/octets.ts';
import * as files from '../../safe/files.ts';
import { reviewed, Text } from '../../safe/taint.ts';
import type { Context, ListKind } from '../context.ts';
import type { Operator } from '../evaluate.ts';
import { fail } from '../failure.ts';
import { asFilterUser } from '../outside.ts';

const listKinds: ReadonlyMap<string, readonly ListKind[]> = new Map([
  ['', ['address', 'domain', 'host', 'localpart']],
  ['a', ['address']],
  ['d', ['domain']],
  ['h', ['host']],
  ['l', ['localpart']],
]);

/** `-rw-r--r--`, as ls shows a mode. */
function symbolicMode(mode: number): string {
  const type = new Map([
    [0o010000, 'p'],
    [0o020000, 'c'],
    [0o040000, 'd'],
    [0o060000, 'b'],
    [0o100000, '-'],
    [0o120000, 'l'],
    [0o140000, 's'],
  ]).get(mode & 0o170000);
  const special = [mode & 0o4000, mode & 0o2000, mode & 0o1000];
  const letters = [6, 3, 0].map((shift, i) => {
    const bits = (mode >> shift) & 7;
    const x = special[i] ? (i === 2 ? 't' : 's') : 'x';
    return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${bits & 1 ? x : special[i] ? upper(x) : '-'}`;
  });
  return `${type ?? '?'}${letters.join('')}`;
}

function statText(text: Text, context: Context): Text {
  const path = reviewed(text.value, 'the manual lets stat look at any name; nothing is opened');
  let found: files.Stats | undefined;
  try {
    found = asFilterUser(context, () => files.stat(path));
  } catch (error) {
    return fail(`stat(${path}) failed: ${errorText(error)}`);
  }
  if (found === undefined) return fail(`stat(${path}) failed: No such file or directory`);
  const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1000);
  return Text.configured(
    `mode=${(found.mode & 0o7777).toString(8).padStart(4, '0')} smode=${symbolicMode(found.mode)} ` +
      `inode=${found.ino} device=${found.dev} links=${found.nlink} uid=${found.uid} gid=${found.gid} ` +
      `size=${found.size} atime=${seconds(found.atimeMs)} mtime=${seconds(found.mtimeMs)} ctime=${seconds(found.ctimeMs)}`,
  );
}

const mostNested = 50;

const notNamed = (name: string, kinds: readonly ListKind[]): never =>
  fail(`"${name}" is not a ${kinds.length === 1 ? `${kinds[0]} ` : ''}named list`);

/**
 * The items of a named list as they are written, joined anew; those of lists that are named in it stand in their place.
 * As in Exim, an item keeps the colons it has in a list with colons.
 */
function namedText(kinds: readonly ListKind[], name: string, context: Context, depth = 0): string | undefined {
  const text = kinds.map((kind) => context.services.namedList(kind, name)).find((found) => found !== undefined);
  if (text === undefined) return undefined;
  if (depth > mostNested) return fail(`named list "${name}" refers to itself`);
  const { items, separator } = splitList(text);
  return items
    .map((item) => {
      if (!item.startsWith('+')) return separator === ':' ? item : item.replaceAll(':', '::');
      return namedText(kinds, item.slice(1), context, depth + 1) ?? notNamed(item.slice(1), kinds);
    })
    .join(' : ');
}

export const surroundingOperators: readonly Operator[] = [
  { name: 'stat', doc: 'what the system tells of a file', evaluate: (text, _, context) => statText(text, context) },
  {
    name: 'listcount',
    doc: 'number of items of a list',
    evaluate: (text) => String(splitList(text.value).items.length),
  },
  {
    name: 'listnamed',
    doc: 'contents of a named list',
    evaluate: (text, option, c) => {
      const kinds = listKinds.get(option) ?? fail('bad suffix on "list" operator');
      const found = namedText(kinds, text.value.replace(/^\+/, ''), c);
      if (found !== undefined) return Text.configured(found);
      return notNamed(text.value, kinds);
    },
  },
  {
    name: 'quote_',
    doc: 'quoted for a lookup type, whose name stands behind the underscore',
    evaluate: (text, option, c) => {
      const [type = '', ...rest] = option.split('_');
      const style = c.services.lookupStyle(type);
      if ('error' in style) return fail(style.error);
      const quoted = c.services.quote(type, text.value, rest.join('_'));
      return 'error' in quoted ? fail(quoted.error) : Text.quoted(quoted.text, style.name, text);
    },
  },
];
