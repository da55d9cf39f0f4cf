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

type Verdict = 'accepted' | 'discarded' | 'refused' | 'postponed';

const words: Readonly<Record<Verdict, { readonly code: string; readonly text: string }>> = {
  accepted: { code: '250', text: 'acceptance' },
  discarded: { code: '250', text: 'acceptance' },
  refused: { code: '550', text: 'refusal' },
  postponed: { code: '450', text: 'temporary refusal' },
};

function verdictOf(result: AclResult | undefined): Verdict {
  if (result === undefined || result.outcome === 'accept') return 'accepted';
  if (result.outcome === 'discard') return 'discarded';
  return result.outcome === 'defer' ? 'postponed' : 'refused';
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
    const said = result?.logMessage ?? '';
    runtime.logs.main(shownInLog(said === '' ? standard : `PRDR ${address} ${said}`), arrival.newMessage.id);
    replies.push({ ...reply, text: wrapped(reply.text) });
    if (verdict === 'accepted') accepted.push(recipient);
  }
  return { replies, last: lastReply(verdicts, arrival.newMessage.id), accepted };
}

/** As Exim has it: recipients that were put off count as some that are accepted, those that were discarded as refused. */
function lastReply(verdicts: ReadonlySet<Verdict>, id: string): Reply {
  const isAccepted = verdicts.size === 1 && verdicts.has('accepted');
  if (isAccepted) return { code: '250', text: `id=${id} message accepted` };
  const some = verdicts.has('accepted') || verdicts.has('postponed');
  if (some) return { code: '250', text: `id=${id} message accepted for some recipients` };
  return { code: '550', text: `id=${id} message rejected for all recipients` };
}
