/** What the sender of a message asked for about a recipient (RFC 3461), as its spool file keeps it. */

import { notifyFlags, type Occasion, wantsReport, withoutSuccess } from '../smtp/notification.ts';
import type { Envelope, SpooledRecipient } from '../spool/envelope.ts';
import type { RouteAddress } from './address.ts';

type Notification = NonNullable<SpooledRecipient['notification']>;

const nothing: Notification = { original: '', flags: notifyFlags('') ?? 0 };

/** What was said about the recipient that an address began with. */
function spokenOf({ recipient }: RouteAddress, { recipients }: Envelope): Notification {
  const named = recipients[recipient];
  const top = named?.parent === undefined ? named : recipients[named.parent];
  return top?.notification ?? nothing;
}

/** The name under which the sender knows the recipient (ORCPT); it holds for all that redirection makes of him. */
export function originalRecipientOf(address: RouteAddress, envelope: Envelope): string {
  return spokenOf(address, envelope).original;
}

/** What was asked for about an address: nothing about what redirection made, for the redirection itself is reported. */
export function notificationOf(address: RouteAddress, envelope: Envelope): Notification {
  // what goes on behind a router with `unseen` is the address itself
  if (address.parent !== undefined && address.madeBy === undefined) return notificationOf(address.parent, envelope);
  const isRedirected = address.parent !== undefined || envelope.recipients[address.recipient]?.parent !== undefined;
  return isRedirected ? nothing : spokenOf(address, envelope);
}

/** Whether the sender wants to be told. */
export function isWanted(address: RouteAddress, occasion: Occasion, envelope: Envelope): boolean {
  return wantsReport(notificationOf(address, envelope).flags, occasion);
}

/** He was told of a success, and is not told again when the message is tried once more. */
export function noteTold({ recipient }: RouteAddress, { recipients }: Envelope): void {
  const named = recipients[recipient];
  if (named?.notification === undefined) return;
  const { original, flags } = named.notification;
  recipients[recipient] = { ...named, notification: { original, flags: withoutSuccess(flags) } };
}
