/** Who calls: the rights that Exim gives by user and group (Exim spec 5.2). */

import type { Config } from '../config/config.ts';
import type { ServerUser } from '../mta/settings.ts';
import { userWithId } from '../safe/users.ts';

export interface Caller {
  readonly uid: number;
  readonly gid: number;
  /** Login name; the number when the user has none. */
  readonly login: string;
  readonly fullName: string;
  readonly home: string;
  /** May see and change everything about the queue. */
  readonly isAdmin: boolean;
  /** May say who a message is from. */
  readonly isTrusted: boolean;
}

function inGroups(gids: readonly number[]): boolean {
  const own = [process.getgid?.() ?? -1, ...(process.getgroups?.() ?? [])];
  return gids.some((gid) => own.includes(gid));
}

export function callerOf(config: Config, server: ServerUser): Caller {
  const uid = process.getuid?.() ?? 0;
  const gid = process.getgid?.() ?? 0;
  const user = userWithId(uid);
  const { admin_groups: admins, trusted_users: trusted, trusted_groups: trustedGroups } = config.main;
  const isServer = uid === 0 || uid === server.uid;
  return {
    uid,
    gid,
    login: user?.name ?? String(uid),
    fullName: user?.gecos ?? '',
    home: user?.home ?? '/',
    isAdmin: isServer || inGroups([server.gid, ...(admins ?? []).map((group) => group.gid)]),
    isTrusted:
      isServer ||
      (trusted ?? []).some((each) => each.uid === uid) ||
      inGroups((trustedGroups ?? []).map((group) => group.gid)),
  };
}
