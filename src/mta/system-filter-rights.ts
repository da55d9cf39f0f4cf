/** The user that the system filter is run as (Exim spec 47.1). */

import type { Context } from '../expand/context.ts';
import type { Template } from '../expand/expand.ts';
import type { FilterRequest } from '../filter/filter.ts';
import { trim } from '../lib/octets.ts';
import { mayBecomeOthers } from '../safe/privileges.ts';
import { groupNamed, userNamed } from '../safe/users.ts';
import type { Attempt } from './attempt.ts';

/**
 * Nothing stands for the rights of the server itself, which a filter has when `system_filter_user` is not set; Exim runs
 * it as root then.
 */
export async function rightsOfSystemFilter({
  runtime,
  context,
}: Attempt): Promise<FilterRequest['user'] | { readonly problem: string }> {
  const { system_filter_user: user, system_filter_group: group } = runtime.config.main;
  if (user === undefined) return undefined;
  const owner = 'user' in user ? user.user : userNamed(await expanded(user.template, context));
  const ofGroup =
    group === undefined ? owner : 'group' in group ? group.group : groupNamed(await expanded(group.template, context));
  if (owner === undefined || ofGroup === undefined) {
    return { problem: 'the user or group of system_filter_user and system_filter_group was not found' };
  }
  if (owner.uid === process.geteuid?.()) return undefined;
  if (!mayBecomeOthers()) return { problem: `unable to run it as uid=${owner.uid}: this process has no right to` };
  return { uid: owner.uid, gid: ofGroup.gid };
}

/** The expanded name; empty when that fails. */
async function expanded({ expand }: Template, context: Context): Promise<string> {
  const expansion = await expand(context);
  return expansion.ok ? trim(expansion.text.value) : '';
}
