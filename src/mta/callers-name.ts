/** The real name of a local user who submits mail, as the user list or the configuration has it (Exim spec 14.14). */

import type { Config } from '../config/config.ts';
import type { Context } from '../expand/context.ts';
import type { Template } from '../expand/expand.ts';
import { trim, upper } from '../lib/octets.ts';
import { regex } from '../lib/regex.ts';
import { Text } from '../safe/taint.ts';
import type { User } from '../safe/users.ts';

/** What a template makes of the groups that a pattern matched, as `$1`, `$2` and so on. */
export function expandGroups(template: Template, groups: readonly (string | undefined)[], context: Context) {
  const numeric = groups.map((group) => Text.tainted(group ?? ''));
  return template.expand({ ...context, results: { ...context.results, numeric } });
}

/**
 * The comment field of the user list with `&` for the login name, or what `gecos_name` makes of it where `gecos_pattern`
 * matches. An expansion that fails leaves the field as it is.
 */
export async function callersName(
  { gecos, name }: Pick<User, 'gecos' | 'name'>,
  { gecos_pattern: pattern, gecos_name: template }: Config['main'],
  context: Context,
): Promise<string> {
  const field = trim(gecos.replaceAll('&', `${upper(name.slice(0, 1))}${name.slice(1)}`));
  const found = pattern === undefined || template === undefined ? undefined : regex(pattern).match(field);
  if (found === undefined || template === undefined) return field;
  const expansion = await expandGroups(template, found.groups, context);
  return expansion.ok ? expansion.text.value : field;
}
