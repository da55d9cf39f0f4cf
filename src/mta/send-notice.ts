/** Sends the letters of a Sieve filter's `notify` (RFC 5436): at once, in the name of the router's option. */

import type { FilterNotice } from '../filter/filter-outcome.ts';
import type { Attempt } from './attempt.ts';
import { complain, type Origin, submitFor } from './send-reply.ts';

/** A letter that cannot be sent is told in the log: it is no reason to hold the message back. */
export async function sendNotice({ sender, text }: FilterNotice, attempt: Attempt): Promise<void> {
  const { runtime, context, message, tools } = attempt;
  const origin: Origin = { about: message.id, rights: { ...runtime.user, allGroups: false }, context, runtime };
  const result = await submitFor([Buffer.from(text, 'latin1')], sender, origin);
  if (result.outcome === 'accepted') {
    if (result.queueOnly || runtime.config.main.queue_only || result.message.envelope.facts.frozen !== undefined) {
      result.message.release();
    } else await tools.deliverReport(result.message);
  } else if (result.outcome === 'refused') {
    result.discard();
    complain(result, origin);
  }
}
