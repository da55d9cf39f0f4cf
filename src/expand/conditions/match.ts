/** Conditions that match a pattern or a list. */

import { then } from '../../lib/eventual.ts';
import { RegexLimit, RegexSyntaxError, regex } from '../../lib/regex.ts';
import { ipVersion, withoutMapping } from '../../net/address.ts';
import { Text } from '../../safe/taint.ts';
import type { Context, ListAnswer, ListKind } from '../context.ts';
import { type ConditionRow, evaluateAll } from '../evaluate.ts';
import { defer, fail } from '../failure.ts';
import { readStrings, stringsCondition } from './shapes.ts';

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

const listCondition = (name: string, kind: ListKind, doc: string): ConditionRow =>
  stringsCondition({
    name,
    doc,
    count: 2,
    plainFrom: 1,
    test: ([subject = Text.empty, list = Text.empty], context) =>
      then(context.services.matchList(kind, subject.value, list, context), (answer) => decide(answer, list, context)),
  });

/** `match_ip` expands its list, as the others do not. */
const matchIp: ConditionRow = {
  name: 'match_ip',
  doc: 'the IP address is in the list',
  parse: (reader) => ({ arguments: readStrings(reader, 'match_ip', 2, 1), conditions: [] }),
  compile(condition, compiler) {
    const parts = condition.arguments.map((argument) => compiler.text(argument));
    return (context) =>
      then(evaluateAll(parts, context), ([subject = Text.empty, list = Text.empty]) => {
        if (subject.value !== '' && ipVersion(subject.value) === undefined) {
          return fail(`"${subject.value}" is not an IP address`);
        }
        const address = withoutMapping(subject.value);
        return then(compiler.again(list, context, false), (expanded) =>
          then(context.services.matchIp(address, expanded, context), (answer) => decide(answer, list, context)),
        );
      });
  },
};

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
  matchIp,
];
