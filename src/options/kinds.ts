/** The kinds of option values (Exim spec 6.12 - 6.20): how each is read and how `-bP` shows it. */

import type { ListKind } from '../expand/context.ts';
import { compileTemplate, type Template } from '../expand/expand.ts';
import { printing, readQuoted } from '../lib/escapes.ts';
import { formatInterval, parseInterval } from '../lib/intervals.ts';
import { splitList } from '../lib/list-text.ts';
import { lower, trim } from '../lib/octets.ts';
import { formatSize } from '../lib/sizes.ts';
import type { ListSetting } from '../lists/option.ts';
import { type Clean, reviewed } from '../safe/taint.ts';
import { type Group, groupNamed, groupWithId, type User, userNamed } from '../safe/users.ts';
import type { OptionRow, Reading } from './table.ts';

/** A list as it is written; it is expanded and matched when it is needed. */
export type ListOption = ListSetting;

/** A user or group that is known when the configuration is read, or a text to be expanded. */
export type UserOption = { readonly user: User; readonly byNumber: boolean } | { readonly template: Template };
export type GroupOption = { readonly group: Group } | { readonly template: Template };

/** A row whose value is always there when it has a standard value, and may be missing when it has none. */
type WithStandard<S, T> = OptionRow<S extends string ? T : T | undefined>;

const missing = (name: string): { readonly error: string } => ({
  error: `unexpected end of line (data missing) after ${name}`,
});

/** A kind of option; `read` is not asked when there is no value. */
export function row<T>(
  type: string,
  doc: string,
  standard: T,
  read: (text: string, name: string) => Reading<T>,
  print: (value: T, eightBit: boolean) => string | undefined,
): OptionRow<T> {
  return {
    type,
    doc,
    standard,
    isSwitch: false,
    synonyms: [],
    unused: false,
    read: (text, name) => (text === undefined ? missing(name) : read(text, name)),
    print(name, value, eightBit = false) {
      const shown = print(value, eightBit);
      return shown === undefined ? `${name} =` : `${name} = ${shown}`;
    },
  };
}

/** The value of a string option: quoted with escapes, or the rest of the line as it stands. */
export function readString(text: string, name: string): Reading<string> {
  if (!text.startsWith('"')) return { value: text };
  const quoted = readQuoted(text, 0);
  if (quoted === undefined) return { error: `missing quote at end of string value for ${name}` };
  return trim(text.slice(quoted.end)) === ''
    ? { value: quoted.value }
    : { error: `extra characters follow string value for ${name}` };
}

export function then<T, U>(reading: Reading<T>, next: (value: T) => Reading<U>): Reading<U> {
  return 'error' in reading ? reading : next(reading.value);
}

const truth: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['yes', true],
  ['false', false],
  ['no', false],
]);

function readSwitch(text: string | undefined, name: string): Reading<boolean> {
  if (text === undefined) return { value: true };
  if (text === '') return { value: true };
  const [, word = '', rest = ''] = /^((?:[A-Za-z]\w*)?)[ \t-\r]*(.*)$/s.exec(text) ?? [];
  const value = truth.get(lower(word));
  if (value === undefined) return { error: `"${word}" is not a valid value for the "${name}" option` };
  return rest === '' ? { value } : { error: `extra characters follow "${word}" for boolean option ${name}` };
}

/** On or off. */
export function flag(doc: string, standard = false): OptionRow<boolean> {
  return {
    type: 'boolean',
    doc,
    standard,
    isSwitch: true,
    synonyms: [],
    unused: false,
    read: readSwitch,
    print: (name, value) => (value ? name : `no_${name}`),
  };
}

/** On or off, or a text that is expanded to say so for each address. */
export function expandedFlag(doc: string, standard = false): OptionRow<boolean | Template> {
  return {
    type: 'boolean*',
    doc,
    standard,
    isSwitch: true,
    synonyms: [],
    unused: false,
    read(text, name) {
      const plain = readSwitch(text, name);
      if (!('error' in plain) || text === undefined || !text.includes('$')) return plain;
      return then(readString(text, name), (source) => ({ value: compileTemplate(source) }));
    },
    print: (name, value) => (typeof value === 'boolean' ? (value ? name : `no_${name}`) : `${name} = ${value.source}`),
  };
}

const greatestInteger = 2 ** 31 - 1;
const factors: ReadonlyMap<string, number> = new Map([
  ['k', 1024],
  ['m', 1024 ** 2],
  ['g', 1024 ** 3],
]);

