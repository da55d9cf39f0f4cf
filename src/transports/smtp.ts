/** The smtp transport sends messages to other hosts by SMTP or LMTP (Exim spec 30). What does that is loaded when it is used. */

import { smtpOptions } from './smtp-options.ts';
import { defineRemoteTransport } from './transport.ts';
import { compileFilter } from './transport-filter.ts';

export const smtp = defineRemoteTransport({
  name: 'smtp',
  summary: 'sends the message to other hosts by SMTP or LMTP',
  options: smtpOptions,
  check(options, _, name) {
    const { command_timeout, data_timeout, final_timeout } = options;
    return command_timeout > 0 && data_timeout > 0 && final_timeout > 0
      ? undefined
      : { named: `command, data, or final timeout value is zero for ${name} transport` };
  },
  deliver(options, common, set) {
    const settings = { options, portIsSet: set.has('port'), filter: compileFilter(common) };
    return async (request, services) => (await import('./smtp-delivery.ts')).deliver(settings, request, services);
  },
  hostNames: (options) => async (request) => (await import('./smtp-delivery.ts')).hostNames(options, request),
  callout: (options, set) => async (request, services) =>
    (await import('./smtp-callout.ts')).prepareCallout(options, set.has('port'), request, services),
});
