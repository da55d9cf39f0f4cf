/**
 * Programs with arguments: the line is split into words first and each word is expanded alone, so that no blank or
 * quote in a value makes one argument two (Exim spec 11.5 run, 29.3).
 */

import { splitCommand } from '../lib/command-text.ts';
import { type Eventual, inOrder, then } from '../lib/eventual.ts';
import type { Text } from '../safe/taint.ts';
import type { Context } from './context.ts';
import type { Evaluate } from './evaluate.ts';
import { ExpansionFailure } from './failure.ts';

/** Compiles the words of `line`; `owner` names in errors what runs it. */
export function compileCommand(
  line: string,
  owner: string,
  compile: (text: string) => Evaluate,
): (context: Context) => Eventual<Text[]> {
  const words = splitCommand(line).map((word) => ({ word, evaluate: compile(word) }));
  const explain = (word: string, error: unknown): never => {
    if (!(error instanceof ExpansionFailure)) throw error;
    throw new ExpansionFailure(
      error.kind,
      `Expansion of "${word}" from command "${line}" in ${owner} failed: ${error.message}`,
    );
  };
  return (context) => {
    const values: Text[] = [];
    const done = inOrder(words, ({ word, evaluate }) => {
      try {
        const value = evaluate(context);
        const explained = value instanceof Promise ? value.catch((error: unknown) => explain(word, error)) : value;
        return then(explained, (text) => {
          values.push(text);
          return true;
        });
      } catch (error) {
        return explain(word, error);
      }
    });
    return then(done, () => values);
  };
}
