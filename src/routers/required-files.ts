/**
 * `require_files` (Exim spec 15): files that must be there, or must not. The list is split before its items are expanded;
 * an item without a slash names the user whose access counts for the items behind it.
 */

import type { Context } from '../expand/context.ts';
import { expandText } from '../expand/expand.ts';
import { errorText } from '../lib/errno.ts';
import { splitList } from '../lib/list-text.ts';
import * as files from '../safe/files.ts';
import { withRightsOf } from '../safe/privileges.ts';
import { reviewed, Text } from '../safe/taint.ts';
import { groupNamed, type User, userNamed } from '../safe/users.ts';

type Viewer = Pick<User, 'uid' | 'gid'>;

/** `unsure`: whether the file is there cannot be told. */
export type Required = 'met' | 'not met' | { readonly unsure: string };

export async function requiredFiles(list: string, context: Context): Promise<Required> {
  let viewer: Viewer | undefined;
  for (const item of splitList(list).items) {
    const expansion = await expandText(Text.configured(item), context);
    if (!expansion.ok) {
      if (expansion.kind === 'forced') continue;
      return { unsure: `failed to expand "${item}" for require_files: ${expansion.message}` };
    }
    const { value } = expansion.text;
    if (value === '') continue;
    if (!value.includes('/')) {
      const named = viewerNamed(value);
      if ('unsure' in named) return named;
      viewer = named;
      continue;
    }
    const answer = answerOf(value, viewer);
    if (answer !== 'met') return answer;
  }
  return 'met';
}

/** `user` or `user,group`. */
function viewerNamed(text: string): Viewer | { readonly unsure: string } {
  const [name = '', group] = text.split(',');
  const user = userNamed(name);
  if (user === undefined) return { unsure: `user "${text}" for require_files not found` };
  if (group === undefined) {
    return /^\d+$/.test(name) ? { unsure: `group missing after numerical uid ${name} for require_files` } : user;
  }
  const gid = groupNamed(group)?.gid;
  return gid === undefined ? { unsure: `group "${group}" for require_files not found\n` } : { uid: user.uid, gid };
}

/** A first `+` lets what cannot be seen count as absent; `!` wants the file to be absent. */
function answerOf(item: string, viewer: Viewer | undefined): Required {
  const [, invisible, negated, name = ''] = /^(\+?)[ \t-\r]*(!?)[ \t-\r]*(.*)$/s.exec(item) ?? [];
  if (!name.startsWith('/')) return { unsure: `require_files: "${name}" is not absolute` };
  const found = presence(name, viewer);
  if (typeof found === 'object' && (found.reason !== notPermitted || invisible === '')) {
    return { unsure: `require_files: error for ${name}: ${found.reason}` };
  }
  return (found === 'there') === (negated === '') ? 'met' : 'not met';
}

const notPermitted = 'Permission denied';

function presence(name: string, viewer: Viewer | undefined): 'there' | 'absent' | { readonly reason: string } {
  try {
    return seen(name, viewer);
  } catch (error) {
    const reason = errorText(error);
    if (viewer === undefined || reason !== notPermitted) return { reason };
  }
  // where not even root may look, the user may
  try {
    return withRightsOf(viewer, () => seen(name, undefined));
  } catch (error) {
    return { reason: errorText(error) };
  }
}

/** Goes down the path: the user must be able to search each directory and to read what is at its end. */
function seen(name: string, viewer: Viewer | undefined): 'there' | 'absent' | { readonly reason: string } {
  const statOf = (path: string): ReturnType<typeof files.stat> =>
    files.stat(reviewed(path, 'require_files only asks whether the file is there'));
  const last = statOf(name);
  const parents = name.split('/').slice(1, -1);
  for (let i = 1; i <= parents.length; i++) {
    const parent = statOf(`/${parents.slice(0, i).join('/')}`);
    if (parent === undefined) return 'absent';
    if (!parent.isDirectory()) return { reason: 'Not a directory' };
    if (last !== undefined && viewer !== undefined && !permits(parent, viewer, 0o1)) return { reason: notPermitted };
  }
  if (last === undefined) return 'absent';
  return viewer === undefined || permits(last, viewer, 0o4) ? 'there' : { reason: notPermitted };
}

/** Whether the permissions give the user the right with the bit that it has for others. */
function permits(
  file: { readonly uid: number; readonly gid: number; readonly mode: number },
  { uid, gid }: Viewer,
  bit: number,
): boolean {
  const shift = file.uid === uid ? 6 : file.gid === gid ? 3 : 0;
  return (file.mode & (bit << shift)) !== 0;
}
