/** Conditions that ask the surroundings: variables, files, addresses, the state of the delivery, ACLs. */

import { then } from '../../lib/eventual.ts';
import { upper } from '../../lib/octets.ts';
import { ipVersion } from '../../net/address.ts';
import * as files from '../../safe/files.ts';
import { reviewed, Text } from '../../safe/taint.ts';
import { type ConditionRow, evaluateAll } from '../evaluate.ts';
import { fail, forceFailure } from '../failure.ts';
import { asFilterUser } from '../outside.ts';
import { ParseProblem, type Reader, readHeader } from '../reader.ts';
import { variableHint, variableReader } from '../variables.ts';
import { readInner, stringsCondition } from './shapes.ts';

/** A condition without data. */
const flag = (name: string, doc: string, test: ConditionRow['compile']): ConditionRow => ({
  name,
  doc,
  parse: () => ({ arguments: [], conditions: [] }),
  compile: test,
});

const addressForm = (name: string, doc: string, versions: readonly (4 | 6)[]): ConditionRow =>
  stringsCondition({
    name,
    doc,
    count: 1,
    test: ([text = Text.empty]) => {
      const version = ipVersion(text.value);
      return version !== undefined && versions.includes(version);
    },
  });

function readDef(reader: Reader): ReturnType<ConditionRow['parse']> {
  if (!reader.accept(':')) throw new ParseProblem('":" expected after "def"');
  const header = readHeader(reader);
  if (header !== undefined) return { arguments: [], conditions: [], header };
  const word = reader.take(/[A-Za-z][A-Za-z0-9_]*|\d+/y);
  if (word === '') throw new ParseProblem('variable name omitted after "def:"');
  if (/^\d/.test(word) || variableReader(word) === undefined) {
    throw new ParseProblem(`unknown variable "${word}" after "def:"${variableHint(word)}`);
  }
  return { arguments: [], conditions: [], word };
}

export const surroundingConditions: readonly ConditionRow[] = [
  {
    name: 'def',
    doc: 'the variable is not empty, or the header line exists',
    parse: readDef,
    compile({ word, header }, compiler) {
      if (header !== undefined) {
        const read = compiler.header(header);
        return (context) => read(context) !== undefined;
      }
      const read = compiler.variable(word ?? '') ?? (() => undefined);
      return (context) => then(read(context), (value) => value !== undefined && value.value !== '');
    },
  },
  stringsCondition({
    name: 'exists',
    doc: 'the file exists',
    count: 1,
    test: ([name = Text.empty], context) => {
      if (name.value === '') return false;
      const path = reviewed(name.value, 'the manual lets exists look for any name; nothing is opened');
      try {
        return asFilterUser(context, () => files.stat(path)) !== undefined;
      } catch {
        return false;
      }
    },
  }),
  addressForm('isip', 'the text is an IP address', [4, 6]),
  addressForm('isip4', 'the text is an IPv4 address', [4]),
  addressForm('isip6', 'the text is an IPv6 address', [6]),
  flag('first_delivery', "it is the message's first delivery", () => (c) => c.delivery?.firstDelivery ?? false),
  flag('queue_running', 'a queue runner started the delivery', () => (c) => c.delivery?.queueRunning ?? false),
  {
    name: 'acl',
    doc: 'the ACL accepts',
    parse(reader) {
      return { arguments: readInner(reader, 'acl', 1, 10), conditions: [] };
    },
    compile(condition, compiler) {
      const parts = condition.arguments.map((argument) => compiler.text(argument));
      return (context) =>
        then(evaluateAll(parts, context), ([name = Text.empty, ...args]) => {
          // as in Exim, an ACL without a name denies
          if (name.value === '') return false;
          return then(context.services.runAcl(name, args, context), (answer) => {
            context.results.value = Text.tainted(answer.message);
            if (answer.outcome === 'accept') return true;
            if (answer.outcome === 'deny') return false;
            if (answer.outcome === 'defer') return forceFailure(`DEFER from acl "${name.value}"`);
            return fail(`${upper(answer.outcome)} from acl "${name.value}"`);
          });
        });
    },
  },
];
