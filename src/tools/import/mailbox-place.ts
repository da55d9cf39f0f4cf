/**
 * Where the mailbox of a user will lie. One that lies below the mail directory stays where it is; another gets a place
 * there, and who runs the program is told what to move.
 */

import type { ImportedUser, Teller } from './record.ts';

export interface MailboxPlace {
  /** Below the mail directory, without slashes around it. */
  readonly relative: string;
  /** With a slash at its end. */
  readonly absolute: string;
}

/** A name that is one component of a path and hides nothing. */
const safeName = /^[A-Za-z0-9_+=@%,\x80-\xff-][A-Za-z0-9_.+=@%,\x80-\xff-]{0,200}$/;

/** Nothing, when no name for it can be made of the address. */
export function mailboxPlace(user: ImportedUser, root: string): MailboxPlace | undefined {
  const { address, mailbox } = user;
  const start = `${root.replace(/\/+$/, '')}/`;
  if (mailbox?.startsWith(start) && mailbox.endsWith('/') && !/\/\.{1,2}\/|[\s"\\]/.test(mailbox)) {
    return { relative: mailbox.slice(start.length).replace(/\/+$/, ''), absolute: mailbox };
  }
  const at = address.lastIndexOf('@');
  const [local, domain] = [address.slice(0, at), address.slice(at + 1)];
  if (!safeName.test(local) || !safeName.test(domain)) return undefined;
  return { relative: `${domain}/${local}`, absolute: `${start}${domain}/${local}/` };
}

/** Says what has to be done by hand. */
export function tellMove({ address, mailbox, origin }: ImportedUser, { absolute }: MailboxPlace, teller: Teller): void {
  if (mailbox === undefined || mailbox === absolute) return;
  const what = mailbox.endsWith('/') ? `move ${mailbox}` : `bring the messages of the mbox file ${mailbox}`;
  teller.remark(origin, `${address}: ${what} to ${absolute}`);
}