function readNumber(text: string, name: string, greatest: number): Reading<number> {
  const found = /^([+-]?)(0[xX][0-9A-Fa-f]+|0[0-7]*|[1-9]\d*)([kKmMgG]?)(.*)$/s.exec(text);
  if (found === null) return { error: `integer expected for ${name}` };
  const [, sign, digits = '0', unit = '', rest = ''] = found;
  const magnitude = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
  const value = magnitude * (factors.get(lower(unit)) ?? 1);
  if (value > greatest + (sign === '-' ? 1 : 0))
    return { error: `absolute value of integer "${text}" is too large (overflow)` };
  if (trim(rest) !== '') return { error: `extra characters follow integer value for ${name}` };
  return { value: sign === '-' ? -value : value };
}

/** A whole number; K, M and G are powers of 1024. */
export function integer(doc: string, standard: number): OptionRow<number> {
  return row('integer', doc, standard, (text, name) => readNumber(text, name, greatestInteger), String);
}

/** A number of octets, shown with K or M where it is a multiple. */
export function size(doc: string, standard: number): OptionRow<number> {
  return row('integer', doc, standard, (text, name) => readNumber(text, name, greatestInteger), formatSize);
}

/** A number of kilobytes: a value without a letter counts them, M and G are taken as usual. */
export function kilobytes(doc: string, standard: number): OptionRow<number> {
  const read = (text: string, name: string): Reading<number> =>
    then(readNumber(text, name, Number.MAX_SAFE_INTEGER), (value) => ({
      value: /[kmg][ \t-\r]*$/i.test(text) ? Math.floor(value / 1024) : value,
    }));
  const print = (value: number): string => {
    if (value === 0) return '0';
    let [count, unit] = [value, 0];
    while (count % 1024 === 0 && unit < 3) [count, unit] = [count / 1024, unit + 1];
    return `${count}${'KMGT'[unit]}`;
  };
  return row('integer', doc, standard, read, print);
}

/** Octal digits: a file mode. */
export function octal(doc: string, standard: number): OptionRow<number> {
  const read = (text: string, name: string): Reading<number> => {
    const digits = /^[0-7]+/.exec(text)?.[0];
    if (digits === undefined) return { error: `octal integer expected for ${name}` };
    if (trim(text.slice(digits.length)) !== '') {
      return { error: `extra characters follow octal integer value for ${name}` };
    }
    const value = Number.parseInt(digits, 8);
    if (value > greatestInteger) return { error: `absolute value of integer "${text}" is too large (overflow)` };
    return { value };
  };
  return row('octal integer', doc, standard, read, (value) => (value === 0 ? '0' : `0${value.toString(8)}`));
}

/** A decimal number with up to three digits behind the point, in thousandths; a load average. */
export function fixedPoint(doc: string): OptionRow<number | undefined> {
  const read = (text: string, name: string): Reading<number> => {
    const found = /^\+?(\d+)(?:\.(\d{0,3})\d*)?(.*)$/s.exec(text);
    if (found === null) return { error: `fixed-point number expected for ${name}` };
    if (trim(found[3] ?? '') !== '') return { error: `extra characters follow fixed-point value for ${name}` };
    return { value: Number(found[1]) * 1000 + Number((found[2] ?? '').padEnd(3, '0')) };
  };
  const print = (value: number | undefined): string | undefined =>
    value === undefined ? undefined : String(value / 1000).replace(/^(\d+)$/, '$1.0');
  return row<number | undefined>('fixed-point', doc, undefined, read, print);
}

/** A time interval, in seconds. */
export function time(doc: string, standard: number): OptionRow<number> {
  const read = (text: string, name: string): Reading<number> => {
    const value = parseInterval(text);
    return value === undefined || value > greatestInteger ? { error: `invalid time value for ${name}` } : { value };
  };
  return row('time', doc, standard, read, formatInterval);
}

/** Several time intervals with colons between them, in seconds. */
export function timeList(doc: string, standard: readonly number[]): OptionRow<readonly number[]> {
  const read = (text: string, name: string): Reading<readonly number[]> => {
    if (text === '' || text === '0s') return { value: [] };
    const values: number[] = [];
    for (const part of text.split(':')) {
      const value = parseInterval(trim(part));
      if (value === undefined || value > greatestInteger) return { error: `invalid time value for ${name}` };
      if (value <= (values.at(-1) ?? -1)) return { error: `time value out of order for ${name}` };
      values.push(value);
    }
    return { value: values };
  };
  return row<readonly number[]>('time list', doc, standard, read, (value) => value.map(formatInterval).join(':'));
}

/** A text that is not expanded. */
export function fixed<S extends string | undefined = undefined>(doc: string, standard?: S): WithStandard<S, Clean> {
  const clean = (text: string): Clean => reviewed(text, 'a setting of the configuration file');
  const read = (text: string, name: string): Reading<Clean | undefined> =>
    then(readString(text, name), (value) => ({ value: clean(value) }));
  const initial = standard === undefined ? undefined : clean(standard);
  return row('string', doc, initial, read, (value, eightBit) => printing(value ?? '', eightBit)) as WithStandard<
    S,
    Clean
  >;
}

