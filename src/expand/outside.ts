/** Parts of expansions that reach outside the program: what the limits of a filter forbid (Exim spec 22.7), and whose rights they have. */

import * as files from '../safe/files.ts';
import { withRightsOf } from '../safe/privileges.ts';
import { clean, type Text } from '../safe/taint.ts';
import type { Context, Outside } from './context.ts';
import { fail } from './failure.ts';

const refusals: Readonly<Record<Outside, string>> = {
  dlfunc: 'dynamically-loaded functions are not permitted',
  existstest: 'File existence tests are not permitted',
  lookup: 'lookup expansions are not permitted',
  perl: 'Perl calls are not permitted',
  readfile: 'file insertions are not permitted',
  readsocket: 'socket insertions are not permitted',
  run: 'running a command is not permitted',
  stat: 'Use of the stat() expansion is not permitted',
};

/** Items, conditions and operators, by name. */
const reaching: ReadonlyMap<string, Outside> = new Map<string, Outside>([
  ['item dlfunc', 'dlfunc'],
  ['item lookup', 'lookup'],
  ['item perl', 'perl'],
  ['item readfile', 'readfile'],
  ['item readsocket', 'readsocket'],
  ['item run', 'run'],
  ['condition exists', 'existstest'],
  ['operator stat', 'stat'],
]);

/** These work in other processes or over connections that are the server's. */
const serversOnly: ReadonlySet<Outside> = new Set(['perl', 'readsocket']);

/** What a part of an expansion does before anything else; nothing for one that stays inside. */
export function guardOf(
  kind: 'item' | 'condition' | 'operator',
  name: string,
): ((context: Context) => void) | undefined {
  const outside = reaching.get(`${kind} ${name}`);
  if (outside === undefined) return undefined;
  return ({ filter }) => {
    if (filter === undefined) return;
    const isForeign = filter.user !== undefined && serversOnly.has(outside);
    if (isForeign || filter.forbidden.has(outside)) fail(refusals[outside]);
  };
}

/** Looks at a file with the rights of the filter that asks for it. */
export function asFilterUser<T>({ filter }: Context, act: () => T): T {
  return withRightsOf(filter?.user, act);
}

/**
 * Whether a filter's own user could do the lookup: a file he may open, or a question to a server, whose answers are the
 * configuration's to give as in Exim. SQLite would open its file later, with other rights.
 */
export function filterMayRead(
  { style, name }: { readonly style: 'single-key' | 'query'; readonly name: string },
  file: Text,
  context: Context,
): boolean {
  if (context.filter?.user === undefined) return true;
  if (style === 'query') return name !== 'sqlite';
  const path = clean(file);
  if (path === undefined) return true; // the lookup itself refuses it
  try {
    asFilterUser(context, () => files.close(files.open(path)));
    return true;
  } catch {
    return false;
  }
}
