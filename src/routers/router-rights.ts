/** User and group that options of routers and transports name (Exim spec 15, 24): found when they are used. */

import type { Context } from '../expand/context.ts';
import type { Template } from '../expand/expand.ts';
import type { GroupOption, UserOption } from '../options/kinds.ts';
import { type Group, groupNamed, type User, userNamed } from '../safe/users.ts';
import type { RouterCommonOptions } from './common-options.ts';

/** `panic`: the configuration is at fault, which the panic log is told. */
export interface RightsProblem {
  readonly problem: string;
  readonly panic: boolean;
}

async function identity<T>(
  { template }: { readonly template: Template },
  what: 'user' | 'group',
  owner: string,
  context: Context,
  find: (name: string) => T | undefined,
): Promise<{ readonly found: T } | RightsProblem> {
  const expansion = await template.expand(context);
  if (!expansion.ok) {
    const problem = `Failed to expand ${what} string "${template.source}" for the ${owner}: ${expansion.message}`;
    return { problem, panic: true };
  }
  const name = expansion.text.value;
  const found = find(name);
  if (found !== undefined) return { found };
  const problem = `Failed to find ${what} "${name}" from expanded string "${template.source}" for the ${owner}`;
  return { problem, panic: true };
}

/** `owner` is whose option it is, as messages say it. */
export const findUser = (
  option: UserOption,
  owner: string,
  context: Context,
): Promise<{ readonly found: User } | RightsProblem> =>
  'user' in option ? Promise.resolve({ found: option.user }) : identity(option, 'user', owner, context, userNamed);

export const findGroup = (
  option: GroupOption,
  owner: string,
  context: Context,
): Promise<{ readonly found: Group } | RightsProblem> =>
  'group' in option ? Promise.resolve({ found: option.group }) : identity(option, 'group', owner, context, groupNamed);

/** User and group that a router gives to its deliveries, as far as it names them. */
export interface RouterRights {
  readonly user: User | undefined;
  readonly group: Group | undefined;
}

const nobody: RouterRights = { user: undefined, group: undefined };

export async function rightsOfRouter(
  { user, group }: Pick<RouterCommonOptions, 'user' | 'group'>,
  name: string,
  context: Context,
): Promise<RouterRights | RightsProblem> {
  if (user === undefined && group === undefined) return nobody;
  const owner = user && (await findUser(user, `${name} router`, context));
  if (owner !== undefined && 'problem' in owner) return owner;
  const ofGroup = group && (await findGroup(group, `${name} router`, context));
  if (ofGroup !== undefined && 'problem' in ofGroup) return ofGroup;
  if (owner !== undefined && owner.found.gid < 0 && ofGroup === undefined) {
    return { problem: `user set without group for ${name} router`, panic: false };
  }
  return { user: owner?.found, group: ofGroup?.found };
}
