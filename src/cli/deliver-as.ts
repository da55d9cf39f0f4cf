/** A process that delivers as another user (`mta/subprocess.ts`): it becomes that user for good, then takes jobs. */

import { transports } from '../config/drivers.ts';
import { serveJobs } from '../mta/subprocess.ts';
import { standardValues } from '../options/table.ts';
import { transportCommonOptions } from '../transports/common-options.ts';
import type { LocalTransport } from '../transports/transport.ts';
import { actAs } from './become.ts';

/** The driver's worker; what a job does is in the job, so the options do not matter. */
function workerOf(name: string): LocalTransport | undefined {
  const driver = transports.get(name);
  if (driver === undefined || !driver.isLocal) return undefined;
  const worker = driver.make(standardValues(driver.options), standardValues(transportCommonOptions), new Set());
  return worker.style === 'local' ? worker : undefined;
}

/** `uid gid all|one`; answers the exit status. */
export function deliverAs(words: readonly string[]): Promise<number> {
  return actAs(words, (input, write) => serveJobs(input, workerOf, write));
}
