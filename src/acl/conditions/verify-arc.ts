/**
 * `verify = arc/pass:none`: what the chain of ARC sets comes to (Exim's experimental ARC). The answer is kept for the
 * variables and for `${authresults}`.
 */

import { splitList } from '../../lib/list-text.ts';
import type { AclRun, ConditionAnswer } from '../acl.ts';

/** What is taken when nothing is said. */
const usual = 'none:pass';

export async function verifyArc(
  { context, services }: AclRun,
  [states = usual]: readonly string[],
): Promise<ConditionAnswer> {
  const { message, decisions } = context;
  const answer = message && (message.arc ?? (await services.arc()));
  if (message === undefined || answer === undefined) return 'false';
  message.arc = answer;
  if (decisions.listening) decisions.step('acl', 'ARC', answer.state, answer.reason);
  return splitList(states).items.includes(answer.state) ? 'true' : 'false';
}
