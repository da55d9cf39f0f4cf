/** `${readsocket{name}{request}{options}{newline}{when it fails}}` (Exim spec 11.5). */

import { type Eventual, then } from '../../lib/eventual.ts';
import { parseInterval } from '../../lib/intervals.ts';
import { splitList } from '../../lib/list-text.ts';
import { Text } from '../../safe/taint.ts';
import type { Context } from '../context.ts';
import { type Evaluate, evaluateAll, type Item } from '../evaluate.ts';
import { fail } from '../failure.ts';
import type { SocketAnswer, SocketRequest } from '../questions.ts';
import { ParseProblem } from '../reader.ts';

type Options = Pick<SocketRequest, 'timeout' | 'shutdown' | 'tls'> & { readonly cache: boolean };

const switches: ReadonlyMap<string, boolean> = new Map([
  ['yes', true],
  ['no', false],
]);

/** `3s:shutdown=no`: the time first, which may be left out before other options as in Exim. */
function readOptions(text: string): Options {
  let timeout = 5;
  const set = { shutdown: true, tls: false, cache: false };
  for (const [index, item] of splitList(text).items.entries()) {
    const interval = index === 0 ? parseInterval(item) : undefined;
    const [name = '', value = ''] = item.split('=', 2);
    const isSet = switches.get(value);
    if (interval !== undefined) timeout = interval;
    else if (isSet !== undefined && Object.hasOwn(set, name)) set[name as keyof typeof set] = isSet;
    else return fail(`bad option "${item}" for readsocket`);
  }
  return { timeout, shutdown: set.shutdown && !set.tls, tls: set.tls, cache: set.cache };
}

/** Asks, or takes the answer that the same question had before in this line of work. */
function ask(request: SocketRequest, cache: boolean, context: Context): Eventual<SocketAnswer> {
  const key = `readsocket ${request.name.value}\0${request.text}`;
  if (cache) {
    const known = context.found.get(key);
    if (known !== undefined) return { outcome: 'answered', text: String(known) };
  }
  return then(context.services.readSocket(request, context), (answer) => {
    if (cache && answer.outcome === 'answered') context.found.set(key, answer.text);
    else context.found.delete(key);
    return answer;
  });
}

export const readSocket: Item = {
  name: 'readsocket',
  doc: 'what a server answers',
  parse(reader) {
    const read = reader.someArguments('readsocket', 2, 5);
    reader.skipBlanks();
    if (!reader.accept('}')) throw new ParseProblem("missing '}' closing readsocket", read.slice(0, 4));
    return { words: [], arguments: read };
  },
  compile(node, compiler) {
    const parts = node.arguments.map((argument) => compiler.text(argument));
    const otherwise: Evaluate | undefined = parts[4];
    return (context) =>
      then(evaluateAll(parts.slice(0, 4), context), ([name = Text.empty, text = Text.empty, options, newline]) => {
        const { cache, ...rest } = readOptions(options?.value ?? '');
        return then(ask({ name, text: text.value, ...rest }, cache, context), (answer): Eventual<Text> => {
          if (answer.outcome === 'failed') return otherwise === undefined ? fail(answer.message) : otherwise(context);
          const mark = newline?.value ?? '';
          return Text.vouched(mark === '' ? answer.text : answer.text.replaceAll('\n', mark));
        });
      });
  },
};
