/** Batched SMTP: the envelope as SMTP commands in front of the message (Exim spec 49.10). */

import type { DeliveryRequest } from './transport.ts';

/** MAIL, RCPT and DATA. */
export function batchPrefix(request: DeliveryRequest, newline: string): string {
  const recipients = request.addresses.map(({ recipient }) => `RCPT TO:<${recipient}>${newline}`);
  return `MAIL FROM:<${request.returnPath}>${newline}${recipients.join('')}DATA${newline}`;
}
