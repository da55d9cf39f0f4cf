/** Runs a filter in Exim's own language (Exim's filter specification 3). */

import { runCommands } from './exim-commands.ts';
import { parseEximFilter } from './exim-parse.ts';
import { FilterMistake } from './exim-reader.ts';
import { FilterState } from './exim-state.ts';
import type { FilterRequest } from './filter.ts';
import type { FilterOutcome } from './filter-outcome.ts';

/** Reads and runs it; `$n0` to `$n9` and the rest of what it set are in its context only while it runs. */
export async function runEximFilter(request: FilterRequest): Promise<FilterOutcome> {
  const { context } = request;
  const state = new FilterState(request);
  const earlier = context.filter;
  context.filter = state.facts;
  try {
    const commands = parseEximFilter(request.text, request);
    const ended = await runCommands(commands, state);
    const { actions, headers, significant } = state;
    const found = { actions, headers, significant, numbers: state.facts.numbers };
    if (ended === undefined || ended.by === 'finish') return { outcome: 'done', ...found };
    return { outcome: ended.by, message: ended.message, ...found };
  } catch (error) {
    if (error instanceof FilterMistake) return { outcome: 'error', message: error.message };
    throw error;
  } finally {
    context.filter = earlier;
  }
}
