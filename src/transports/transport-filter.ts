/** The option `transport_filter`: compiled with the configuration, expanded for each delivery (Exim spec 24). */

import type { Eventual } from '../lib/eventual.ts';
import { type Command, compileCommand, expandCommand } from './command-words.ts';
import type { TransportCommonOptions } from './common-options.ts';
import { prepared } from './expanding.ts';
import { type DeliveryRequest, type DeliveryResult, errorCodes, type FilterCommand, type Job } from './transport.ts';

type Prepare<J extends Job> = (request: DeliveryRequest) => Eventual<{ readonly job: J } | DeliveryResult>;

export interface CompiledFilter {
  /** The command for a delivery; nothing when it expands to an empty string. @throws Unprepared */
  prepare(request: DeliveryRequest): Promise<FilterCommand | undefined>;
  /** A preparation that adds the command to its job. */
  added<J extends Job>(prepare: Prepare<J>): Prepare<J>;
}

/** Nothing when the option is unset. */
export function compileFilter(common: TransportCommonOptions): CompiledFilter | undefined {
  if (common.transport_filter === undefined) return undefined;
  const command = compileCommand(common.transport_filter);
  const prepare: CompiledFilter['prepare'] = (request) => filterCommand(command, common, request);
  return {
    prepare,
    added: (prepareJob) => (request) =>
      prepared(async () => {
        const found = await prepareJob(request);
        if ('outcome' in found) return found;
        return { job: { ...found.job, filter: await prepare(request) } };
      }),
  };
}

async function filterCommand(
  command: Command,
  { transport_filter_timeout: timeout, body_only, headers_only }: TransportCommonOptions,
  request: DeliveryRequest,
): Promise<FilterCommand | undefined> {
  const name = { name: 'transport filter', expansionCode: errorCodes.unknown };
  const [program, ...args] = await expandCommand(command, name, request);
  if (program === undefined || (program === '' && args.length === 0)) return undefined;
  return {
    program,
    args,
    directory: request.directory,
    timeout: timeout * 1000,
    headers: !body_only,
    body: !headers_only,
  };
}
