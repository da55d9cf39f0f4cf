/** `spf` and `spf_guess`: whether the sender's domain lets this host send its mail (Exim spec 58.4). */

import { splitList } from '../../lib/list-text.ts';
import { checkSpf, type SpfAnswer } from '../../origin/spf.ts';
import type { AclRun, ConditionAnswer, Phase, TextCondition } from '../acl.ts';

/** There is no sender, or nobody has sent anything over a connection. */
const withoutSession: readonly Phase[] = [
  ...(['connection', 'EHLO or HELO', 'AUTH', 'MAILAUTH', 'STARTTLS', 'ETRN', 'EXPN', 'VRFY'] as const),
  ...(['QUIT', 'notquit', 'non-SMTP', 'non-SMTP-start'] as const),
];

async function ask({ context, services }: AclRun, guess: string | undefined): Promise<SpfAnswer | { error: string }> {
  const { connection, message } = context;
  const template = await services.spf.commentTemplate.expand(context);
  if (!template.ok) return { error: `expansion of spf_smtp_comment_template failed: ${template.message}` };
  const question = {
    // as Exim has it for who is no host
    ip: connection?.hostAddress || '0.0.0.0',
    sender: message?.sender ?? '',
    helo: connection?.heloName ?? '',
    hostname: context.settings.primaryHostname,
    guess,
    commentTemplate: template.text.value,
  };
  return checkSpf(question, services.resolver);
}

/** Items from left to right; the first that is true decides. `(invalid)` is named without its brackets. */
function isAmong(list: string, { result }: SpfAnswer): boolean {
  const word = result === '(invalid)' ? 'invalid' : result;
  return splitList(list).items.some((item) => (item.startsWith('!') ? item.slice(1) !== word : item === word));
}

const condition = (name: string, doc: string, guesses: boolean): TextCondition => ({
  kind: 'condition',
  name,
  doc,
  forbidden: withoutSession,
  async test(text, run): Promise<ConditionAnswer> {
    const { message, decisions } = run.context;
    const answer = await ask(run, guesses ? run.services.spf.guess : undefined);
    if ('error' in answer) return answer;
    if (message) message.spf = answer;
    if (decisions.listening) {
      decisions.step('acl', `SPF ${answer.domain}`, answer.result, answer.isGuessed ? 'guessed' : undefined);
    }
    return isAmong(text, answer) ? 'true' : 'false';
  },
});

export const spfConditions: readonly TextCondition[] = [
  condition('spf', 'The SPF check came to one of these results.', false),
  condition('spf_guess', 'The SPF check, with a guessed record if need be, came to one of these results.', true),
];
