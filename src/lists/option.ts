/** Lists that stand in options: expanded, then matched (Exim spec 10.1). */

import type { Context, ListAnswer, ListKind } from '../expand/context.ts';
import type { Template } from '../expand/expand.ts';
import { type Eventual, then } from '../lib/eventual.ts';
import { type MatchOptions, matchList } from './match.ts';

/** A list as an option holds it. */
export interface ListSetting {
  readonly kind: ListKind;
  readonly template: Template;
}

/**
 * Whether `value` is in the list of an option. A forced failure means that it is not; any other failure of the
 * expansion cannot be decided.
 */
export function matchTemplate(
  setting: ListSetting,
  value: string,
  context: Context,
  options: MatchOptions = {},
): Eventual<ListAnswer> {
  const { kind, template } = setting;
  if (template.constant !== undefined) return matchList(kind, value, template.constant, context, options);
  return then(template.expand(context), (expansion): Eventual<ListAnswer> => {
    if (expansion.ok) return matchList(kind, value, expansion.text, context, options);
    if (expansion.kind === 'forced') return { outcome: 'no match' };
    return {
      outcome: 'defer',
      message: `failed to expand "${template.source}" while checking a list: ${expansion.message}`,
      fault: true,
    };
  });
}
