/** AUTH: a client proves who it is (RFC 4954; Exim spec 33.3). */

import type { ClientAnswer } from '../../authenticators/authenticator.ts';
import { decodeBase64, encodeBase64 } from '../../lib/base64.ts';
import * as clock from '../../lib/clock.ts';
import type { AskClient, Reply } from '../../smtp/server/policy.ts';
import { evenly, type Login, logIn, mechanismNamed } from '../logins.ts';
import { refusal } from './acl-reply.ts';
import { setProtocol } from './helo.ts';
import { type Reception, shownInLog } from './reception.ts';

/** Why AUTH cannot be used now, if it cannot. */
export function authProblem({ mechanisms, connection }: Reception): string | undefined {
  if (connection.authenticator !== '') return 'already authenticated';
  return mechanisms.length === 0 ? 'AUTH command used when not advertised' : undefined;
}

function answerIn(line: string | undefined): ClientAnswer {
  if (line === undefined) return { outcome: 'lost' };
  if (line === '*') return { outcome: 'cancelled' };
  const text = decodeBase64(line);
  return text === undefined ? { outcome: 'malformed' } : { outcome: 'text', text };
}

const replies: Readonly<Record<Exclude<Login['outcome'], 'lost'>, Reply>> = {
  accepted: { code: '235', text: 'Authentication succeeded' },
  refused: { code: '535', text: 'Incorrect authentication data' },
  deferred: { code: '435', text: 'Unable to authenticate at present' },
  cancelled: { code: '501', text: 'Authentication cancelled' },
  malformed: { code: '501', text: 'Invalid base64 data' },
  'unexpected data': { code: '553', text: 'Initial data not expected' },
};

export async function auth(
  mechanism: string,
  initial: string | undefined,
  ask: AskClient,
  reception: Reception,
): Promise<Reply | undefined> {
  const { acls, runtime, context, client } = reception;
  const result = await acls.run('AUTH', runtime.config.main.acl_smtp_auth);
  if (result !== undefined && result.outcome !== 'accept') {
    return refusal(result, 'AUTH', `AUTH ${mechanism}`, reception);
  }
  const examiner = mechanismNamed(mechanism, reception.mechanisms);
  if (examiner === undefined) {
    return { code: '504', text: `${mechanism} authentication mechanism not supported`, mistake: 'protocol' };
  }
  const begun = clock.elapsed();
  // a single equals sign stands for data of no length
  const first = initial === undefined || initial === '=' ? { text: initial && '' } : { text: decodeBase64(initial) };
  const login: Login =
    first.text === undefined && initial !== undefined
      ? { outcome: 'malformed', id: '' }
      : await logIn(
          examiner,
          {
            initial: first.text,
            ask: async (challenge, form) => answerIn(await ask(form === 'words' ? challenge : encodeBase64(challenge))),
          },
          context,
        );
  if (login.outcome === 'lost') return undefined;
  const reply = replies[login.outcome];
  if (login.outcome === 'accepted') {
    setProtocol(reception);
    return reply;
  }
  const id = login.id === '' ? '' : ` (set_id=${login.id})`;
  const more = login.outcome === 'deferred' ? `: ${login.message}` : '';
  const told = `${reply.code} ${reply.text}`;
  const line = `${examiner.name} authenticator failed for ${reception.name}: ${told}${id}${more}`;
  runtime.logs.write(['main', 'reject'], shownInLog(line));
  if (login.outcome === 'refused' && !client.isTest) await evenly(begun);
  return login.outcome === 'deferred' && login.told ? { ...reply, text: `${reply.text}: ${login.message}` } : reply;
}
