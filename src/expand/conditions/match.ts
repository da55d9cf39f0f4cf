/** Conditions that match a pattern or a list. */

import { then } from '../../lib/eventual.ts';
import { splitList } from '../../lib/list-text.ts';
import { RegexLimit, RegexSyntaxError, regex } from '../../lib/regex.ts';
import { ipVersion, withoutMapping } from '../../net/address.ts';
import { Text } from '../../safe/taint.ts';
import type { Context, ListAnswer, ListKind } from '../context.ts';
import type { ConditionRow } from '../evaluate.ts';
import { defer, fail } from '../failure.ts';
import { stringsCondition } from './shapes.ts';

/** Compiles a pattern of an expansion; its mistakes and its limits end the expansion. */
export function matcher(pattern: string): ReturnType<typeof regex> {
  try {
    return regex(pattern);
  } catch (error) {
    if (!(error instanceof RegexSyntaxError)) throw error;
    return fail(`regular expression error in "${pattern}": ${error.message} at offset ${error.offset}`);
  }
}

/** Runs a match; going over a limit defers, as it says nothing about the subject. */
export function guarded<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof RegexLimit) return defer(error.message);
    throw error;
  }
}

/** The captures of a match as `$0`, `$1` …; an unset group is empty. */
export function captures(groups: readonly (string | undefined)[], subject: Text): Text[] {
  return groups.map((group) => (group === undefined ? Text.empty : Text.derived(group, subject)));
}

/** Takes the answer of a list match: sets `$value` and captures, or ends the expansion. */
function decide(answer: ListAnswer, list: Text, context: Context): boolean {
  if (answer.outcome === 'defer') return fail(`unable to complete match against "${list.value}": ${answer.message}`);
  if (answer.outcome === 'no match') return false;
  if (answer.value !== undefined) context.results.value = answer.value;
  if (answer.numeric !== undefined) context.results.numeric = answer.numeric;
  return true;
}

/** As in Exim, what has no domain is none of the addresses of a list; it is in one whose last item excludes another. */
function forAddress(subject: string, answer: ListAnswer, list: Text): ListAnswer {
  if (answer.outcome === 'defer' || subject === '' || subject.includes('@')) return answer;
  return { outcome: splitList(list.value).items.at(-1)?.startsWith('!') === true ? 'match' : 'no match' };
}

const listCondition = (name: string, kind: ListKind, doc: string): ConditionRow =>
  stringsCondition({
    name,
    doc,
    count: 2,
    plainFrom: 1,
    test: ([subject = Text.empty, list = Text.empty], context) =>
      then(context.services.matchList(kind, subject.value, list, context), (answer) =>
        decide(kind === 'address' ? forAddress(subject.value, answer, list) : answer, list, context),
      ),
  });

/** The answer for `match_ip`, which as in Exim sets `$value` to what a lookup found, but not to an item of the list. */
function withoutItem(answer: ListAnswer, list: Text): ListAnswer {
  if (answer.outcome !== 'match' || answer.value === undefined) return answer;
  return splitList(list.value).items.includes(answer.value.value) ? { outcome: 'match' } : answer;
}

export const matchConditions: readonly ConditionRow[] = [
  stringsCondition({
    name: 'match',
    doc: 'the regular expression matches the string',
    count: 2,
    test: ([subject = Text.empty, pattern = Text.empty], context) => {
      const compiled = matcher(pattern.value);
      const found = guarded(() => compiled.match(subject.value));
      if (found !== undefined) context.results.numeric = captures(found.groups, subject);
      return found !== undefined;
    },
  }),
  listCondition('match_address', 'address', 'the address is in the list'),
  listCondition('match_domain', 'domain', 'the domain is in the list'),
  listCondition('match_local_part', 'localpart', 'the local part is in the list'),
  stringsCondition({
    name: 'match_ip',
    doc: 'the IP address is in the list',
    count: 2,
    plainFrom: 1,
    test: ([subject = Text.empty, list = Text.empty], context) => {
      if (subject.value !== '' && ipVersion(subject.value) === undefined) {
        return fail(`"${subject.value}" is not an IP address`);
      }
      const address = withoutMapping(subject.value);
      return then(context.services.matchIp(address, list, context), (answer) =>
        decide(withoutItem(answer, list), list, context),
      );
    },
  }),
];
