/** The lmtp transport hands messages to an LMTP server on this machine: behind a socket, or a program (Exim spec 28). */

import { compileTemplate, type Template } from '../expand/expand.ts';
import { splitCommand } from '../lib/command-text.ts';
import type { OptionsOf } from '../options/table.ts';
import { type Argument, taintedArgument } from '../safe/spawn.ts';
import { clean, Text } from '../safe/taint.ts';
import { expandPath, give, prepared, Unprepared } from './expanding.ts';
import { type LmtpJob, runLmtp } from './lmtp-job.ts';
import { lmtpOptions } from './lmtp-options.ts';
import { type DeliveryRequest, defineLocalTransport, errorCodes } from './transport.ts';

type Options = OptionsOf<typeof lmtpOptions>;

interface CommandWord {
  readonly word: string;
  readonly template: Template;
}

/** The words of the command, expanded one by one; only recipients may be tainted, in place of `$pipe_addresses`. */
async function commandWords(
  words: readonly CommandWord[],
  source: string,
  request: DeliveryRequest,
): Promise<Argument[]> {
  const { transport, context, addresses } = request;
  const found: Argument[] = [];
  for (const { word, template } of words) {
    if (word === '$pipe_addresses') {
      for (const { recipient } of addresses) {
        found.push(taintedArgument(Text.tainted(recipient), 'the manual lets recipients stand for $pipe_addresses'));
      }
      continue;
    }
    const expansion = await template.expand(context);
    if (!expansion.ok) {
      const what = `Expansion of "${word}" from command "${source}" in ${transport} transport failed`;
      return give(`${what}: ${expansion.message}`);
    }
    const argument = clean(expansion.text);
    if (argument === undefined) {
      const message = `Tainted arg ${found.length} for ${transport} transport command: '${expansion.text.value}'`;
      throw new Unprepared({ outcome: 'failed', code: errorCodes.unknown, message });
    }
    found.push(argument);
  }
  return found;
}

async function serverOf(
  options: Options,
  words: readonly CommandWord[],
  request: DeliveryRequest,
): Promise<LmtpJob['server']> {
  const { transport, context } = request;
  const { socket, command } = options;
  if (socket !== undefined) {
    return { socket: await expandPath(socket, `socket setting for ${transport} transport`, context) };
  }
  const [program, ...args] = await commandWords(words, command?.source ?? '', request);
  if (program === undefined) return give(`no command specified for ${transport} transport`);
  return { program, args };
}

async function prepare(
  options: Options,
  words: readonly CommandWord[],
  request: DeliveryRequest,
): Promise<{ readonly job: LmtpJob }> {
  const { transport, common, addresses, primaryHostname: hostname, returnPath: sender, directory } = request;
  const recipients = addresses.map(({ recipient }) => recipient);
  if ([sender, ...recipients].some((address) => /[\0\r\n]/.test(address))) give('an address holds a line end');
  const job: LmtpJob = {
    driver: 'lmtp',
    transport,
    server: await serverOf(options, words, request),
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
  check(options) {
    return (options.command === undefined) === (options.socket === undefined)
      ? 'one (and only one) of command or socket must be set'
      : undefined;
  },
  prepare(options) {
    const words = splitCommand(options.command?.source ?? '').map((word) => ({
      word,
      template: compileTemplate(word),
    }));
    return (request) => prepared(() => prepare(options, words, request));
  },
  perform: (job: LmtpJob, content) => runLmtp(job, content),
});
