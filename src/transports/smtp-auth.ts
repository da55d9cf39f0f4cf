/** Logging in at the hosts of the smtp transport (Exim spec 33.5). */

import type { AuthenticatorInstance, ServerConversation, ServerTurn } from '../authenticators/authenticator.ts';
import type { Context } from '../expand/context.ts';
import { decodeBase64, encodeBase64 } from '../lib/base64.ts';
import { lower, trim, upper } from '../lib/octets.ts';
import { type Failure, isFailure } from '../smtp/client/failure.ts';
import type { ClientSession } from '../smtp/client/session.ts';
import { type Reply, replyClass, replyText } from '../smtp/reply.ts';
import { type Verdict, verdictOf } from './smtp-failure.ts';
import { isListed, type ReachableHost, type SmtpSetup } from './smtp-run.ts';
import { errorCodes } from './transport.ts';

/** `plain:ann` for logs; nothing when we go on without. */
export type LoginResult = { readonly authenticator: string | undefined } | { readonly verdict: Verdict };

const refusals: ReadonlySet<string> = new Set(['', '0', 'no', 'false']);

/** What stands for a secret in logs. */
const hidden = (secret: string): string => '*'.repeat(secret.length);

/** One attempt by one mechanism, seen as a conversation. */
class Conversation implements ServerConversation {
  readonly #session: ClientSession;
  readonly #mechanism: string;
  /** The last that was said, and how the connection failed, if it did. */
  reply: Reply | undefined;
  failure: Failure | undefined;
  shown = '';
  awaitsAnswer = false;

  constructor(session: ClientSession, mechanism: string) {
    this.#session = session;
    this.#mechanism = mechanism;
  }

  begin(initial: string | undefined): Promise<ServerTurn> {
    const command = `AUTH ${this.#mechanism}`;
    if (initial === undefined) return this.#say(command, command);
    const data = initial === '' ? '=' : encodeBase64(initial);
    return this.#say(`${command} ${data}`, `${command} ${hidden(data)}`);
  }

  answer(text: string): Promise<ServerTurn> {
    const data = encodeBase64(text);
    return this.#say(data, hidden(data));
  }

  async cancel(): Promise<void> {
    if (this.awaitsAnswer) await this.#say('*', '*');
  }

  async #say(line: string, shown: string): Promise<ServerTurn> {
    this.shown = shown;
    this.awaitsAnswer = false;
    const answer = await this.#session.exchange(line, 'auth', shown);
    if (isFailure(answer)) {
      this.failure = answer;
      return { outcome: 'lost' };
    }
    this.reply = answer;
    if (replyClass(answer) === 2) return { outcome: 'accepted' };
    if (answer.code !== 334) return { outcome: 'refused' };
    this.awaitsAnswer = true;
    const reply = replyText(answer);
    return { outcome: 'challenge', text: decodeBase64(reply.slice('334 '.length)), reply };
  }
}

const deferral = (code: number, message: string, quiet: boolean): LoginResult => ({
  verdict: { outcome: 'deferred', of: 'host', error: { code, message }, quiet },
});

async function isWanted({ common }: AuthenticatorInstance, context: Context): Promise<boolean> {
  const expansion = await common.client_condition?.expand(context);
  if (expansion === undefined) return true;
  return expansion.ok && !refusals.has(lower(trim(expansion.text.value)));
}

/** What one authenticator came to: a result that ends the search, or nothing, after which the next may be tried. */
async function attempt(
  authenticator: AuthenticatorInstance & { readonly logIn: NonNullable<AuthenticatorInstance['logIn']> },
  run: SmtpSetup,
  host: ReachableHost,
  session: ClientSession,
  context: Context,
): Promise<LoginResult | 'skipped' | 'refused'> {
  const { name, common, logIn } = authenticator;
  const conversation = new Conversation(session, upper(common.public_name ?? name));
  const verdict = await logIn(conversation, context);
  const at = `H=${host.name} [${host.address}]`;
  switch (verdict.outcome) {
    case 'skipped':
      return 'skipped';
    case 'accepted': {
      const id = await common.client_set_id?.expand(context);
      return { authenticator: id?.ok === true && id.text.value !== '' ? `${name}:${id.text.value}` : name };
    }
    case 'lost': {
      const { failure } = conversation;
      return failure === undefined ? 'refused' : { verdict: verdictOf(failure) };
    }
    case 'refused': {
      const reply = conversation.reply === undefined ? '' : replyText(conversation.reply);
      if (conversation.reply !== undefined && replyClass(conversation.reply) === 5) {
        run.services.log(`${name} authenticator failed ${at} ${reply}`);
        return 'refused';
      }
      return deferral(0, `SMTP error from remote mail server after ${conversation.shown}: ${reply}`, false);
    }
    case 'failed': {
      if (!conversation.awaitsAnswer) {
        return deferral(errorCodes.authenticationProblem, withName(verdict.message, name), true);
      }
      await conversation.cancel();
      run.services.log(`${name} authenticator cancelled authentication ${at} ${verdict.message}`);
      return 'refused';
    }
  }
}

/** `expansion of "…" failed in plain authenticator: reason` */
function withName(message: string, name: string): string {
  return message.replace(/^(expansion of ".*?" failed)/s, `$1 in ${name} authenticator`);
}

/** Logs in where the options ask for it (hosts_try_auth, hosts_require_auth). */
export async function logInAt(
  run: SmtpSetup,
  host: ReachableHost,
  session: ClientSession,
  context: Context,
): Promise<LoginResult> {
  const { options, services } = run;
  const isRequired = await isListed(run, options.hosts_require_auth, host);
  if (!isRequired && !(await isListed(run, options.hosts_try_auth, host))) return { authenticator: undefined };
  const offered = session.extensions.get('AUTH');
  const lacking = (what: string): LoginResult =>
    isRequired
      ? deferral(errorCodes.authenticationFailed, `authentication required but ${what}`, true)
      : { authenticator: undefined };
  if (offered === undefined) return lacking('server did not advertise AUTH support');
  const names = new Set(upper(offered).split(/[ \t]+/));
  let tried = false;
  for (const { logIn, ...authenticator } of services.authenticators) {
    const isOffered = names.has(upper(authenticator.common.public_name ?? authenticator.name));
    if (logIn === undefined || !isOffered || !(await isWanted(authenticator, context))) continue;
    const result = await attempt({ ...authenticator, logIn }, run, host, session, context);
    if (typeof result !== 'string') return result;
    if (result === 'refused') tried = true;
  }
  return lacking(tried ? 'authentication attempt(s) failed' : 'no common mechanisms were found');
}
