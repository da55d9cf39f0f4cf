/**
 * The cyrus_sasl authenticator (Exim spec 36): PLAIN and LOGIN, whose passwords the saslauthd daemon of Cyrus SASL examines.
 * The library itself, with its files and its other mechanisms, is not used: an instance with another one is not offered.
 */

import type { Context } from '../expand/context.ts';
import type { Template } from '../expand/expand.ts';
import { upper } from '../lib/octets.ts';
import { Text } from '../safe/taint.ts';
import { defineAuthenticator, type Examine } from './authenticator.ts';
import { cyrusSaslOptions } from './cyrus-sasl-options.ts';
import { checkCondition, setAuthValues, verdictOnFailure } from './expanding.ts';
import { askLogin, askPlain, type PasswordQuestion } from './password-answers.ts';

const questions: ReadonlyMap<string, PasswordQuestion> = new Map([
  ['LOGIN', askLogin],
  ['PLAIN', askPlain],
]);

interface Settings {
  readonly service: string;
  readonly realm: Template | undefined;
  readonly condition: Template | undefined;
}

function examine(question: PasswordQuestion, { service, realm, condition }: Settings): Examine {
  return async (conversation, context: Context) => {
    const answer = await question(conversation);
    if (answer.outcome !== 'answered') return answer;
    const { user, password } = answer;
    setAuthValues([Text.tainted(user)], context);
    const expansion = await realm?.expand(context);
    if (expansion?.ok === false) return verdictOnFailure(expansion);
    const credentials = { user, password, service, realm: expansion?.text.value ?? '' };
    const verdict = await context.services.authenticate('saslauthd', credentials, context);
    if ('error' in verdict) return { outcome: 'deferred', message: verdict.error, told: false };
    return verdict.accepted ? checkCondition(condition, context) : { outcome: 'refused' };
  };
}

export const cyrusSasl = defineAuthenticator({
  name: 'cyrus_sasl',
  summary: 'PLAIN and LOGIN by saslauthd of Cyrus SASL',
  options: cyrusSaslOptions,
  make({ server_mech, server_service, server_realm }, { public_name, server_condition: condition }) {
    const question = questions.get(upper(server_mech ?? public_name ?? ''));
    if (question === undefined) return {};
    return { examine: examine(question, { service: server_service ?? 'smtp', realm: server_realm, condition }) };
  },
});
