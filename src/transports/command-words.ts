/**
 * Commands that options of a transport hold: split into words when the configuration is read, expanded word by word for a
 * delivery, never seen by a shell (Exim spec 29.3).
 */

import type { Context } from '../expand/context.ts';
import { compileTemplate, type Template } from '../expand/expand.ts';
import { splitCommand } from '../lib/command-text.ts';
import { type Argument, taintedArgument } from '../safe/spawn.ts';
import { clean, Text } from '../safe/taint.ts';
import { give, Unprepared } from './expanding.ts';
import { type DeliveryAddress, errorCodes } from './transport.ts';

interface CommandWord {
  readonly word: string;
  readonly template: Template;
}

export interface Command {
  /** As it stands in the configuration. */
  readonly source: string;
  readonly words: readonly CommandWord[];
}

/** How errors speak of a command: `from command "…" in NAME failed`, `Tainted arg N for NAME command`. */
export interface CommandName {
  readonly name: string;
  /** The number that a failed expansion has in the log. */
  readonly expansionCode: number;
}

export function compileCommand({ source }: Pick<Template, 'source'>): Command {
  return { source, words: splitCommand(source).map((word) => ({ word, template: compileTemplate(word) })) };
}

/** The command cannot be run for this delivery, now or later. */
export function refuseCommand(message: string, publicMessage?: string): never {
  throw new Unprepared({ outcome: 'failed', code: errorCodes.unknown, message, publicMessage });
}

/**
 * The words, expanded; none of them may be tainted. `$pipe_addresses` stands for the recipients; `special` knows further
 * words that are not expanded. @throws Unprepared
 */
export async function expandCommand(
  { source, words }: Command,
  { name, expansionCode }: CommandName,
  { addresses, context }: { readonly addresses: readonly DeliveryAddress[]; readonly context: Context },
  special: (word: string) => readonly Argument[] | undefined = () => undefined,
): Promise<Argument[]> {
  const found: Argument[] = [];
  for (const { word, template } of words) {
    const known = word === '$pipe_addresses' ? recipients(addresses) : special(word);
    if (known !== undefined) {
      found.push(...known);
      continue;
    }
    const expansion = await template.expand(context);
    if (!expansion.ok) {
      const what = `Expansion of "${word}" from command "${source}" in ${name} failed`;
      return give(`${what}: ${expansion.message}`, expansionCode);
    }
    const { text } = expansion;
    found.push(clean(text) ?? refuseCommand(`Tainted arg ${found.length} for ${name} command: '${text.value}'`, ''));
  }
  return found;
}

function recipients(addresses: readonly DeliveryAddress[]): Argument[] {
  return addresses.map(({ recipient }) =>
    taintedArgument(Text.tainted(recipient), 'the manual lets recipients stand for $pipe_addresses'),
  );
}
