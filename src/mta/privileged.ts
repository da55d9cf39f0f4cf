/** Who has more rights than others, and whom nothing is delivered as (Exim spec 14, trusted_users, never_users). */

import type { Config } from '../config/config.ts';
import type { Context } from '../expand/context.ts';
import { groupsOf, usersOf } from '../options/name-lists.ts';
import type { Reading } from '../options/table.ts';
import { BadSetting } from './settings.ts';

/** Numbers of users and groups. */
export interface Privileged {
  readonly adminGroups: ReadonlySet<number>;
  readonly trustedUsers: ReadonlySet<number>;
  readonly trustedGroups: ReadonlySet<number>;
  readonly neverUsers: ReadonlySet<number>;
}

function numbers<T>(reading: Reading<readonly T[]>, numberOf: (one: T) => number): ReadonlySet<number> {
  if ('error' in reading) throw new BadSetting(reading.error, true);
  return new Set(reading.value.map(numberOf));
}

/** Reads the lists, each of which may be an expansion. @throws BadSetting */
export async function findPrivileged({ main }: Config, context: Context): Promise<Privileged> {
  const users = async (name: 'trusted_users' | 'never_users'): Promise<ReadonlySet<number>> =>
    numbers(await usersOf(main[name], name, context), ({ uid }) => uid);
  const groups = async (name: 'admin_groups' | 'trusted_groups'): Promise<ReadonlySet<number>> =>
    numbers(await groupsOf(main[name], name, context), ({ gid }) => gid);
  return {
    adminGroups: await groups('admin_groups'),
    trustedUsers: await users('trusted_users'),
    trustedGroups: await groups('trusted_groups'),
    neverUsers: await users('never_users'),
  };
}
