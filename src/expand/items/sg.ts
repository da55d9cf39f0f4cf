/** `${sg{subject}{regular expression}{replacement}}` (Exim spec 11.5). */

import { type Eventual, then } from '../../lib/eventual.ts';
import type { Regex } from '../../lib/regex.ts';
import { Text } from '../../safe/taint.ts';
import { captures, guarded, matcher } from '../conditions/match.ts';
import type { Context } from '../context.ts';
import { type Compiler, evaluateAll, type Item } from '../evaluate.ts';

/** Where the next match is, moving one octet on after an empty one, as Perl does. */
function nextMatch(compiled: Regex, subject: string, at: number, afterEmpty: boolean): ReturnType<Regex['match']> {
  const found = guarded(() => compiled.match(subject, at, { notEmptyHere: afterEmpty }));
  return found === undefined && afterEmpty && at < subject.length ? nextMatch(compiled, subject, at + 1, false) : found;
}

/** Each match is replaced; the replacement is expanded again for each, with the captures in `$1` …. */
async function substitute(
  subject: Text,
  compiled: Regex,
  replace: (context: Context) => Eventual<Text>,
  context: Context,
): Promise<Text> {
  const parts: Text[] = [];
  const { numeric } = context.results;
  let at = 0;
  let afterEmpty = false;
  try {
    while (at <= subject.value.length) {
      const found = nextMatch(compiled, subject.value, at, afterEmpty);
      if (found === undefined) break;
      parts.push(subject.slice(at, found.start));
      context.results.numeric = captures(found.groups, subject);
      const value = replace(context);
      parts.push(value instanceof Promise ? await value : value);
      at = found.end;
      afterEmpty = found.end === found.start;
    }
  } finally {
    context.results.numeric = numeric;
  }
  parts.push(subject.slice(at));
  return Text.join(parts);
}

export const sg: Item = {
  name: 'sg',
  doc: 'what matches a regular expression replaced',
  parse: (reader) => ({ words: [], arguments: reader.arguments('sg', 3, 3) }),
  compile(node, compiler: Compiler) {
    const parts = node.arguments.map((argument) => compiler.text(argument));
    return (context) =>
      then(evaluateAll(parts, context), ([subject = Text.empty, pattern = Text.empty, template = Text.empty]) => {
        const compiled = matcher(pattern.value);
        if (guarded(() => compiled.match(subject.value)) === undefined) return subject;
        return substitute(subject, compiled, (c) => compiler.again(template, c, false), context);
      });
  },
};
