/**
 * Kinds of option values that only a few options have: settings that may be repeated and are joined the way Exim joins
 * them (Exim spec 15, 24: condition, headers_add, headers_remove, set), a time that may be expanded instead, and a group
 * that follows from a user.
 */

import { compileTemplate, type Template } from '../expand/expand.ts';
import { formatInterval } from '../lib/intervals.ts';
import { splitList } from '../lib/list-text.ts';
import { groupWithId } from '../safe/users.ts';
import { type GroupOption, readString, template, time, type UserOption } from './kinds.ts';
import { dependsOn, type OptionRow } from './table.ts';

/** The items of a list, written with `separator` whatever separator they came with. */
function relisted(text: string, separator: string): string {
  let list = '';
  for (const item of splitList(text, separator).items) {
    if (list !== '') list += separator;
    list += item.replaceAll(separator, separator + separator);
  }
  return list;
}

/** A row for a text from which `make` makes the value. */
function textual(doc: string, make: (text: string) => Template | undefined): OptionRow<Template | undefined> {
  const row = template(doc);
  return {
    ...row,
    read(text, name) {
      if (text === undefined) return row.read(text, name);
      const reading = readString(text, name);
      return 'error' in reading ? reading : { value: make(reading.value) };
    },
  };
}

/**
 * A list that may be set several times. Every setting may choose a separator of its own; the items of all settings come
 * out as one list with `separator`, each still to be expanded.
 */
export function repeatedList(doc: string, separator: string): OptionRow<Template | undefined> {
  const listed = (text: string): Template | undefined => {
    const source = relisted(text, separator);
    return source === '' ? undefined : compileTemplate(source);
  };
  return {
    ...textual(doc, listed),
    type: 'string list*',
    again: (earlier, later) =>
      earlier === undefined || later === undefined
        ? (earlier ?? later)
        : compileTemplate(`${earlier.source}${separator}${later.source}`),
  };
}

/** A condition that may be set several times: all of them must hold. One that is set but empty never holds. */
export function repeatedCondition(doc: string): OptionRow<Template | undefined> {
  const both = (earlier: string, later: string): string => `\${if and{{bool_lax{${earlier}}}{bool_lax{${later}}}}}`;
  return {
    ...textual(doc, compileTemplate),
    again: (earlier, later) => compileTemplate(both(earlier?.source ?? '', later?.source ?? '')),
  };
}

/** A time interval in seconds or, when the setting begins with a dollar, a text that is expanded to give one. */
export function expandedTime(doc: string, standard: number): OptionRow<number | Template> {
  const plain = time(doc, standard);
  return {
    ...plain,
    type: 'time*',
    again: undefined,
    read: (text, name) => (text?.startsWith('$') ? { value: compileTemplate(text) } : plain.read(text, name)),
    print: (name, value) => `${name} = ${typeof value === 'number' ? formatInterval(value) : value.source}`,
  };
}

/** A group that is the user's own when the option `user` names one and the group is not set. */
export function groupOfUser(user: string, row: OptionRow<GroupOption | undefined>): OptionRow<GroupOption | undefined> {
  return dependsOn(row, user, ({ values }) => {
    const found = values[user] as UserOption | undefined;
    if (found === undefined || !('user' in found) || found.byNumber) return undefined;
    return groupWithId(found.user.gid)?.name ?? String(found.user.gid);
  });
}
