/** How a driver of a local transport is declared. What most of them do alike, the transport filter, is added here. */

import { errorNumber } from '../lib/errno.ts';
import type { Eventual } from '../lib/eventual.ts';
import type { OptionsOf, OptionTable } from '../options/table.ts';
import * as files from '../safe/files.ts';
import { type Clean, literal, pathOf } from '../safe/taint.ts';
import { type FilterProblems, throughFilter } from './filtered-content.ts';
import {
  type ContentReader,
  type DeliveryRequest,
  type DeliveryResult,
  deferred,
  type Job,
  type LocalTransport,
  type TransportDriver,
  type TransportLiteral,
  type Undelivered,
} from './transport.ts';
import { compileFilter } from './transport-filter.ts';

/** ENOENT and ENOTDIR. */
const errors = { none: 2, notDirectory: 20 } as const;

interface LocalTransportLiteral<T extends OptionTable, J extends Job> extends TransportLiteral<T> {
  prepare(
    options: OptionsOf<T>,
    set: ReadonlySet<string>,
  ): (request: DeliveryRequest) => Eventual<{ readonly job: J } | DeliveryResult>;
  perform(job: J, content: ContentReader): Promise<DeliveryResult>;
  /** It heeds `roomFor` in a request. */
  readonly knowsQuota?: true;
  /** It runs the filter itself. */
  readonly filtersItself?: true;
  /** How it speaks of a filter that fails. */
  readonly filterProblems?: FilterProblems<J>;
}

/** Why the delivery cannot work in its directory, with the rights that it has. */
function cannotEnter(directory: Clean | undefined): Undelivered | undefined {
  if (directory === undefined || directory === '/') return undefined;
  const what = `failed to chdir to ${directory}`;
  try {
    const found = files.stat(directory);
    if (found === undefined) return deferred(errors.none, what);
    if (!found.isDirectory()) return deferred(errors.notDirectory, what);
    files.stat(pathOf(directory, literal('.')));
    return undefined;
  } catch (error) {
    return deferred(errorNumber(error), what);
  }
}

/** Declares a local transport. `set` tells which options the configuration mentions. */
export function defineLocalTransport<T extends OptionTable, J extends Job>(
  driver: LocalTransportLiteral<T, J>,
): TransportDriver {
  const perform = async (job: J, content: ContentReader): Promise<DeliveryResult> => {
    const unreachable = cannotEnter(job.workingDirectory);
    if (unreachable !== undefined) return unreachable;
    if (job.filter === undefined || driver.filtersItself === true) return driver.perform(job, content);
    return throughFilter(job, job.filter, content, driver.filterProblems, (filtered) => driver.perform(job, filtered));
  };
  return {
    check: () => undefined,
    ...driver,
    isLocal: true,
    make: (options, common, set): LocalTransport => {
      const prepare = driver.prepare(options as OptionsOf<T>, set);
      const filter = compileFilter(common);
      return {
        style: 'local',
        knowsQuota: driver.knowsQuota === true,
        prepare: filter === undefined ? prepare : filter.added(prepare),
        perform: (job, content) => perform(job as J, content),
      };
    },
  };
}
