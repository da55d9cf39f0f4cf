/** `-bf` and `-bF`: what filters make of the message on standard input (Exim spec 5.2; Exim's filter specification 1.3). */

import type { Context, MessageFacts } from '../../expand/context.ts';
import { eximLanguage, type FilterRequest, filterLanguageOf } from '../../filter/filter.ts';
import { usualLimits } from '../../filter/filter-outcome.ts';
import { readRedirectionList } from '../../filter/redirection-list.ts';
import { errorText } from '../../lib/errno.ts';
import { lower, trim } from '../../lib/octets.ts';
import { headerBody, headerName } from '../../mail/header-line.ts';
import { LineEndings } from '../../mail/line-endings.ts';
import { factsOf, originalAddress } from '../../mta/address.ts';
import { fixUp } from '../../mta/fixups.ts';
import { includedFile } from '../../routers/redirection-file.ts';
import * as files from '../../safe/files.ts';
import { reviewed, Text } from '../../safe/taint.ts';
import { newId } from '../../spool/id.ts';
import type { Call } from '../call.ts';
import { givenSender } from '../sender.ts';
import { testContext } from '../test-context.ts';
import { takeMessage } from '../test-message.ts';

/** A test message is kept in memory. */
const largestMessage = 64 * 1024 * 1024;

interface FilterFile {
  readonly name: string;
  readonly isSystem: boolean;
  /** Nothing when it can be opened but not read. */
  readonly text: string | undefined;
  readonly problem: string;
}

/** Opens the file, as the caller; answers why it cannot be opened. */
function openFilter(name: string, isSystem: boolean): FilterFile | { readonly error: string } {
  const path = reviewed(name, 'the caller names a file to be read with the rights of the caller');
  try {
    const file = files.open(path);
    try {
      if (files.statOpen(file).isDirectory()) return { name, isSystem, text: undefined, problem: 'Is a directory' };
    } finally {
      files.close(file);
    }
    return { name, isSystem, text: files.readText(path), problem: '' };
  } catch (error) {
    return { error: `failed to open ${name}: ${errorText(error)}` };
  }
}

export async function testFilterCommand(call: Call): Promise<number> {
  const { invocation, terminal } = call;
  const { system, user } = invocation.filterTest;
  const complain = (text: string): number => {
    terminal.error(`exim: ${text}\n`);
    return 1;
  };
  if (invocation.arguments.length > 0 || invocation.recipientsFromHeaders) {
    return complain('incompatible command-line options or arguments');
  }
  const filters: FilterFile[] = [];
  for (const [name, isSystem] of [[system, true] as const, [user, false] as const]) {
    if (name === undefined) continue;
    const found = openFilter(name, isSystem);
    if ('error' in found) return complain(found.error);
    filters.push(found);
  }
  const sender = givenSender(call);
  if ('error' in sender) return complain(sender.error);
  const context = testContext(call);
  if (context.connection !== undefined) context.connection.handsNothingOver = false;
  const { message } = context;
  if (message === undefined) return complain('there is no message');
  if (sender.address !== undefined) message.sender = sender.address;
  const problem = await readMessage(call, context, message);
  if (problem !== undefined) return complain(problem);
  describeEnvelope(call, context, message);
  for (const filter of filters) {
    const status = await testOne(filter, call, context);
    if (status !== 0) return status;
  }
  return 0;
}

/** Reads the message from standard input and completes it as one that a local program hands over. */
async function readMessage(call: Call, context: Context, message: MessageFacts): Promise<string | undefined> {
  const { invocation, runtime, caller, terminal } = call;
  const { config, settings } = runtime;
  const endings = new LineEndings(invocation.dotEndsMessage);
  const pieces: Buffer[] = [];
  let read = 0;
  for await (const chunk of process.stdin) {
    const piece = endings.convert(chunk as Buffer);
    pieces.push(piece);
    read += piece.length;
    if (read > largestMessage) return 'the message is too large';
    if (endings.ended) break;
  }
  pieces.push(endings.end());
  const problem = await takeMessage(Buffer.concat(pieces), 'standard input', context, message, {
    runtime,
    keepSender: invocation.sender !== undefined,
    out: terminal.out,
  });
  if (problem !== undefined) return problem;
  if (message.headers.length === 0) terminal.out('Warning: no message headers read\n');
  message.id = newId();
  message.recipientsCount = 1;
  const { size } = message;
  const lineCount = message.headers.reduce((sum, { text }) => sum + text.split('\n').length - 1, message.bodyLineCount);
  if (context.connection !== undefined) context.connection.receivedProtocol = invocation.origin.protocol ?? 'local';
  const ownName = invocation.sender === undefined ? caller.fullName : '';
  const fixed = await fixUp(
    message.headers,
    {
      config,
      id: message.id,
      primaryHostname: settings.primaryHostname,
      qualifyDomain: settings.qualifyDomain,
      sender: message.sender,
      submitter: { ...caller, fullName: invocation.senderName ?? ownName },
      submission: undefined,
      authenticatedId: caller.login,
      isReport: false,
      panic: (text) => terminal.error(`${text}\n`),
    },
    context,
  );
  Object.assign(message, { headers: fixed.headers.filter(({ type }) => type !== '*'), size, lineCount });
  return undefined;
}

