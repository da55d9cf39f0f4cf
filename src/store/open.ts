/** Opens a mailbox of either format, with the rights of this process. */

import type { MailboxPlace, Opened } from './mailbox.ts';
import { openMaildir } from './maildir.ts';
import { openMbox } from './mbox.ts';

export function openMailbox(place: MailboxPlace): Promise<Opened> {
  return place.format === 'maildir' ? openMaildir(place.path) : openMbox(place);
}
