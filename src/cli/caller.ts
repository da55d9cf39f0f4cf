/** Who calls: the rights that Exim gives by user and group (Exim spec 5.2). */

import { emptyMessage } from '../expand/facts.ts';
import { callersName } from '../mta/callers-name.ts';
import { newContext, type Runtime } from '../mta/runtime.ts';
import { userWithId } from '../safe/users.ts';

export interface Caller {
  readonly uid: number;
  readonly gid: number;
  /** Login name; the number when the user has none. */
  readonly login: string;
  readonly fullName: string;
  readonly home: string;
  /** The user list or `unknown_login` has a name for the caller. */
  readonly isKnown: boolean;
  /** May see and change everything about the queue. */
  readonly isAdmin: boolean;
  /** May say who a message is from. */
  readonly isTrusted: boolean;
}

function inGroups(gids: readonly number[]): boolean {
  const own = [process.getgid?.() ?? -1, ...(process.getgroups?.() ?? [])];
  return gids.some((gid) => own.includes(gid));
}

type Identity = Pick<Caller, 'login' | 'fullName' | 'home' | 'isKnown'>;

/** Names of the caller: from the user list, or else as `unknown_login` has them. */
async function identityOf(uid: number, gid: number, runtime: Runtime): Promise<Identity> {
  const { main } = runtime.config;
  const context = newContext(runtime);
  context.message = emptyMessage('', { uid, gid });
  const user = userWithId(uid);
  if (user !== undefined) {
    const fullName = await callersName(user, main, context);
    return { login: user.name, fullName, home: user.home, isKnown: true };
  }
  const expansion = await main.unknown_login?.expand(context);
  if (expansion?.ok !== true) return { login: String(uid), fullName: '', home: '/', isKnown: false };
  return { login: expansion.text.value, fullName: main.unknown_username ?? '', home: '/', isKnown: true };
}

export async function callerOf(runtime: Runtime): Promise<Caller> {
  const uid = process.getuid?.() ?? 0;
  const gid = process.getgid?.() ?? 0;
  const { user: server } = runtime;
  const { adminGroups, trustedUsers, trustedGroups } = runtime.privileged;
  const isServer = uid === 0 || uid === server.uid;
  return {
    uid,
    gid,
    ...(await identityOf(uid, gid, runtime)),
    isAdmin: isServer || inGroups([server.gid, ...adminGroups]),
    isTrusted: isServer || trustedUsers.has(uid) || inGroups([...trustedGroups]),
  };
}
