/** Processes that run as another user become that user for good before they do anything (`mta/user-process.ts`). */

import { userWithId } from '../safe/users.ts';

function become(uid: number, gid: number, allGroups: boolean): boolean {
  // the types of Node leave initgroups out
  const self: NodeJS.Process & { initgroups?: (user: string, group: number) => void } = process;
  const name = userWithId(uid)?.name;
  if (allGroups && name !== undefined) self.initgroups?.(name, gid);
  else self.setgroups?.([gid]);
  self.setgid?.(gid);
  self.setuid?.(uid);
  return process.getuid?.() === uid && process.geteuid?.() === uid && process.getgid?.() === gid;
}

type Work = (input: AsyncIterable<Buffer>, write: (octets: Buffer) => Promise<void>) => Promise<void>;

/** `uid gid all|one`, never root; then the work. Answers the exit status. */
export async function actAs(words: readonly string[], work: Work): Promise<number> {
  const [uid = -1, gid = -1] = words.map(Number);
  if (!(uid > 0) || !(gid >= 0)) return 64;
  if (!become(uid, gid, words[2] === 'all')) return 77;
  return act(work);
}

/** Does the work, which writes to standard output. Answers the exit status. */
export async function act(work: Work): Promise<number> {
  const write = (octets: Buffer): Promise<void> =>
    new Promise((resolve, reject) => {
      process.stdout.write(octets, (error) => (error ? reject(error) : resolve()));
    });
  await work(process.stdin as AsyncIterable<Buffer>, write);
  return 0;
}