/** Chooses return path and recipient, and tells them. */
function describeEnvelope(
  { invocation, runtime, caller, terminal }: Call,
  context: Context,
  message: MessageFacts,
): void {
  const { filterTest } = invocation;
  const { domain = runtime.settings.qualifyDomain, localPart = caller.login, prefix = '', suffix = '' } = filterTest;
  const line = message.headers.find(({ text }) => lower(headerName(text)) === 'return-path');
  const { out } = terminal;
  let returnPath = message.sender;
  if (line === undefined) {
    out('Return-path copied from sender\n');
  } else {
    returnPath = trim(headerBody(line.text)).replace(/^<(.*)>$/s, '$1');
    out(`Return-path taken from "Return-path:" header line\nReturn-path = ${returnPath || '<>'}\n`);
  }
  const recipient = `${prefix}${localPart}${suffix}@${domain}`;
  out(`Sender      = ${message.sender || '<>'}\nRecipient   = ${recipient}\n`);
  if (prefix !== '') out(`Prefix    = ${prefix}\n`);
  if (suffix !== '') out(`Suffix    = ${suffix}\n`);
  message.recipients = [recipient];
  context.address = {
    ...factsOf(originalAddress(`${localPart}@${domain}`)),
    localPart,
    domain,
    localPartPrefix: Text.tainted(prefix),
    localPartSuffix: Text.tainted(suffix),
    home: Text.vouched(caller.home),
  };
  context.delivery = {
    transportName: '',
    returnPath,
    host: '',
    hostAddress: '',
    hostPort: 0,
    inode: 0,
    pipeAddresses: [],
    firstDelivery: true,
    queueRunning: false,
  };
}

async function testOne({ name, isSystem, text, problem }: FilterFile, call: Call, context: Context): Promise<number> {
  const { terminal, invocation } = call;
  const { out } = terminal;
  if (text === undefined) {
    out(`exim: error while reading ${name}: ${problem}\n`);
    return 1;
  }
  const marked = filterLanguageOf(text);
  const kind = marked === undefined && !isSystem ? 'forward file' : `${(marked ?? eximLanguage).name} filter`;
  out(`Testing ${kind} file "${name}"\n\n`);
  // a system filter is one in Exim's language, whatever it says
  const language = isSystem ? eximLanguage : marked;
  if (language === undefined) return testForwardFile(text, context.address?.domain ?? '', call);
  const run = await language.load();
  const { address } = context;
  const { localPart = '', domain = '' } = address ?? {};
  const full = `${address?.localPartPrefix.value}${localPart}${address?.localPartSuffix.value}@${domain}`;
  const request: FilterRequest = {
    text: Text.vouched(text),
    context,
    limits: usualLimits,
    isSystem,
    ownAddresses: isSystem ? [] : [full, `${localPart}@${domain}`],
    prependHome: true,
    qualifyDomain: call.runtime.settings.qualifyRecipient,
    firstDelivery: true,
    manuallyThawed: false,
    isDry: true,
    user: undefined,
    sieve: undefined,
    test: { print: out, explain: invocation.verbose ? terminal.error : undefined },
  };
  const outcome = await run(request);
  if (outcome.outcome === 'error') {
    out(`Filter error: ${outcome.message}\n`);
    return 1;
  }
  // what becomes of a Sieve filter's message it said itself
  if (language.name === 'Sieve') return 0;
  if (isSystem) context.systemNumbers = outcome.numbers;
  if (outcome.outcome !== 'done') out(`Filtering ended by "${outcome.outcome}".\n`);
  else if (outcome.significant) {
    out('Filtering set up at least one significant delivery or other action.\nNo other deliveries will occur.\n');
  } else out('Filtering did not set up a significant delivery.\nNormal delivery will occur.\n');
  return 0;
}

/** A file with a list of addresses. */
function testForwardFile(text: string, ownDomain: string, { runtime, terminal }: Call): number {
  const { out } = terminal;
  const result = readRedirectionList(text, {
    allowFail: false,
    allowDefer: false,
    forbidBlackhole: false,
    forbidInclude: false,
    skipSyntaxErrors: false,
    allowDomainLiterals: runtime.config.main.allow_domain_literals,
    include: (name) => includedFile(name, undefined),
  });
  if (result.outcome === 'error') {
    out(`exim: error in forward file: ${result.message}\n`);
    return 1;
  }
  if (result.outcome === 'discard') out('exim: forwardfile contains ":blackhole:"\n');
  const items = result.outcome === 'list' ? [...result.items].reverse() : [];
  if (items.length === 0) {
    out('exim: no addresses generated from forward file\n');
    return 0;
  }
  out('exim: forward file generated:\n');
  for (const item of items) {
    if (item.kind === 'blackhole') continue;
    // a backslash in front asks for the domain of the address itself
    const domain = item.kind === 'address' && item.backslash ? ownDomain : runtime.settings.qualifyDomain;
    out(`  ${item.kind !== 'address' ? item.text : item.qualified ? item.address : `${item.address}@${domain}`}\n`);
  }
  return 0;
}
