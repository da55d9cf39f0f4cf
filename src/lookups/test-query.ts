/** Asking query-style lookups as an expansion does, for tests. */

import type { Context, LookupAnswer } from '../expand/context.ts';
import { Text } from '../safe/taint.ts';
import type { Lookups } from './lookups.ts';
import { testContext } from './test-context.ts';

/** The answer to a query; plain text stands for text of the configuration. */
export async function answerTo(
  lookups: Lookups,
  type: string,
  query: string | Text,
  context: Context = testContext(lookups),
): Promise<LookupAnswer> {
  const fileOrQuery = typeof query === 'string' ? Text.configured(query) : query;
  return lookups.find({ type, key: undefined, fileOrQuery }, context);
}

/** The value that was found, or the outcome. */
export async function asked(lookups: Lookups, type: string, query: string | Text, context?: Context): Promise<string> {
  const answer = await answerTo(lookups, type, query, context);
  if (answer.outcome === 'found') return answer.value.value;
  return 'message' in answer ? `${answer.outcome}: ${answer.message}` : answer.outcome;
}
