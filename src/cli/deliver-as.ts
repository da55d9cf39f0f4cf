/** A process that delivers as another user (`mta/subprocess.ts`): it becomes that user for good, then takes jobs. */

import { transports } from '../config/drivers.ts';
import { serveJobs } from '../mta/subprocess.ts';
import { standardValues } from '../options/table.ts';
import { userWithId } from '../safe/users.ts';
import { transportCommonOptions } from '../transports/common-options.ts';
import type { LocalTransport } from '../transports/transport.ts';

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

/** The driver's worker; what a job does is in the job, so the options do not matter. */
function workerOf(name: string): LocalTransport | undefined {
  const driver = transports.get(name);
  if (driver === undefined || !driver.isLocal) return undefined;
  const worker = driver.make(standardValues(driver.options), standardValues(transportCommonOptions), new Set());
  return worker.style === 'local' ? worker : undefined;
}

/** `uid gid all|one`; answers the exit status. */
export async function deliverAs(words: readonly string[]): Promise<number> {
  const [uid = -1, gid = -1] = words.map(Number);
  if (!(uid > 0) || !(gid >= 0)) return 64;
  if (!become(uid, gid, words[2] === 'all')) return 77;
  const write = (octets: Buffer): Promise<void> =>
    new Promise((resolve, reject) => {
      process.stdout.write(octets, (error) => (error ? reject(error) : resolve()));
    });
  await serveJobs(process.stdin as AsyncIterable<Buffer>, workerOf, write);
  return 0;
}
