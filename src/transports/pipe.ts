/** The pipe transport hands a message to a program on its standard input (Exim spec 29). */

import type { Context } from '../expand/context.ts';
import { compileTemplate } from '../expand/expand.ts';
import { emptyFilterFacts } from '../expand/facts.ts';
import { splitCommand } from '../lib/command-text.ts';
import { splitList } from '../lib/list-text.ts';
import { trim } from '../lib/octets.ts';
import type { OptionsOf, OptionsProblem } from '../options/table.ts';
import type { Child } from '../routers/router.ts';
import * as files from '../safe/files.ts';
import type { Argument } from '../safe/spawn.ts';
import { type Clean, clean, pathOf, reviewed, Text } from '../safe/taint.ts';
import { batchPrefix } from './batch.ts';
import { type Command, compileCommand, expandCommand, refuseCommand } from './command-words.ts';
import { defineLocalTransport } from './define-local-transport.ts';
import { expandOption, give, giveQuietly, prepared } from './expanding.ts';
import { type PipeJob, runPipe, timedOut } from './pipe-job.ts';
import { pipeOptions } from './pipe-options.ts';
import type { DeliveryRequest } from './transport.ts';

type Options = OptionsOf<typeof pipeOptions>;

interface PipeCommand {
  readonly options: Options;
  readonly command: Command | undefined;
}

/** A command that redirection data named, without its bar. */
function redirectedCommand(command: Text | undefined, transport: string): Clean {
  const text = command?.slice(/^\|?[ \t-\r]*/.exec(command.value)?.[0].length ?? 0) ?? Text.empty;
  return clean(text) ?? give(`Tainted '${text.value}' (command for ${transport} transport) not permitted`, 0);
}

/** Its words: they are not expanded. */
function redirectedWords(command: Text | undefined, transport: string): Argument[] {
  return splitCommand(redirectedCommand(command, transport)).map((word) => reviewed(word, 'part of a clean text'));
}

/** What the command of a filter sees: captures and `$thisaddress` as they stood when the filter named it. */
function filterContext({ captures = [], thisAddress = '' }: NonNullable<Child['expand']>, context: Context): Context {
  // as in Exim, what a filter captured is the filter's own then
  const numeric = captures.map((text) => Text.vouched(text));
  const filter = { ...emptyFilterFacts(), thisAddress: Text.vouched(thisAddress) };
  return { ...context, results: { ...context.results, numeric }, filter };
}

/** The words of a filter's command, which are expanded one by one. */
function filterWords(
  command: Text | undefined,
  expansion: NonNullable<Child['expand']>,
  request: DeliveryRequest,
): Promise<Argument[]> {
  const { transport, addresses } = request;
  const compiled = compileCommand({ source: redirectedCommand(command, transport) });
  const context = filterContext(expansion, request.context);
  return expandCommand(compiled, { name: `${transport} transport`, expansionCode: 0 }, { addresses, context });
}

/** The words of the `command` option, expanded one by one. */
function configuredWords({ options, command }: PipeCommand, request: DeliveryRequest): Promise<Argument[]> {
  const { transport, addresses } = request;
  if (command === undefined) return giveQuietly(`no command specified for ${transport} transport`);
  return expandCommand(command, { name: `${transport} transport`, expansionCode: 0 }, request, (word) =>
    word === '$address_pipe' && options.force_command ? redirectedWords(addresses[0]?.pipe, transport) : undefined,
  );
}

/** Finds the program as the options permit: by its name on the path, or as it is written. */
async function findProgram(options: Options, request: DeliveryRequest, name: Argument, path: string): Promise<Clean> {
  const { transport, context } = request;
  const what = `allow_commands for ${transport} transport`;
  const allowed = options.allow_commands && (await expandOption(options.allow_commands, what, context));
  const isAllowed = allowed !== undefined && splitList(allowed.value).items.includes(name);
  if (!isAllowed) {
    if (options.restrict_to_path) {
      if (name.includes('/'))
        refuseCommand(`"/" found in "${name}" (command for ${transport} transport) - failed for security reasons`);
    } else if (allowed !== undefined) {
      refuseCommand(`"${name}" command not permitted by ${transport} transport`);
    }
  }
  if (name.startsWith('/')) return name;
  for (const directory of splitList(path).items) {
    const candidate = pathOf(reviewed(directory, 'the path option'), name);
    if (files.stat(candidate)?.isFile()) return candidate;
  }
  return refuseCommand(`"${name}" command not found for ${transport} transport`);
}

