/** How the mechanisms of the gsasl authenticator examine a client (Exim spec 38). */

import type { Context } from '../expand/context.ts';
import { Text } from '../safe/taint.ts';
import type { ClientConversation, Examine, ServerVerdict } from './authenticator.ts';
import { cramDigest, isSame, newChallenge, splitCramAnswer } from './cram-digest.ts';
import { checkCondition, setAuthValues } from './expanding.ts';
import { firstAnswer, type GsaslServer, optionText } from './gsasl-questions.ts';
import { examineScram } from './gsasl-scram-server.ts';
import { askLogin, askPlain, type PasswordQuestion } from './password-answers.ts';
import { scramHashes } from './scram.ts';

type Mechanism = (options: GsaslServer, conversation: ClientConversation, context: Context) => Promise<ServerVerdict>;

/**
 * A client that shows its password: server_password is compared with it where it is set, and server_condition decides.
 * `$auth1` is the user, `$auth2` whom he wants to act as, `$auth3` the password.
 */
const byPassword =
  (question: PasswordQuestion): Mechanism =>
  async ({ password: expected, condition }, conversation, context) => {
    const answer = await question(conversation);
    if (answer.outcome !== 'answered') return answer;
    const { user, actsAs, password } = answer;
    setAuthValues([user, actsAs, password].map(Text.tainted), context);
    if (expected !== undefined) {
      const found = await optionText(expected, context);
      if ('outcome' in found) return found;
      if (!isSame(found.text, password)) return { outcome: 'refused' };
    }
    return checkCondition(condition, context);
  };

/** RFC 2195 */
const cramMd5: Mechanism = async ({ hostname, realm, password, condition }, { initial, ask }, context) => {
  if (initial !== undefined) return { outcome: 'unexpected data' };
  const host = await optionText(hostname, context);
  if ('outcome' in host) return host;
  const challenge = newChallenge(host.text);
  const answer = await ask(challenge);
  if (answer.outcome !== 'text') return answer;
  const { user, digest } = splitCramAnswer(answer.text);
  const realmText = await optionText(realm, context);
  if ('outcome' in realmText) return realmText;
  setAuthValues([Text.tainted(user), Text.empty, Text.tainted(realmText.text)], context);
  const secret = await optionText(password, context);
  if ('outcome' in secret) return secret;
  if (!isSame(digest, cramDigest(challenge, secret.text))) return { outcome: 'refused' };
  return checkCondition(condition, context);
};

/** EXTERNAL and ANONYMOUS (RFC 4422 App. A, RFC 4505): the client says one thing, and the condition decides. */
const oneText: Mechanism = async ({ condition }, conversation, context) => {
  const answer = await firstAnswer(conversation);
  if (answer.outcome !== 'text') return answer;
  setAuthValues([Text.tainted(answer.text)], context);
  return checkCondition(condition, context);
};

interface MechanismRow {
  readonly examine: Mechanism;
  /** Nothing is proved by the mechanism itself: without server_condition it would let everybody in. */
  readonly needs: 'condition' | 'condition or password' | 'password' | 'password or keys' | 'keys and binding';
}

const mechanisms: ReadonlyMap<string, MechanismRow> = new Map<string, MechanismRow>([
  ['ANONYMOUS', { examine: oneText, needs: 'condition' }],
  ['CRAM-MD5', { examine: cramMd5, needs: 'password' }],
  ['EXTERNAL', { examine: oneText, needs: 'condition' }],
  ['LOGIN', { examine: byPassword(askLogin), needs: 'condition or password' }],
  ['PLAIN', { examine: byPassword(askPlain), needs: 'condition or password' }],
  ...[...scramHashes].flatMap(([name, hash]): [string, MechanismRow][] => [
    [name, { examine: examineScram(hash, 'unbound'), needs: 'password or keys' }],
    [`${name}-PLUS`, { examine: examineScram(hash, 'bound'), needs: 'keys and binding' }],
  ]),
]);

function hasKeys({ password, key, storedKey }: GsaslServer): boolean {
  return password !== undefined || (key !== undefined && storedKey !== undefined);
}

const isFit: Readonly<Record<MechanismRow['needs'], (options: GsaslServer) => boolean>> = {
  condition: ({ condition }) => condition !== undefined,
  'condition or password': ({ condition, password }) => condition !== undefined || password !== undefined,
  password: ({ password }) => password !== undefined,
  'password or keys': hasKeys,
  'keys and binding': (options) => options.binds && hasKeys(options),
};

/** The server's side of a mechanism; nothing when it is unknown, or when nothing could prove who the client is. */
export function gsaslExamine(mechanism: string, options: GsaslServer): Examine | undefined {
  const row = mechanisms.get(mechanism);
  if (row === undefined || !isFit[row.needs](options)) return undefined;
  return (conversation, context) => row.examine(options, conversation, context);
}
