/** Regular expressions in the settings of scanners, with Exim's texts for those that are none. */

import { type Regex, RegexSyntaxError, regex } from '../../lib/regex.ts';

export function compilePattern(source: string): Regex | { readonly message: string } {
  try {
    return regex(source);
  } catch (error) {
    if (!(error instanceof RegexSyntaxError)) throw error;
    return { message: `regular expression error in '${source}': ${error.message} at offset ${error.offset}` };
  }
}

/** What finds a virus in the words of a scanner, and its name. */
export interface Patterns {
  readonly trigger: Regex;
  readonly name: Regex;
}

export function compilePatterns(
  trigger: string | undefined,
  name: string | undefined,
): Patterns | { readonly message: string } {
  if (trigger === undefined || trigger === '') return { message: 'missing trigger specification' };
  const first = compilePattern(trigger);
  if ('message' in first) return first;
  if (name === undefined || name === '') return { message: 'missing virus name regex specification' };
  const second = compilePattern(name);
  return 'message' in second ? second : { trigger: first, name: second };
}

/** What a scanner says when it cannot be told how the virus is called. */
export const unknownName = 'unknown';
