/**
 * Redis commands as they stand in queries (Exim spec 9.22, 9.27): words between blanks, in which a backslash takes what
 * follows as it is. What came from outside is part of the argument it stands in, whatever it holds, and never a command.
 */

import { longestQuery, Taints } from '../safe/query-taints.ts';
import type { Text } from '../safe/taint.ts';

export interface RedisCommand {
  readonly name: string;
  /** Byte strings. */
  readonly args: readonly string[];
  /** Whether text from outside was not quoted for Redis; Exim writes a line to the log. */
  readonly unquoted: boolean;
}

const mostWords = 128;

const isBlank = (octet: string): boolean => /[ \t-\r]/.test(octet);

/** @returns the command, nothing for an empty query, or why it is refused */
export function parseRedisCommand(query: Text): RedisCommand | { readonly error: string } | undefined {
  const { value } = query;
  if (value.length > longestQuery) return { error: 'a query is longer than 1 MB' };
  const taints = new Taints(query);
  const words: string[] = [];
  let word: string | undefined;
  let unquoted = false;
  let nameIsClean = true;
  for (let at = 0; at < value.length; at++) {
    const taint = taints.at(at);
    const octet = value[at] ?? '';
    if (taint === 'clean' && isBlank(octet)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    if (taint !== 'clean' && words.length === 0) nameIsClean = false;
    if (taint !== 'clean' && taint !== 'quoted:redis') unquoted = true;
    const isEscape = octet === '\\' && (taint === 'clean' || taint === 'quoted:redis') && at + 1 < value.length;
    if (isEscape && taints.at(at + 1) === taint) at++;
    word = (word ?? '') + (value[at] ?? '');
  }
  if (word !== undefined) words.push(word);
  const [name, ...args] = words;
  if (name === undefined) return undefined;
  if (!nameIsClean) return { error: `tainted text in a Redis query may only stand in arguments: ${value}` };
  if (words.length > mostWords) return { error: `a Redis query has more than ${mostWords} words` };
  return { name, args, unquoted };
}
