/** `-be`: expands arguments or lines and prints what comes out (Exim spec 5.3). */

import type { Macros } from '../../config/macros.ts';
import type { Context } from '../../expand/context.ts';
import { expandText } from '../../expand/expand.ts';
import { trimEnd, trimStart } from '../../lib/octets.ts';
import { Text } from '../../safe/taint.ts';
import { linePrompter } from '../line-prompter.ts';
import type { Terminal } from '../output.ts';

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

export async function expandCommand(
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
