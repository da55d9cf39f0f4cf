/**
 * The heimdal_gssapi authenticator: Kerberos by the mechanism GSSAPI (Exim spec 39, RFC 4752), for clients. `$auth1` is who
 * the client is, as the realm vouches; `$auth2` whom it says that it wants to act as, which nobody has looked at.
 */

import type { Context } from '../expand/context.ts';
import type { Template } from '../expand/expand.ts';
import { Text } from '../safe/taint.ts';
import { type ClientConversation, defineAuthenticator, type ServerVerdict } from './authenticator.ts';
import { checkCondition, setAuthValues, verdictOnFailure } from './expanding.ts';
import type { Acceptor, GssAnswer, GssLogin } from './gssapi.ts';
import { heimdalGssapiOptions } from './heimdal-gssapi-options.ts';

/** Tokens that one client may send until all is agreed on. */
const mostRounds = 10;

/** No security layer, and so none of any size (RFC 4752 §3.2). */
const noLayer = '\x01\0\0\0';

interface Settings {
  readonly keytab: Template | undefined;
  readonly service: Template;
  readonly hostname: Template;
}

async function acceptorOf(
  { keytab, service, hostname }: Settings,
  context: Context,
): Promise<Acceptor | { readonly verdict: ServerVerdict; readonly message: string }> {
  const texts: string[] = [];
  for (const template of [keytab, service, hostname]) {
    const expansion = await template?.expand(context);
    if (expansion?.ok === false) return { verdict: verdictOnFailure(expansion), message: expansion.message };
    texts.push(expansion?.text.value ?? '');
  }
  const [file = '', name, host] = texts;
  return { keytab: file, service: `${name}@${host}` };
}

/** What came of it is told to those who look on, and to nobody else. */
function refusal(answer: GssAnswer, context: Context): ServerVerdict {
  context.decisions.step('auth', 'GSSAPI', 'failed', 'error' in answer ? answer.error : 'unexpected answer');
  return { outcome: 'refused' };
}

/** The rounds of the mechanism itself; nothing when it is agreed who the client is. */
async function establish(
  login: GssLogin,
  { initial, ask }: ClientConversation,
  context: Context,
): Promise<ServerVerdict | undefined> {
  let said = initial === undefined ? await ask('') : ({ outcome: 'text', text: initial } as const);
  for (let round = 0; round < mostRounds; round++) {
    if (said.outcome !== 'text') return said;
    if (said.text === '') return { outcome: 'refused' };
    const answer = await login.accept(said.text);
    if ('error' in answer) return refusal(answer, context);
    if (answer.letter === 'D' && answer.text === '') return undefined;
    said = await ask(answer.text);
    if (answer.letter === 'D') {
      if (said.outcome !== 'text') return said;
      return said.text === '' ? undefined : { outcome: 'refused' };
    }
  }
  return { outcome: 'refused' };
}

/** Offers to go on without a security layer; answers who the client is. */
async function agree(
  login: GssLogin,
  { ask }: ClientConversation,
  context: Context,
): Promise<ServerVerdict | readonly string[]> {
  const offer = await login.wrap(noLayer);
  if ('error' in offer) return refusal(offer, context);
  const choice = await ask(offer.text);
  if (choice.outcome !== 'text') return choice;
  const answer = await login.unwrap(choice.text);
  if ('error' in answer) return refusal(answer, context);
  const end = answer.text.indexOf('\0');
  const client = answer.text.slice(0, end);
  return [client, answer.text.slice(end + 1) || client];
}

export const heimdalGssapi = defineAuthenticator({
  name: 'heimdal_gssapi',
  summary: 'Kerberos, for clients',
  options: heimdalGssapiOptions,
  make({ server_keytab, server_service, server_hostname }, { server_condition: condition }) {
    const settings: Settings = { keytab: server_keytab, service: server_service, hostname: server_hostname };
    return {
      async obstacle(context) {
        const acceptor = await acceptorOf(settings, context);
        if ('verdict' in acceptor) return acceptor.message;
        return (await import('./gssapi.ts')).obstacle(acceptor, context);
      },
      async examine(conversation, context) {
        const acceptor = await acceptorOf(settings, context);
        if ('verdict' in acceptor) return acceptor.verdict;
        const { GssLogin } = await import('./gssapi.ts');
        const login = new GssLogin(acceptor, context);
        try {
          const failure = await establish(login, conversation, context);
          if (failure !== undefined) return failure;
          const found = await agree(login, conversation, context);
          if ('outcome' in found) return found;
          setAuthValues(found.map(Text.tainted), context);
          return await checkCondition(condition, context);
        } finally {
          await login.end();
        }
      },
    };
  },
});
