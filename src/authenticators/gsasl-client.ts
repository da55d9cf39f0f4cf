/** How the mechanisms of the gsasl authenticator log in at a server (Exim spec 38). */

import type { Context } from '../expand/context.ts';
import type { Template } from '../expand/expand.ts';
import { bindingOf } from '../net/tls.ts';
import { Text } from '../safe/taint.ts';
import type { ClientVerdict, LogIn, ServerConversation, ServerTurn } from './authenticator.ts';
import { cramDigest } from './cram-digest.ts';
import { notBase64, setAuthValues } from './expanding.ts';
import {
  attributesOf,
  clientProof,
  escapedName,
  fewestRounds,
  fromBase64,
  hashLength,
  keysOf,
  mostRounds,
  newNonce,
  type ScramHash,
  saltedPassword,
  scramHashes,
  serverSignature,
} from './scram.ts';

/** The options that the client's side looks at. */
export interface GsaslClient {
  readonly username: Template | undefined;
  readonly password: Template | undefined;
  readonly saltedPassword: Template | undefined;
  readonly authorization: Template | undefined;
}

/** What they come to. */
interface Identity {
  readonly user: string;
  readonly password: string;
  readonly actsAs: string;
  readonly salted: Template | undefined;
}

type Mechanism = (identity: Identity, server: ServerConversation, context: Context) => Promise<ClientVerdict>;

const failed = (message: string): ClientVerdict => ({ outcome: 'failed', message });

/** The last word of a server that has heard everything. */
const ended = (turn: ServerTurn): ClientVerdict =>
  turn.outcome === 'challenge' ? { outcome: 'refused' } : { outcome: turn.outcome };

/** RFC 4616 */
const plain: Mechanism = async ({ user, password, actsAs }, server) =>
  ended(await server.begin(`${actsAs}\0${user}\0${password}`));

const login: Mechanism = async ({ user, password }, server) => {
  const first = await server.begin(undefined);
  if (first.outcome !== 'challenge') return first;
  const second = await server.answer(user);
  return second.outcome === 'challenge' ? ended(await server.answer(password)) : second;
};

/** RFC 2195 */
const cramMd5: Mechanism = async ({ user, password }, server) => {
  const turn = await server.begin(undefined);
  if (turn.outcome !== 'challenge') return turn;
  if (turn.text === undefined) return failed(notBase64(turn.reply));
  return ended(await server.answer(`${user} ${cramDigest(turn.text, password)}`));
};

/** RFC 4422 App. A */
const external: Mechanism = async ({ actsAs }, server) => ended(await server.begin(actsAs));

/** RFC 4505 */
const anonymous: Mechanism = async ({ user }, server) => ended(await server.begin(user));

/** The salted password of client_spassword, when it fits; else it is made of the password. */
async function saltedOf(
  hash: ScramHash,
  { salted, password }: Identity,
  salt: Buffer,
  rounds: number,
  context: Context,
): Promise<Buffer> {
  const expansion = await salted?.expand(context);
  const kept = expansion?.ok === true && /^[0-9A-Fa-f]+$/.test(expansion.text.value) ? expansion.text.value : '';
  return kept.length === 2 * hashLength[hash] ? Buffer.from(kept, 'hex') : saltedPassword(hash, password, salt, rounds);
}

/** RFC 5802 §3 */
const scram =
  (hash: ScramHash, manner: 'bound' | 'unbound'): Mechanism =>
  async (identity, server, context) => {
    const { user, actsAs } = identity;
    const tls = context.delivery?.tls;
    const binding = manner === 'unbound' || tls === undefined ? undefined : bindingOf(tls);
    if (manner === 'bound' && binding === undefined) return { outcome: 'skipped' };
    const header = `${binding === undefined ? 'n' : `p=${binding.type}`},${actsAs === '' ? '' : `a=${escapedName(actsAs)}`},`;
    const nonce = newNonce();
    const bare = `n=${escapedName(user)},r=${nonce}`;
    const turn = await server.begin(`${header}${bare}`);
    if (turn.outcome !== 'challenge') return turn;
    if (turn.text === undefined) return failed(notBase64(turn.reply));
    const challenge = attributesOf(turn.text);
    const salt = fromBase64(challenge?.get('s') ?? '');
    const rounds = Number(/^\d{1,7}$/.exec(challenge?.get('i') ?? '')?.[0] ?? 0);
    const whole = challenge?.get('r') ?? '';
    if (salt === undefined || !whole.startsWith(nonce) || whole === nonce || challenge?.has('m')) {
      return failed('the server sent no SCRAM challenge');
    }
    if (rounds < fewestRounds || rounds > mostRounds) return failed(`the server asks for ${rounds} SCRAM rounds`);
    const known = [user, String(rounds), challenge?.get('s') ?? ''].map(Text.tainted);
    setAuthValues(known, context);
    const salted = await saltedOf(hash, identity, salt, rounds, context);
    const bound = Buffer.concat([Buffer.from(header, 'latin1'), binding?.data ?? Buffer.alloc(0)]);
    const unproved = `c=${bound.toString('base64')},r=${whole}`;
    const everything = `${bare},${turn.text},${unproved}`;
    const proof = clientProof(hash, salted, everything).toString('base64');
    const last = await server.answer(`${unproved},p=${proof}`);
    if (last.outcome === 'accepted') return failed('the server did not prove that it knows the user');
    if (last.outcome !== 'challenge') return last;
    if (last.text !== `v=${serverSignature(hash, keysOf(hash, salted), everything)}`) {
      return failed('the server proved badly that it knows the user');
    }
    setAuthValues([...known, Text.tainted(salted.toString('hex'))], context);
    return ended(await server.answer(''));
  };

const mechanisms: ReadonlyMap<string, Mechanism> = new Map<string, Mechanism>([
  ['ANONYMOUS', anonymous],
  ['CRAM-MD5', cramMd5],
  ['EXTERNAL', external],
  ['LOGIN', login],
  ['PLAIN', plain],
  ...[...scramHashes].map(([name, hash]): [string, Mechanism] => [name, scram(hash, 'unbound')]),
]);

const boundMechanisms: ReadonlyMap<string, Mechanism> = new Map(
  [...scramHashes].map(([name, hash]) => [`${name}-PLUS`, scram(hash, 'bound')]),
);

async function identityOf(options: GsaslClient, context: Context): Promise<Identity | ClientVerdict> {
  const texts: string[] = [];
  for (const template of [options.username, options.password, options.authorization]) {
    const expansion = await template?.expand(context);
    if (expansion?.ok === false) {
      return expansion.kind === 'forced' ? { outcome: 'skipped' } : failed(expansion.message);
    }
    texts.push(expansion?.text.value ?? '');
  }
  const [user = '', password = '', actsAs = ''] = texts;
  return { user, password, actsAs, salted: options.saltedPassword };
}

/** The client's side of a mechanism; nothing when it is unknown or no client options are set. */
export function gsaslLogIn(mechanism: string, binds: boolean, options: GsaslClient): LogIn | undefined {
  const work = mechanisms.get(mechanism) ?? (binds ? boundMechanisms.get(mechanism) : undefined);
  if (work === undefined || Object.values(options).every((template) => template === undefined)) return undefined;
  return async (server, context) => {
    const identity = await identityOf(options, context);
    return 'outcome' in identity ? identity : work(identity, server, context);
  };
}
