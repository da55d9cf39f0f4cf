/** ETRN: a queue run for what the client asks for, or the command of `smtp_etrn_command` (Exim spec 49.8). */

import type { Template } from '../expand/expand.ts';
import { compileTemplate } from '../expand/expand.ts';
import { splitCommand } from '../lib/command-text.ts';
import { run } from '../safe/spawn.ts';
import { type Clean, clean, literal } from '../safe/taint.ts';
import { factsOf, originalAddress } from './address.ts';
import { newContext, type Runtime } from './runtime.ts';

const commandTimeout = 10 * 60_000;
const commandMaximumOutput = 1024 * 1024;

/** Answers ETRN; the result is what went wrong. Nothing is begun twice for the same text while `smtp_etrn_serialize` is set. */
export function etrnRunner(
  runtime: Runtime,
  startQueueRun: (recipient: string, queue: Clean) => void,
): (argument: string, queue: Clean) => Promise<string | undefined> {
  const running = new Set<string>();
  return async (argument, queue) => {
    const { smtp_etrn_command: command, smtp_etrn_serialize: serialize } = runtime.config.main;
    if (command === undefined) {
      startQueueRun(argument.replace(/^#/, ''), queue);
      return undefined;
    }
    if (serialize && running.has(argument)) return `Already processing ${argument}`;
    const words = await commandWords(command, argument, runtime);
    if ('problem' in words) {
      runtime.logs.panic(`failed to set up ETRN command: ${words.problem}`);
      return 'Internal failure';
    }
    running.add(argument);
    void runCommand(words.words, runtime).finally(() => running.delete(argument));
    return undefined;
  };
}

async function commandWords(
  command: Template,
  argument: string,
  runtime: Runtime,
): Promise<{ readonly words: readonly Clean[] } | { readonly problem: string }> {
  const context = newContext(runtime);
  context.address = { ...factsOf(originalAddress(argument)), domain: argument };
  const words: Clean[] = [];
  for (const [index, source] of splitCommand(command.source).entries()) {
    const expansion = await compileTemplate(source).expand(context);
    if (!expansion.ok)
      return {
        problem: `Expansion of "${source}" from command "${command.source}" in ETRN processing failed: ${expansion.message}`,
      };
    const word = clean(expansion.text);
    if (word === undefined)
      return { problem: `Tainted arg ${index} for ETRN processing command: '${expansion.text.value}'` };
    words.push(word);
  }
  return { words };
}

async function runCommand([program, ...args]: readonly Clean[], { settings, logs }: Runtime): Promise<void> {
  if (program === undefined) return;
  const result = await run(
    {
      program,
      args,
      environment: Object.fromEntries(settings.environment),
      directory: literal('/'),
      umask: 0o077,
      timeout: commandTimeout,
      maximumOutput: commandMaximumOutput,
    },
    async () => undefined,
  );
  if (result.outcome === 'not run') logs.panic(`ETRN command ${program} could not be run: ${result.code}`);
}