async function environment(options: Options, request: DeliveryRequest, path: string): Promise<Record<string, string>> {
  const { context, home, messageId, hosts, transport, addresses } = request;
  const { address, settings } = context;
  const localPart = address?.localPart ?? '';
  const single = addresses.length === 1;
  const standard: Record<string, string> = {
    LOCAL_PART: single ? localPart : '',
    LOGNAME: single ? localPart : '',
    USER: single ? localPart : '',
    LOCAL_PART_PREFIX: address?.localPartPrefix.value ?? '',
    LOCAL_PART_SUFFIX: address?.localPartSuffix.value ?? '',
    DOMAIN: address?.domain ?? '',
    HOME: home ?? '',
    MESSAGE_ID: messageId,
    PATH: path,
    RECIPIENT: single ? (addresses[0]?.recipient ?? '') : '',
    QUALIFY_DOMAIN: settings.qualifyDomain,
    SENDER: context.message?.sender ?? '',
    SHELL: '/bin/sh',
  };
  if (hosts[0] !== undefined) standard['HOST'] = hosts[0].name;
  if (options.environment !== undefined) {
    const added = await options.environment.expand(context);
    if (!added.ok) {
      const { source } = options.environment;
      return giveQuietly(`failed to expand string "${source}" for ${transport} transport: ${added.message}`);
    }
    for (const item of splitList(added.text.value).items) {
      const equals = item.indexOf('=');
      if (equals > 0) standard[item.slice(0, equals)] = item.slice(equals + 1);
    }
  }
  for (const name of Object.keys(standard)) standard[name] = (standard[name] ?? '').replaceAll('\0', '');
  return standard;
}

/** `use_shell`: the command is expanded as one string and given to a shell. */
async function shellWords(options: Options, request: DeliveryRequest): Promise<Argument[]> {
  const { transport, context, addresses } = request;
  const redirected = addresses[0]?.pipe;
  const shell = [reviewed('/bin/sh', 'the shell'), reviewed('-c', 'its option')];
  if (redirected !== undefined && !options.force_command) {
    const command = redirectedCommand(redirected, transport);
    const expansion = addresses[0]?.pipeExpansion;
    if (expansion === undefined) return [...shell, command];
    const what = `command '${command}' in ${transport} transport`;
    const text = await expandOption(compileTemplate(command), what, filterContext(expansion, context));
    const expanded = text && clean(text);
    return [...shell, expanded ?? refuseCommand(`Tainted arg 0 for ${transport} transport command: '${text?.value}'`)];
  }
  if (options.command === undefined) return giveQuietly(`no command specified for ${transport} transport`);
  const expansion = await options.command.expand(context);
  if (!expansion.ok) {
    const what = `Expansion of command "${options.command.source}" in ${transport} transport failed`;
    return give(`${what}: ${expansion.message}`, 0);
  }
  const { text } = expansion;
  const command = clean(text);
  return [...shell, command ?? refuseCommand(`Tainted arg 0 for ${transport} transport command: '${text.value}'`)];
}

async function commandWords(command: PipeCommand, request: DeliveryRequest): Promise<Argument[]> {
  const { options } = command;
  if (options.use_shell) return shellWords(options, request);
  const [address] = request.addresses;
  if (address?.pipe === undefined || options.force_command) return configuredWords(command, request);
  const { pipe: redirected, pipeExpansion } = address;
  return pipeExpansion === undefined
    ? redirectedWords(redirected, request.transport)
    : filterWords(redirected, pipeExpansion, request);
}

