/** The message that expansions see with `-bem`, and filters with `-bf` (Exim spec 5.2, 11.3). */

import type { Context, MessageFacts } from '../expand/context.ts';
import { errorText } from '../lib/errno.ts';
import { headerLine } from '../mail/header-line.ts';
import { MessageReader } from '../mail/message-reader.ts';
import { FromLine, fromLineSender } from '../mta/from-line.ts';
import type { Runtime } from '../mta/runtime.ts';
import * as files from '../safe/files.ts';
import { reviewed } from '../safe/taint.ts';

const headerLimit = 1024 * 1024;

export interface TestMessageRules {
  /** Its configuration says what a line in front of the message looks like and means (uucp_from_pattern). */
  readonly runtime: Runtime;
  /** Whether what such a line says of the sender does not count. */
  readonly keepSender?: boolean;
  out(text: string): void;
}

function linesIn(text: string): number {
  return text.split('\n').length - 1;
}

/** Puts the message in the file into the context; answers what is wrong with it, if anything. */
export async function takeTestMessage(
  name: string,
  context: Context,
  message: MessageFacts,
  rules: TestMessageRules,
): Promise<string | undefined> {
  let octets: Buffer;
  try {
    octets = files.read(reviewed(name, 'the caller names a file to be read with the rights of the caller'));
  } catch (error) {
    return `failed to open ${name}: ${errorText(error)}`;
  }
  return takeMessage(octets, name, context, message, rules);
}

/** The same with a message that was read; `name` says where from. */
export async function takeMessage(
  octets: Buffer,
  name: string,
  context: Context,
  message: MessageFacts,
  { runtime, keepSender, out }: TestMessageRules,
): Promise<string | undefined> {
  const fromLine = new FromLine(runtime.config.main.uucp_from_pattern);
  const body: Buffer[] = [];
  const reader = new MessageReader({ headers: headerLimit, headerLine: 0 }, (piece) => {
    body.push(piece);
    return undefined;
  });
  await reader.push(fromLine.take(octets));
  await reader.push(fromLine.end());
  await reader.end();
  if (reader.problem !== undefined) return `the message in ${name} has too long ${reader.problem}`;
  const sender = await fromLineSender(fromLine, context, runtime);
  if (sender !== undefined && !keepSender) {
    out('Sender taken from "From " line\n');
    message.sender = sender;
  }
  const text = Buffer.concat(body).toString('latin1');
  message.headers = reader.headers.map((line) => headerLine(line));
  message.bodySize = text.length;
  message.bodyLineCount = reader.bodyLines;
  message.bodyZeroCount = reader.bodyZeros;
  message.maxReceivedLineLength = reader.longestLine;
  // as in Exim, a header line that goes on in the next one counts once here
  message.lineCount =
    linesIn(octets.toString('latin1')) - message.headers.reduce((sum, { text }) => sum + linesIn(text) - 1, 0);
  message.size = message.headers.reduce((sum, line) => sum + line.text.length, 0) + 1 + text.length;
  message.receivedCount = message.headers.filter(({ type }) => type === 'P').length + 1;
  message.body = (limit, from) =>
    from === 'start' ? text.slice(0, limit) : text.slice(Math.max(text.length - limit, 0));
  context.message = message;
  return undefined;
}
