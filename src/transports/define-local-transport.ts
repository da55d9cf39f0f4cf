/** How a driver of a local transport is declared. What most of them do alike, the transport filter, is added here. */

import type { Eventual } from '../lib/eventual.ts';
import type { OptionsOf, OptionTable } from '../options/table.ts';
import { type FilterProblems, throughFilter } from './filtered-content.ts';
import type {
  ContentReader,
  DeliveryRequest,
  DeliveryResult,
  Job,
  LocalTransport,
  TransportDriver,
  TransportLiteral,
} from './transport.ts';
import { compileFilter } from './transport-filter.ts';

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

/** Declares a local transport. `set` tells which options the configuration mentions. */
export function defineLocalTransport<T extends OptionTable, J extends Job>(
  driver: LocalTransportLiteral<T, J>,
): TransportDriver {
  const perform = (job: J, content: ContentReader): Promise<DeliveryResult> =>
    job.filter === undefined || driver.filtersItself === true
      ? driver.perform(job, content)
      : throughFilter(job, job.filter, content, driver.filterProblems, (filtered) => driver.perform(job, filtered));
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
