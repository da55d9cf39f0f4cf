/** Values for options by their type as the tables name it: such as will do, and such as will not. */

import fc from 'fast-check';
import { many, oneOf, oneOfWords, sequence } from './words.ts';

const text = oneOf(
  ...'abc $primary_hostname ${lc:ABC} a.b /tmp/x $local_part@$domain yes : a:b "quoted" "with \\"inner\\"" x"y'.split(
    ' ',
  ),
  ...[
    'two words',
    '"with blanks "',
    '"a\\tb\\x41"',
    'a # no comment',
    '${if eq{a}{b}{c}fail}',
    '$nosuch',
    '${lc:',
    '"open',
    '"a" b',
  ],
  ...[
    "it's",
    '8bit\xe9',
    '"\\n"',
    'a:b : c',
    '<; a ; b',
    '""',
    '${extract{1}{:}{a:b}}',
    'back\\slash',
    '"back\\\\slash"',
    '\\N^x\\N',
  ],
);
const lists = fc.oneof(
  many(oneOfWords('a.b *.c !d +x ^e$ 1.2.3.4 10.0.0.0/8 * @ /etc/x lsearch;/x :'), ' : ', { most: 3 }),
  text,
);

const byType: Readonly<Record<string, fc.Arbitrary<string>>> = {
  boolean: oneOfWords('true false yes no YES True maybe 1 "yes" yesno'),
  'boolean*': oneOf('true', 'false', 'yes', '${if eq{a}{a}}', '$acl_m0', 'maybe', '"no"'),
  integer: oneOfWords('0 1 42 -1 7K 2M 010 0x1F 99999999999 abc 1.5 1x +3 3G 2147483648 1k'),
  'octal integer': oneOfWords('0 0640 777 8 abc 0x1 01777 12345'),
  'fixed-point': oneOfWords('1 1.5 0.001 1.2345 -1 abc 1. .5 100000'),
  time: oneOfWords('0s 5m 1h30m 2w3d 10 abc 1x 1m1h -1 90s 25h 1d24h 5s5s 9w'),
  'time list': oneOf('1h', '1h:2h', '0s', '1h:x', '1h 2h', ':', '<; 1h;2h', '1h:30m'),
  string: text,
  'string*': text,
  list: lists,
};
const user = oneOfWords('mail root ann nosuchuser 8 0 99999 -1 $local_part ${lc:MAIL} "mail" mail:root 8x');

/** A value for an option of that type and name. */
export function valueFor(name: string, type: string): fc.Arbitrary<string> {
  if (/^(?:[a-z_]*_)?(?:user|group)$/.test(name) && /string|user|group/.test(type)) return user;
  if (/user list|group list/.test(type)) return many(oneOfWords('mail root ann nosuch 8 99'), ' : ', { most: 3 });
  const arbitrary = byType[type] ?? (type.includes('list') ? lists : text);
  return arbitrary;
}

/** The line that sets an option, in one of the ways it can be written. */
export function settingOf(name: string, type: string): fc.Arbitrary<string> {
  const plain = sequence(oneOf('', '', '', '', 'hide '), name, oneOf(' = ', ' = ', '=', ' =  '), valueFor(name, type));
  if (type !== 'boolean') return fc.oneof({ weight: 12, arbitrary: plain }, oneOf(name, `${name} =`, `no_${name}`));
  return fc.oneof(plain, oneOf(name, `no_${name}`, `not_${name}`, `hide ${name}`, `no_${name} = true`));
}
