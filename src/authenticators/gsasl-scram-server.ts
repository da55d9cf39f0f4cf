/** The server's side of SCRAM (RFC 5802 §3, §5): the client proves that it knows the password, and so does the server. */

import type { Context } from '../expand/context.ts';
import { crypto } from '../lib/crypto.ts';
import { parseOptionInteger } from '../lib/sizes.ts';
import type { ChannelBinding } from '../net/channel-binding.ts';
import { bindingOf, type TlsFacts } from '../net/tls.ts';
import { Text } from '../safe/taint.ts';
import type { ClientConversation, ServerVerdict } from './authenticator.ts';
import { checkCondition, setAuthValues } from './expanding.ts';
import { firstAnswer, type GsaslServer, optionText } from './gsasl-questions.ts';
import {
  attributesOf,
  fewestRounds,
  fromBase64,
  hashLength,
  isProof,
  keysOf,
  mostRounds,
  newNonce,
  plainName,
  type ScramHash,
  type StoredKeys,
  saltedPassword,
  serverSignature,
  toBase64,
} from './scram.ts';

const refused: ServerVerdict = { outcome: 'refused' };

/** What the client says first: whom it is, whom it wants to act as, its nonce. */
interface ClientFirst {
  readonly header: string;
  readonly bare: string;
  readonly user: string;
  readonly actsAs: string;
  readonly nonce: string;
}

/** Where the login is bound, the client must bind itself to the same; elsewhere it must not. */
function readFirst(message: string, binding: ChannelBinding | undefined): ClientFirst | undefined {
  const [, header = '', flag = '', authorization = '', bare = ''] =
    /^(([ny]|p=[A-Za-z0-9.-]+),((?:a=[^,]+)?),)(.*)$/s.exec(message) ?? [];
  if (binding === undefined ? flag.startsWith('p') : flag !== `p=${binding.type}`) return undefined;
  const attributes = attributesOf(bare);
  if (attributes === undefined || attributes.has('m') || !bare.startsWith('n=')) return undefined;
  const user = plainName(attributes.get('n') ?? '');
  const actsAs = plainName(authorization.slice(2));
  const nonce = attributes.get('r') ?? '';
  if (user === undefined || user === '' || actsAs === undefined || !/^[!-+\--~]+$/.test(nonce)) return undefined;
  return { header, bare, user, actsAs, nonce };
}

interface Secrets {
  readonly salt: Buffer;
  readonly rounds: number;
  keys(): Promise<StoredKeys>;
}

const failed = (message: string): ServerVerdict => ({ outcome: 'deferred', message, told: false });

/** What is known of the user: keys that were stored, or else the password. */
async function secretsOf(hash: ScramHash, options: GsaslServer, context: Context): Promise<Secrets | ServerVerdict> {
  const texts: string[] = [];
  for (const template of [options.rounds, options.salt, options.key, options.storedKey]) {
    const found = await optionText(template, context);
    if ('outcome' in found) return found;
    texts.push(found.text);
  }
  const [roundsText = '', saltText = '', keyText = '', storedText = ''] = texts;
  const rounds = parseOptionInteger(roundsText) ?? 0;
  if (rounds < fewestRounds || rounds > mostRounds) return failed(`server_scram_iter "${roundsText}" is out of range`);
  const [serverKey, storedKey] = [fromBase64(keyText), fromBase64(storedText)];
  const salt = saltText === '' ? undefined : fromBase64(saltText);
  if (saltText !== '' && salt === undefined) return failed('server_scram_salt is not base64');
  if (serverKey?.length === hashLength[hash] && storedKey?.length === hashLength[hash]) {
    if (salt === undefined) return failed('server_key needs the salt that it was made with (server_scram_salt)');
    return { salt, rounds, keys: async () => ({ serverKey, storedKey }) };
  }
  if (options.password === undefined) return failed('server_key and server_skey do not hold keys of this mechanism');
  const password = await optionText(options.password, context);
  if ('outcome' in password) return password;
  const used = salt ?? crypto().randomBytes(16);
  const keys = async (): Promise<StoredKeys> => keysOf(hash, await saltedPassword(hash, password.text, used, rounds));
  return { salt: used, rounds, keys };
}

/** A client that could bind itself believes that we cannot, though we can: somebody has hidden the other mechanisms. */
const isMisled = ({ header }: ClientFirst, options: GsaslServer, tls: TlsFacts | undefined): boolean =>
  header.startsWith('y') && options.binds && tls !== undefined && bindingOf(tls) !== undefined;

export const examineScram =
  (hash: ScramHash, manner: 'bound' | 'unbound') =>
  async (options: GsaslServer, conversation: ClientConversation, context: Context): Promise<ServerVerdict> => {
    const tls = context.connection?.tls;
    const binding = manner === 'unbound' || tls === undefined ? undefined : bindingOf(tls);
    if (manner === 'bound' && binding === undefined) return failed('there is no TLS connection to bind the login to');
    const opening = await firstAnswer(conversation);
    if (opening.outcome !== 'text') return opening;
    const first = readFirst(opening.text, binding);
    if (first === undefined || isMisled(first, options, tls)) return refused;
    const realm = await optionText(options.realm, context);
    if ('outcome' in realm) return realm;
    setAuthValues([first.user, first.actsAs, realm.text].map(Text.tainted), context);
    const secrets = await secretsOf(hash, options, context);
    if ('outcome' in secrets) return secrets;
    const nonce = `${first.nonce}${newNonce()}`;
    const challenge = `r=${nonce},s=${toBase64(secrets.salt)},i=${secrets.rounds}`;
    const answer = await conversation.ask(challenge);
    if (answer.outcome !== 'text') return answer;
    const [, unproved = '', proofText = ''] = /^(.*),p=([^,]*)$/s.exec(answer.text) ?? [];
    const final = attributesOf(unproved);
    const proof = fromBase64(proofText);
    const bound = Buffer.concat([Buffer.from(first.header, 'latin1'), binding?.data ?? Buffer.alloc(0)]);
    const isOurs = final?.get('r') === nonce && final.get('c') === toBase64(bound);
    if (!isOurs || proof === undefined) return refused;
    const keys = await secrets.keys();
    const everything = `${first.bare},${challenge},${unproved}`;
    if (!isProof(hash, proof, keys, everything)) return refused;
    const verdict = await checkCondition(options.condition, context);
    if (verdict.outcome !== 'accepted') return verdict;
    // SMTP has no room for data beside its success, so the client must say that it has seen our proof (RFC 4954 §4)
    const confirmation = await conversation.ask(`v=${serverSignature(hash, keys, everything)}`);
    if (confirmation.outcome !== 'text') return confirmation;
    return confirmation.text === '' ? verdict : refused;
  };
