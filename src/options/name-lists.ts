/**
 * Lists of users and groups: names and numbers, looked up when the configuration is read. One with a dollar in it is
 * expanded first, once (Exim spec 14, trusted_users).
 */

import type { Context } from '../expand/context.ts';
import { compileTemplate, type Template } from '../expand/expand.ts';
import { splitList } from '../lib/list-text.ts';
import { type Group, groupNamed, type User, userNamed } from '../safe/users.ts';
import { groupName, readString, row, then } from './kinds.ts';
import type { OptionRow, Reading } from './table.ts';

/** The users or groups, or what says who they are. */
export type NameList<T> = { readonly names: readonly T[] } | { readonly template: Template };

interface Kind<T> {
  readonly what: 'user' | 'group';
  find(name: string): T | undefined;
  nameOf(one: T): string;
}

const users: Kind<User> = { what: 'user', find: userNamed, nameOf: ({ name }) => name };
const groups: Kind<Group> = { what: 'group', find: groupNamed, nameOf: (group) => groupName(group) };

function listed<T>(text: string, { find, what }: Kind<T>): Reading<readonly T[]> {
  const found: T[] = [];
  for (const item of splitList(text).items) {
    const one = find(item);
    if (one === undefined) return { error: `${what} ${item} was not found` };
    found.push(one);
  }
  return { value: found };
}

function nameList<T>(doc: string, kind: Kind<T>): OptionRow<NameList<T> | undefined> {
  const read = (text: string, name: string): Reading<NameList<T> | undefined> =>
    then(readString(text, name), (value): Reading<NameList<T>> => {
      if (value.includes('$')) return { value: { template: compileTemplate(value) } };
      return then(listed(value, kind), (names) => ({ value: { names } }));
    });
  return row<NameList<T> | undefined>('string list', doc, undefined, read, (value) => {
    if (value === undefined) return undefined;
    return 'names' in value ? printed(value.names, kind) : value.template.source;
  });
}

function printed<T>(names: readonly T[], { nameOf }: Kind<T>): string | undefined {
  return names.length === 0 ? undefined : names.map(nameOf).join(':');
}

export const userList = (doc: string): OptionRow<NameList<User> | undefined> => nameList(doc, users);
export const groupList = (doc: string): OptionRow<NameList<Group> | undefined> => nameList(doc, groups);

async function resolved<T>(
  list: NameList<T> | undefined,
  option: string,
  context: Context,
  kind: Kind<T>,
): Promise<Reading<readonly T[]>> {
  if (list === undefined) return { value: [] };
  if ('names' in list) return { value: list.names };
  const expansion = await list.template.expand(context);
  if (!expansion.ok) return { error: `failed to expand ${option}: ${expansion.message}` };
  return listed(expansion.text.value, kind);
}

/** Who is in a list; `option` is its name, for the error. */
export function usersOf(
  list: NameList<User> | undefined,
  option: string,
  context: Context,
): Promise<Reading<readonly User[]>> {
  return resolved(list, option, context, users);
}

export function groupsOf(
  list: NameList<Group> | undefined,
  option: string,
  context: Context,
): Promise<Reading<readonly Group[]>> {
  return resolved(list, option, context, groups);
}
