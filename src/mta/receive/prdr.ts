/**
 * PRDR: an answer for each recipient of a message that has come (draft-hall-prdr; Exim spec 44.12, acl_smtp_data_prdr).
 * The client asked for it, and the message has more than one recipient.
 */

import type { AclResult } from '../../acl/acl.ts';
import { splitAddress } from '../../mail/address.ts';
import type { Reply } from '../../smtp/server/policy.ts';
import type { SpooledRecipient } from '../../spool/envelope.ts';
import type { Arrival } from '../arrival.ts';
import { withCode, wrapped } from './acl-reply.ts';
import { type Reception, shownInLog } from './reception.ts';

export interface EachAnswered {
  /** In front of the answer to the whole message. */
  readonly replies: readonly Reply[];
  /** What is said to the message when nothing else stands against it. */
  readonly last: Reply;
  /** The recipients that are left. */
  readonly accepted: readonly SpooledRecipient[];
}

const introduction: Reply = { code: '353', text: 'PRDR content analysis beginning' };

type Verdict = 'accepted' | 'refused' | 'postponed';

const words: Readonly<Record<Verdict, { readonly code: string; readonly text: string }>> = {
  accepted: { code: '250', text: 'acceptance' },
  refused: { code: '550', text: 'refusal' },
  postponed: { code: '450', text: 'temporary refusal' },
};

function verdictOf(result: AclResult | undefined): Verdict {
  if (result === undefined || result.outcome === 'accept' || result.outcome === 'discard') return 'accepted';
  return result.outcome === 'defer' || result.outcome === 'error' ? 'postponed' : 'refused';
}

/** Asks about each recipient. */
export async function examineEach(arrival: Arrival, reception: Reception): Promise<EachAnswered> {
  const { acls, runtime } = reception;
  const replies: Reply[] = [introduction];
  const accepted: SpooledRecipient[] = [];
  const verdicts = new Set<Verdict>();
  for (const recipient of arrival.recipients) {
    const { address } = recipient;
    const subject = { address, ...splitAddress(address) };
    const result = await acls.run('PRDR', runtime.config.main.acl_smtp_data_prdr, subject);
    const verdict = verdictOf(result);
    verdicts.add(verdict);
    const { code, text } = words[verdict];
    const standard = `PRDR R=<${address}> ${text}`;
    const own = result?.outcome === 'error' ? '' : (result?.userMessage ?? '');
    const reply = own === '' ? { code, text: standard } : withCode(code, own, reception);
    runtime.logs.main(shownInLog(own === '' ? standard : `PRDR ${address} ${reply.text}`), arrival.newMessage.id);
    replies.push({ ...reply, text: wrapped(reply.text) });
    if (verdict === 'accepted' && result?.outcome !== 'discard') accepted.push(recipient);
  }
  return { replies, last: lastReply(verdicts, arrival.newMessage.id), accepted };
}

function lastReply(verdicts: ReadonlySet<Verdict>, id: string): Reply {
  if (verdicts.size > 1) return { code: '250', text: `id=${id} message accepted for some recipients` };
  if (verdicts.has('accepted')) return { code: '250', text: `id=${id} message accepted` };
  const code = verdicts.has('refused') ? '550' : '450';
  return { code, text: `id=${id} message ${code === '450' ? 'temporarily ' : ''}rejected for all recipients` };
}
