/** `-be`: expands arguments or lines and prints what comes out (Exim spec 5.3). */

import { builtinsFor } from '../../config/builtin-names.ts';
import { Macros } from '../../config/macros.ts';
import type { Context } from '../../expand/context.ts';
import { expandText } from '../../expand/expand.ts';
import { trimEnd, trimStart } from '../../lib/octets.ts';
import { messageFactsOf } from '../../mta/message-context.ts';
import { Text } from '../../safe/taint.ts';
import type { SpooledMessage } from '../../spool/spooled-message.ts';
import type { Call } from '../call.ts';
import { linePrompter } from '../line-prompter.ts';
import type { Terminal } from '../output.ts';
import { testContext } from '../test-context.ts';
import { takeTestMessage } from '../test-message.ts';
import { openMessage } from './message-opening.ts';

async function expandLine(line: string, context: Context, terminal: Terminal): Promise<void> {
  const expansion = await expandText(Text.configured(line), context);
  terminal.out(expansion.ok ? `${expansion.text.value}\n` : `Failed: ${expansion.message}\n`);
}

/** A line that begins with a capital letter defines a macro; in all others macros are replaced. */
function takeMacro(line: string, macros: Macros, terminal: Terminal): boolean {
  if (!/^[A-Z]/.test(line)) return false;
  const name = /^([A-Z][A-Za-z0-9_]*)[ \t]*=/.exec(line)?.[1];
  if (name === undefined) {
    terminal.error('malformed macro definition\n');
    return true;
  }
  const problem = macros.define(line);
  terminal.out(problem === undefined ? `Defined macro '${name}'\n` : `${problem}\n`);
  return true;
}

async function expandWords(
  words: readonly string[],
  context: Context,
  macros: Macros,
  terminal: Terminal,
): Promise<number> {
  if (words.length > 0) {
    for (const word of words) await expandLine(macros.replace(word).text, context, terminal);
    return 0;
  }
  const prompter = linePrompter(terminal);
  prompter.prompt();
  let collected = '';
  for await (const line of prompter.lines) {
    const text = trimEnd(collected === '' ? line : trimStart(line));
    if (text.endsWith('\\')) {
      collected += text.slice(0, -1);
      prompter.more();
      continue;
    }
    const whole = collected + text;
    collected = '';
    if (!takeMacro(whole, macros, terminal)) await expandLine(macros.replace(whole).text, context, terminal);
    prompter.prompt();
  }
  terminal.out('\n');
  return 0;
}

/** `-Mset`: the message whose values are shown. One that cannot be had is told, and its values are empty. */
function queuedMessage(call: Call): SpooledMessage | undefined {
  const { messageId: id } = call.invocation;
  if (id === undefined) return undefined;
  const opening = openMessage(id, call);
  if ('message' in opening) return opening.message;
  call.terminal.error(`Failed to load message datafile ${id}\nFailed to load message ${id}\n`);
  return undefined;
}

export async function expandCommand(call: Call): Promise<number> {
  const { invocation, runtime, terminal } = call;
  const context = testContext(call);
  if (invocation.messageFile !== undefined && context.message !== undefined) {
    const problem = await takeTestMessage(invocation.messageFile, context, context.message, {
      runtime,
      out: terminal.out,
    });
    if (problem !== undefined) {
      terminal.error(`exim: ${problem}\n`);
      return 1;
    }
  }
  const message = queuedMessage(call);
  if (message !== undefined) context.message = messageFactsOf(message.envelope, message.body);
  const words = invocation.arguments;
  const builtins =
    words.length > 0 ? await builtinsFor(words) : (await import('../../config/builtin-macros.ts')).builtinMacros;
  const known = new Macros(new Map(runtime.config.macros.map(({ name, value }) => [name, value])), builtins);
  try {
    return await expandWords(words, context, known, terminal);
  } finally {
    message?.release();
  }
}
