/** `${lookup{key} type {file} {yes} {no}}` and `${lookup type {query} {yes} {no}}` (Exim spec 11.5, 9). */

import { then } from '../../lib/eventual.ts';
import { Text } from '../../safe/taint.ts';
import { compileBranches, evaluateAll, type Item } from '../evaluate.ts';
import { defer, fail } from '../failure.ts';
import { asFilterUser, filterMayRead } from '../outside.ts';
import { ParseProblem } from '../reader.ts';
import type { Node } from '../tree.ts';
import { keepResults } from './choices.ts';

export const lookup: Item = {
  name: 'lookup',
  doc: 'a search in a file or database',
  parse(reader) {
    const read: Node[] = [];
    reader.skipBlanks();
    const hasKey = reader.accept('{');
    if (hasKey) read.push(reader.inBraces());
    reader.skipBlanks();
    const type = reader.take(/[^ \t-\r{]+/y).replace(/\}+$/, (braces) => braces);
    if (type === '' || type.startsWith('}')) throw new ParseProblem('missing lookup type', read);
    reader.skipBlanks();
    if (!reader.accept('{')) {
      throw new ParseProblem(
        type.includes('}') ? `unknown lookup type "${type}"` : "missing '{' for lookup file-or-query arg",
        read,
      );
    }
    read.push(reader.within(read, () => reader.inBraces()));
    return {
      words: [type, hasKey ? 'key' : 'query'],
      arguments: read,
      ...reader.within(read, () => reader.branches('lookup')),
    };
  },
  compile(node, compiler) {
    const parts = node.arguments.map((argument) => compiler.text(argument));
    const branches = compileBranches(node, compiler);
    const [type = '', form] = node.words;
    return (context) =>
      keepResults(context, () => {
        const style = context.services.lookupStyle(type);
        return then(evaluateAll(parts, context), (args) => {
          if ('error' in style) return fail(style.error);
          const key = form === 'key' ? args[0] : undefined;
          if (key !== undefined && style.style === 'query') {
            return fail(
              `a single key was given for lookup type "${style.name}", which is not a single-key lookup type`,
            );
          }
          if (key === undefined && style.style === 'single-key') {
            return fail(`missing {key} for single-key "${style.name}" lookup`);
          }
          const fileOrQuery = args.at(-1) ?? Text.empty;
          if (!filterMayRead(style, fileOrQuery, context))
            return fail(`failed to open ${fileOrQuery.value}: Permission denied`);
          return then(
            asFilterUser(context, () => context.services.lookup({ type, key, fileOrQuery }, context)),
            (answer) => {
              switch (answer.outcome) {
                case 'found': {
                  const numeric = answer.wild && [Text.empty, answer.wild, answer.fixed ?? Text.empty];
                  return branches({ success: true, value: answer.value, numeric }, context);
                }
                case 'not found':
                  return branches({ success: false }, context);
                case 'defer':
                  return defer(`lookup of "${key?.value ?? args.at(-1)?.value}" gave DEFER: ${answer.message}`);
                case 'error':
                  return fail(answer.message);
              }
            },
          );
        });
      });
  },
};
