/** Groups of phases in which some conditions and modifiers make no sense (Exim spec 44.25). */

import { upper } from '../lib/octets.ts';
import type { Phase } from './acl.ts';

const beforeMail: readonly Phase[] = [
  'connection',
  'EHLO or HELO',
  'AUTH',
  'MAILAUTH',
  'STARTTLS',
  'ETRN',
  'EXPN',
  'VRFY',
];
const leaving: readonly Phase[] = ['QUIT', 'notquit'];

/** All phases that ACLs of this version run in. */
const everyPhase: readonly Phase[] = [
  ...beforeMail,
  ...leaving,
  'MAIL',
  'RCPT',
  'PREDATA',
  'DKIM',
  'MIME',
  'DATA',
  'PRDR',
  'non-SMTP-start',
  'non-SMTP',
];
/** No DKIM signature is being looked at. */
export const withoutDkim: readonly Phase[] = everyPhase.filter((phase) => phase !== 'DKIM');
/** There is no MIME part to be looked at. */
export const exceptMime: readonly Phase[] = everyPhase.filter((phase) => phase !== 'MIME');
/** A phase as log lines name it. */
export function namedPhase(phase: Phase): string {
  return phase === 'notquit' ? upper(phase) : phase;
}

/** No recipient is being given. */
export const withoutRecipient: readonly Phase[] = [
  ...beforeMail,
  ...leaving,
  'MAIL',
  'PREDATA',
  'DKIM',
  'MIME',
  'DATA',
  'non-SMTP-start',
  'non-SMTP',
];
/** No address is looked at. */
export const withoutAddress: readonly Phase[] = withoutRecipient.filter((phase) => phase !== 'VRFY');
/** No message is on its way yet, or none any more. */
export const withoutMessage: readonly Phase[] = [...beforeMail, ...leaving];
/** No message is on its way whose fate could be decided. */
export const withoutDecision: readonly Phase[] = [...withoutMessage, 'DKIM'];
/** The header lines have not come in. */
export const withoutHeaders: readonly Phase[] = [
  ...beforeMail,
  ...leaving,
  'MAIL',
  'RCPT',
  'PREDATA',
  'non-SMTP-start',
];
/** Nobody has looked at the content. */
export const withoutContent: readonly Phase[] = [...withoutHeaders, 'DKIM'];
/** The message is not there as a whole, or only a part of it is looked at. */
export const withoutWholeMessage: readonly Phase[] = [...withoutContent, 'MIME'];
