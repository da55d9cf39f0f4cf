/** What the sender of a message asked for about a recipient (RFC 3461), as its spool file keeps it. */

import { notifyFlags, type Occasion, wantsReport } from '../smtp/notification.ts';
import type { Envelope, SpooledRecipient } from '../spool/envelope.ts';
import type { RouteAddress } from './address.ts';

type Notification = NonNullable<SpooledRecipient['notification']>;

const nothing: Notification = { original: '', flags: notifyFlags('') ?? 0 };

/** What was said about the recipient that an address began with; it holds for all that redirection makes of it. */
export function notificationOf({ recipient }: RouteAddress, { recipients }: Envelope): Notification {
  const named = recipients[recipient];
  const top = named?.parent === undefined ? named : recipients[named.parent];
  return top?.notification ?? nothing;
}

/** Whether the sender wants to be told. */
export function isWanted(address: RouteAddress, occasion: Occasion, envelope: Envelope): boolean {
  return wantsReport(notificationOf(address, envelope).flags, occasion);
}
