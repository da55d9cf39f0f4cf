/** The lmtp transport hands messages to an LMTP server on this machine: behind a socket, or a program (Exim spec 28). */

import type { OptionsOf } from '../options/table.ts';
import { type Command, compileCommand, expandCommand } from './command-words.ts';
import { defineLocalTransport } from './define-local-transport.ts';
import { expandPath, give, prepared } from './expanding.ts';
import type { LmtpJob } from './lmtp-job.ts';
import { lmtpOptions } from './lmtp-options.ts';
import { type DeliveryRequest, errorCodes } from './transport.ts';

type Options = OptionsOf<typeof lmtpOptions>;

async function serverOf(
  options: Options,
  command: Command | undefined,
  request: DeliveryRequest,
): Promise<LmtpJob['server']> {
  const { transport, context } = request;
  const { socket } = options;
  if (socket !== undefined) {
    return { socket: await expandPath(socket, `socket setting for ${transport} transport`, context) };
  }
  const name = { name: `${transport} transport`, expansionCode: errorCodes.unknown };
  const [program, ...args] = command === undefined ? [] : await expandCommand(command, name, request);
  if (program === undefined) return give(`no command specified for ${transport} transport`);
  return { program, args };
}

async function prepare(
  options: Options,
  command: Command | undefined,
  request: DeliveryRequest,
): Promise<{ readonly job: LmtpJob }> {
  const { transport, common, addresses, primaryHostname: hostname, returnPath: sender, directory } = request;
  const recipients = addresses.map(({ recipient }) => recipient);
  if ([sender, ...recipients].some((address) => /[\0\r\n]/.test(address))) give('an address holds a line end');
  const job: LmtpJob = {
    driver: 'lmtp',
    transport,
    server: await serverOf(options, command, request),
    directory,
    hostname,
    sender,
    recipients,
    ignoreQuota: options.ignore_quota,
    body_only: common.body_only,
    headers_only: common.headers_only,
    timeout: options.timeout,
  };
  return { job };
}

export const lmtp = defineLocalTransport({
  name: 'lmtp',
  summary: 'hands the message to an LMTP server on this machine',
  options: lmtpOptions,
  check(options, _, name) {
    return (options.command === undefined) === (options.socket === undefined)
      ? { named: `one (and only one) of command or socket must be set for the ${name} transport` }
      : undefined;
  },
  prepare(options) {
    const command = options.command && compileCommand(options.command);
    return (request) => prepared(() => prepare(options, command, request));
  },
  perform: async (job: LmtpJob, content) => (await import('./lmtp-job.ts')).runLmtp(job, content),
});
