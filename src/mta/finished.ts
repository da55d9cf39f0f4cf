/** Which recipients of a message need nothing more. */

import type { Envelope } from '../spool/envelope.ts';
import { keyOf } from './attempt.ts';

/** Whether nothing is left to do for an address of the envelope; its domain may be noted in small letters. */
export function isFinished(address: string, { nonRecipients }: Pick<Envelope, 'nonRecipients'>): boolean {
  return nonRecipients.has(address) || nonRecipients.has(keyOf(address));
}