async function framing(
  options: Options,
  set: ReadonlySet<string>,
  request: DeliveryRequest,
): Promise<Pick<PipeJob, 'prefix' | 'suffix' | 'check' | 'escape' | 'escapesHeaders'>> {
  const { transport, context } = request;
  const text = async (name: 'message_prefix' | 'message_suffix'): Promise<string> => {
    const template = options[name];
    if (template === undefined || (options.use_bsmtp && !set.has(name))) return '';
    const what = `${name.slice('message_'.length)} for ${transport} transport`;
    return (await expandOption(template, what, context, 'is an error', 0))?.value ?? '';
  };
  const [prefix, suffix] = [await text('message_prefix'), await text('message_suffix')];
  if (!options.use_bsmtp)
    return {
      prefix,
      suffix,
      check: options.check_string ?? '',
      escape: options.escape_string ?? '',
      escapesHeaders: false,
    };
  const newline = options.use_crlf ? '\r\n' : '\n';
  return {
    prefix: `${prefix}${batchPrefix(request, newline)}`,
    suffix: `${suffix}.${newline}`,
    check: '.',
    escape: '..',
    escapesHeaders: true,
  };
}

async function prepare(
  command: PipeCommand,
  set: ReadonlySet<string>,
  request: DeliveryRequest,
): Promise<{ readonly job: PipeJob }> {
  const { transport, context } = request;
  const { options } = command;
  const path = (await expandOption(options.path, `path for ${transport} transport`, context))?.value ?? '';
  const [name, ...args] = await commandWords(command, request);
  if (name === undefined) return giveQuietly(`no command specified for ${transport} transport`);
  const frame = await framing(options, set, request);
  const job: PipeJob = {
    driver: 'pipe',
    transport,
    program: await findProgram(options, request, name, path),
    args,
    shown: [name, ...args].join(' '),
    environment: await environment(options, request, path),
    directory: request.directory,
    headers: !request.common.body_only,
    body: !request.common.headers_only,
    crlf: options.use_crlf,
    ...frame,
    umask: options.umask,
    timeout: options.timeout,
    timeoutDefers: options.timeout_defer,
    maximumOutput: options.max_output,
    ignoreStatus: options.ignore_status,
    temporary: trim(options.temp_errors.source) === '*' ? '*' : options.temp_errors.items.map(Number),
    freezeExecFail: options.freeze_exec_fail,
    freezeSignal: options.freeze_signal,
    returnOutput: options.return_output && context.message?.sender !== '',
    returnFailOutput: options.return_fail_output,
    logOutput: options.log_output,
    logFailOutput: options.log_fail_output,
    logDeferOutput: options.log_defer_output,
  };
  return { job };
}

/** Options that exclude each other. */
const exclusive = [
  ['restrict_to_path', 'use_shell', ''],
  ['allow_commands', 'use_shell', ''],
  ['return_output', 'return_fail_output', ''],
  ['log_output', 'log_fail_output', 'the '],
] as const;

function checkPipe(options: Options, name: string): OptionsProblem | undefined {
  for (const [one, other, article] of exclusive) {
    if (options[one] !== undefined && options[one] !== false && options[other]) {
      return { named: `both ${one} and ${other} set for ${article}${name} transport` };
    }
  }
  const { source, items } = options.temp_errors;
  if (trim(source) === '*' || items.every((item) => /^\d+$/.test(item))) return undefined;
  return { named: `temp_errors must be a list of numbers or an asterisk for the ${name} transport` };
}

export const pipe = defineLocalTransport({
  name: 'pipe',
  summary: 'hands the message to a program',
  options: pipeOptions,
  check(options, { user, group }, name) {
    if (options.pipe_as_creator && (user !== undefined || group !== undefined)) {
      return { named: `both pipe_as_creator and an explicit uid/gid are set for the ${name} transport` };
    }
    return checkPipe(options, name);
  },
  prepare(options, set) {
    const command = { options, command: options.command && compileCommand(options.command) };
    return (request) => prepared(() => prepare(command, set, request));
  },
  perform: (job: PipeJob, content) => runPipe(job, content),
  filterProblems: {
    timedOut: (job: PipeJob) => timedOut(job, 'transport filter timeout while writing to pipe'),
  },
});