/** A text that is expanded each time it is used. One that is set but empty is not the same as none. */
export function template<S extends string | undefined = undefined>(
  doc: string,
  standard?: S,
): WithStandard<S, Template> {
  const read = (text: string, name: string): Reading<Template | undefined> =>
    then(readString(text, name), (value) => ({ value: compileTemplate(value) }));
  const initial = standard === undefined ? undefined : compileTemplate(standard);
  return row('string*', doc, initial, read, (value, eightBit) =>
    printing(value?.source ?? '', eightBit),
  ) as WithStandard<S, Template>;
}

/** A text that may be set several times; the settings are joined by `separator`. */
export function repeatedTemplate(doc: string, separator: string): OptionRow<Template | undefined> {
  const single = template(doc);
  return {
    ...single,
    again: (earlier, later) =>
      earlier === undefined || later === undefined
        ? (earlier ?? later)
        : compileTemplate(`${earlier.source}${separator}${later.source}`),
  };
}

function list(kind: ListKind, type: string) {
  return (doc: string, standard?: string): OptionRow<ListOption | undefined> => {
    const made = (source: string): ListOption => ({ kind, template: compileTemplate(source) });
    const read = (text: string, name: string): Reading<ListOption | undefined> =>
      then(readString(text, name), (value) => ({ value: made(value) }));
    const initial = standard === undefined ? undefined : made(standard);
    return row(type, doc, initial, read, (value, eightBit) => printing(value?.template.source ?? '', eightBit));
  };
}

export const domainList = list('domain', 'domain list*');
export const hostList = list('host', 'host list*');
export const addressList = list('address', 'address list*');
export const localPartList = list('localpart', 'local part list*');

/** Items that are not expanded, and the text they were written as. */
export interface StringList {
  readonly source: string;
  readonly items: readonly Clean[];
}

/** Items with colons between them, not expanded. */
export function stringList<S extends string | undefined = undefined>(
  doc: string,
  standard?: S,
): WithStandard<S, StringList> {
  const made = (source: string): StringList => ({
    source,
    items: splitList(source).items.map((item) => reviewed(item, 'a setting of the configuration file')),
  });
  const read = (text: string, name: string): Reading<StringList | undefined> =>
    then(readString(text, name), (value) => ({ value: made(value) }));
  const initial = standard === undefined ? undefined : made(standard);
  return row('string list', doc, initial, read, (value, eightBit) =>
    printing(value?.source ?? '', eightBit),
  ) as WithStandard<S, StringList>;
}

/** One of the given words. */
export function choice<const W extends string>(doc: string, words: readonly W[], standard: W): OptionRow<W> {
  const read = (text: string, name: string): Reading<W> =>
    then(readString(text, name), (value) => {
      const found = words.find((word) => word === value);
      return found === undefined
        ? { error: `"${value}" is not a valid value for the "${name}" option (one of ${words.join(', ')})` }
        : { value: found };
    });
  return row('choice', doc, standard, read, (value) => value);
}

/** A user by name or number, looked up when the configuration is read; with a dollar in it, expanded when used. */
export function user(doc: string): OptionRow<UserOption | undefined> {
  const read = (text: string, name: string): Reading<UserOption | undefined> =>
    then(readString(text, name), (value): Reading<UserOption | undefined> => {
      if (value.includes('$')) return { value: { template: compileTemplate(value) } };
      const found = userNamed(value);
      return found === undefined
        ? { error: `user ${value} was not found` }
        : { value: { user: found, byNumber: /^-?\d+$/.test(value) } };
    });
  const print = (value: UserOption | undefined): string =>
    value === undefined ? '' : 'user' in value ? value.user.name : value.template.source;
  return row<UserOption | undefined>('string*', doc, undefined, read, print);
}

/** A group by name or number, as `user`. */
export function group(doc: string): OptionRow<GroupOption | undefined> {
  const read = (text: string, name: string): Reading<GroupOption | undefined> =>
    then(readString(text, name), (value): Reading<GroupOption | undefined> => {
      if (value.includes('$')) return { value: { template: compileTemplate(value) } };
      const found = groupNamed(value);
      return found === undefined ? { error: `group ${value} was not found` } : { value: { group: found } };
    });
  const print = (value: GroupOption | undefined): string =>
    value === undefined ? '' : 'group' in value ? groupName(value.group, true) : value.template.source;
  return row<GroupOption | undefined>('string*', doc, undefined, read, print);
}

/** The name of a group that may have been given by number. Numbers without a name may be shown with their sign. */
export function groupName({ name, gid }: Group, isSigned = false): string {
  if (!/^\d+$/.test(name)) return name;
  return groupWithId(gid)?.name ?? String(isSigned ? gid | 0 : gid);
}
