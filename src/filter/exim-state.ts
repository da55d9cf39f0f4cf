/** What a filter has done so far, and what its expansions see of it. */

import type { FilterFacts, Outside } from '../expand/context.ts';
import { expandText } from '../expand/expand.ts';
import { emptyFilterFacts } from '../expand/facts.ts';
import type { Clean, Text } from '../safe/taint.ts';
import { FilterMistake } from './exim-reader.ts';
import type { FilterRequest } from './filter.ts';
import type { FilterAction, FilterLimits, HeaderChange } from './filter-outcome.ts';

/** Conditions and commands that one run may come to; only `foranyaddress` looks at a condition more than once. */
const mostSteps = 200_000;

const forbidding: Readonly<Record<Outside, keyof FilterLimits>> = {
  dlfunc: 'forbidDlfunc',
  existstest: 'forbidExistsTest',
  lookup: 'forbidLookup',
  perl: 'forbidPerl',
  readfile: 'forbidReadFile',
  readsocket: 'forbidReadSocket',
  run: 'forbidRun',
  stat: 'forbidExistsTest',
};

/** What the limits of a router keep a filter's expansions from. */
export function forbiddenBy(limits: FilterLimits): ReadonlySet<Outside> {
  const names = Object.entries(forbidding) as [Outside, keyof FilterLimits][];
  return new Set(names.filter(([, limit]) => limits[limit]).map(([name]) => name));
}

export class FilterState {
  readonly request: FilterRequest;
  readonly facts: FilterFacts;
  readonly actions: FilterAction[] = [];
  readonly headers: HeaderChange[] = [];
  /** Something was seen to. */
  significant = false;
  log: { readonly path: Clean; readonly mode: number } | undefined;
  #steps = 0;

  constructor(request: FilterRequest) {
    this.request = request;
    this.facts = {
      ...emptyFilterFacts(),
      showsRecipients: request.isSystem,
      forbidden: forbiddenBy(request.limits),
      user: request.user,
    };
  }

  /** Counts what is done. @throws FilterMistake */
  step(): void {
    if (++this.#steps > mostSteps) throw new FilterMistake('the filter takes too many steps');
  }

  /** Expands a value of a command, or of a condition. @throws FilterMistake */
  async expand(text: Text, command?: string): Promise<Text> {
    // text from outside is no source of an expansion, but it may be nothing to expand
    if (!text.isClean && !/[$\\]/.test(text.value)) return text;
    const expansion = await expandText(text, this.request.context);
    if (expansion.ok) return expansion.text;
    const where = command === undefined ? 'in filter file' : `in ${command} command`;
    throw new FilterMistake(`failed to expand "${text.value}" ${where}: ${expansion.message}`);
  }

  /** Tells something of a condition (`-v`). */
  explain(text: string): void {
    this.request.test?.explain?.(text);
  }

  print(text: string): void {
    this.request.test?.print(text);
  }
}
