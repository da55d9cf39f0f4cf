/** Items that reach outside the program: readfile, run, acl. */

import { splitCommand } from '../../lib/command-text.ts';
import { accessErrorText } from '../../lib/errno.ts';
import { type Eventual, then } from '../../lib/eventual.ts';
import { upper } from '../../lib/octets.ts';
import * as files from '../../safe/files.ts';
import { clean, Text } from '../../safe/taint.ts';
import { compileCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { compileBranches, evaluateAll, type Item, plainItem } from '../evaluate.ts';
import { fail, forceFailure } from '../failure.ts';
import { asFilterUser } from '../outside.ts';
import { ParseProblem } from '../reader.ts';
import { keepResults } from './choices.ts';

const readFile = plainItem({
  name: 'readfile',
  doc: 'contents of a file',
  minimum: 1,
  maximum: 2,
  evaluate: ([name = Text.empty, newline], context) => {
    const path = clean(name);
    if (path === undefined) return fail(`Tainted name '${name.value}' for file read not permitted`);
    return asFilterUser(context, () => {
      try {
        const text = files.readText(path);
        return Text.vouched(newline === undefined ? text : text.replaceAll('\n', newline.value));
      } catch (error) {
        return fail(`failed to open ${name.value}: ${accessErrorText(error)}`);
      }
    });
  },
});

/** What `run` does with the answer of its program is the same however the command came about. */
const run: Item = {
  name: 'run',
  doc: 'output of a program',
  parse(reader) {
    let option = '';
    if (reader.accept(',')) {
      option = reader.take(/[a-z_]+/y);
      if (option !== 'preexpand') throw new ParseProblem(`bad option '${option}' for run`);
    }
    reader.skipBlanks();
    if (!reader.accept('{')) throw new ParseProblem("missing '{' for command arg of run");
    const start = reader.at;
    const command = reader.inBraces();
    const line = reader.text.slice(start, reader.at - 1);
    return { words: [option, line], arguments: [command], ...reader.branches('run') };
  },
  compile(node, compiler) {
    const [option, line = ''] = node.words;
    const branches = compileBranches(node, compiler);
    const whole = node.arguments[0] && compiler.text(node.arguments[0]);
    const split = compileCommand(line, '${run} expansion', (text) => compiler.source(text));
    const command = (context: Context): Eventual<readonly Text[]> =>
      option === 'preexpand' && whole !== undefined
        ? then(whole(context), (text) => splitCommand(text.value).map((word) => Text.derived(word, text)))
        : split(context);
    return (context) =>
      keepResults(context, () =>
        then(command(context), (argv) =>
          then(context.services.run(argv, option === 'preexpand', context), (answer) => {
            if ('error' in answer) return fail(answer.error);
            // what a program of the configuration says is believed, as by Exim 4.96
            const output = Text.vouched(answer.output);
            context.results.runrc = answer.status;
            context.results.value = output;
            return branches({ success: answer.status === 0, value: output }, context);
          }),
        ),
      );
  },
};

const acl: Item = {
  name: 'acl',
  doc: 'the message that an ACL sets',
  parse: (reader) => ({ words: [], arguments: reader.arguments('acl', 1, 10) }),
  compile(node, compiler) {
    const parts = node.arguments.map((argument) => compiler.text(argument));
    return (context) =>
      then(evaluateAll(parts, context), ([name = Text.empty, ...args]) => {
        // as in Exim, an ACL without a name says nothing
        if (name.value === '') return Text.empty;
        return then(context.services.runAcl(name, args, context), (answer) => {
          if (answer.outcome === 'accept' || answer.outcome === 'deny') return Text.tainted(answer.message);
          if (answer.outcome === 'defer') return forceFailure(`DEFER from acl "${name.value}"`);
          return fail(`${upper(answer.outcome)} from acl "${name.value}"`);
        });
      });
  },
};

export const outsideItems: readonly Item[] = [readFile, run, acl];
