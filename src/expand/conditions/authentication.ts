/** Conditions that let a service decide on a user and a password, and `inbound_srs` (Exim spec 11.7, 58.5). */

import { then } from '../../lib/eventual.ts';
import { splitList } from '../../lib/list-text.ts';
import { Text } from '../../safe/taint.ts';
import { type ConditionRow, evaluateAll } from '../evaluate.ts';
import { fail } from '../failure.ts';
import { decodeSrs } from '../items/signatures.ts';
import { keep } from '../kept.ts';
import { ParseProblem } from '../reader.ts';
import type { Node } from '../tree.ts';
import { readInner, stringsCondition } from './shapes.ts';

/** An authentication service that this build does not talk to. */
const absent = (name: string, doc: string): ConditionRow =>
  stringsCondition({ name, doc, count: 1, test: () => fail(`support for "${name}" not compiled`) });

const saslauthd: ConditionRow = {
  name: 'saslauthd',
  doc: 'the saslauthd daemon accepts user and password',
  parse: (reader) => ({ arguments: readInner(reader, 'saslauthd', 2, 4), conditions: [] }),
  compile(condition, compiler) {
    const parts = condition.arguments.map((argument) => compiler.text(argument));
    return (context) =>
      then(evaluateAll(parts, context), ([user, password, service, realm]) => {
        const value = (text: Text | undefined): string => text?.value ?? '';
        const question = { user: value(user), password: value(password), service: value(service), realm: value(realm) };
        return then(context.services.authenticate('saslauthd', question, context), (answer) =>
          'error' in answer ? fail(answer.error) : answer.accepted,
        );
      });
  },
};

const inboundSrs: ConditionRow = {
  name: 'inbound_srs',
  doc: 'the local part is an SRS address of this host',
  parse(reader) {
    const found: Node[] = reader.someArguments('inbound_srs', 0, 2);
    if (found.length < 2) throw new ParseProblem('too few arguments or bracketing error for inbound_srs', found);
    return { arguments: found, conditions: [] };
  },
  compile(condition, compiler) {
    const parts = condition.arguments.map((argument) => compiler.text(argument));
    return (context) =>
      then(evaluateAll(parts, context), ([localPart = Text.empty, secret = Text.empty]) => {
        const found = decodeSrs(localPart.value, secret.value);
        if (found === undefined) return false;
        keep(context, 'srs_recipient', Text.derived(found.address, localPart));
        return found.isRight;
      });
  },
};

export const authenticationConditions: readonly ConditionRow[] = [
  saslauthd,
  inboundSrs,
  stringsCondition({
    name: 'pam',
    doc: "the system's PAM accepts user and answers",
    count: 1,
    test: ([list = Text.empty], context) => {
      const [user = '', ...answers] = splitList(list.value).items;
      if (user === '') return false;
      return then(context.services.authenticate('pam', { user, answers }, context), (answer) =>
        'error' in answer ? fail(answer.error) : answer.accepted,
      );
    },
  }),
  stringsCondition({
    name: 'ldapauth',
    doc: 'an LDAP server accepts user and password',
    count: 1,
    test: ([query = Text.empty], context) =>
      then(context.services.authenticate('ldap', { query }, context), (answer) =>
        'error' in answer ? fail(answer.error) : answer.accepted,
      ),
  }),
  absent('radius', 'a RADIUS server accepts'),
  absent('pwcheck', 'the pwcheck daemon accepts'),
];
