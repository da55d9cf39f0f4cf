/** The words of this program's own commands: options with two hyphens, a few with one, and the rest. */

import { UsageError } from './options.ts';

/** Which options a command has, and whether a word follows. */
export type OptionWords = Readonly<Record<string, 'flag' | 'value'>>;

export interface Words {
  has(option: string): boolean;
  /** The last value that was given. */
  value(option: string): string | undefined;
  /** All values, in their order. */
  values(option: string): readonly string[];
  /** What is no option. */
  readonly rest: readonly string[];
}

/** Reads the words behind the command's name; options may stand before and behind others. @throws UsageError */
export function readWords(words: readonly string[], options: OptionWords, usage: string): Words {
  const given = new Map<string, string[]>();
  const rest: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '--') {
      rest.push(...words.slice(at + 1));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      rest.push(word);
      continue;
    }
    const equals = word.startsWith('--') ? word.indexOf('=') : -1;
    const name = equals < 0 ? word : word.slice(0, equals);
    const kind = Object.hasOwn(options, name) ? options[name] : undefined;
    if (kind === undefined) throw new UsageError(`unknown option ${name}\nusage: ${usage}`);
    let value = '';
    if (kind === 'value') {
      const next = equals < 0 ? words[++at] : word.slice(equals + 1);
      if (next === undefined) throw new UsageError(`a value is missing behind ${name}\nusage: ${usage}`);
      value = next;
    } else if (equals >= 0) {
      throw new UsageError(`the option ${name} takes no value\nusage: ${usage}`);
    }
    given.set(name, [...(given.get(name) ?? []), value]);
  }
  return {
    has: (option) => given.has(option),
    value: (option) => given.get(option)?.at(-1),
    values: (option) => given.get(option) ?? [],
    rest,
  };
}
