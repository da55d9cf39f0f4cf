/**
 * The rights of a server that was started by root: it works with the effective rights of the server user, and takes
 * root's back only for the length of one call, to listen on low ports or to start a delivery for another user.
 */

/** Gives the effective rights of root up for those of a user; nothing happens to a process that root did not start. */
export function workAs(uid: number, gid: number): void {
  if (process.getuid?.() !== 0 || uid === 0) return;
  process.setgroups?.([gid]);
  process.setegid?.(gid);
  process.seteuid?.(uid);
}

/** Whether this process can act for other users. */
export function mayBecomeOthers(): boolean {
  return process.getuid?.() === 0;
}

/** Takes the effective rights of root, if they can be had and are not there; answers how to give them back. */
function takeFullRights(): (() => void) | undefined {
  const uid = process.geteuid?.();
  const gid = process.getegid?.();
  if (uid === undefined || gid === undefined || uid === 0 || !mayBecomeOthers()) return undefined;
  process.seteuid?.(0);
  process.setegid?.(0);
  return () => {
    process.setegid?.(gid);
    process.seteuid?.(uid);
  };
}

/**
 * Does something that takes a moment, such as listening on a low port, with the effective rights of root. What happens
 * meanwhile elsewhere in this process has them, too.
 */
export async function withFullRightsFor<T>(act: () => Promise<T>): Promise<T> {
  const giveBack = takeFullRights();
  try {
    return await act();
  } finally {
    giveBack?.();
  }
}

/** Does something at once, with the effective rights of root if they can be had. */
export function withFullRights<T>(act: () => T): T {
  const giveBack = takeFullRights();
  try {
    return act();
  } finally {
    giveBack?.();
  }
}

/**
 * Does something with the effective rights of a user and takes root's back behind it: for commands that do one thing at a
 * time. A process that root did not start keeps the rights it has.
 */
export async function actingAs<T>(uid: number, gid: number, act: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0 || uid === 0) return act();
  const groups = process.getgroups?.() ?? [];
  workAs(uid, gid);
  try {
    return await act();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
    process.setgroups?.(groups);
  }
}

/**
 * Does something at once with the effective rights of a user, and takes those it had back behind it. A process that root
 * did not start, or no user, keeps the rights it has.
 */
export function withRightsOf<T>(user: { readonly uid: number; readonly gid: number } | undefined, act: () => T): T {
  if (user === undefined) return act();
  const uid = process.geteuid?.();
  const gid = process.getegid?.();
  if (uid === undefined || gid === undefined || user.uid === uid || !mayBecomeOthers()) {
    return act();
  }
  process.seteuid?.(0);
  const groups = process.getgroups?.() ?? [];
  process.setgroups?.([user.gid]);
  process.setegid?.(user.gid);
  process.seteuid?.(user.uid);
  try {
    return act();
  } finally {
    process.seteuid?.(0);
    process.setgroups?.(groups);
    process.setegid?.(gid);
    process.seteuid?.(uid);
  }
}
