/** A process that opens mailboxes as another user (`mta/mailbox-process.ts`): it becomes that user for good. */

import { serveMailboxes } from '../mta/mailbox-server.ts';
import { actAs } from './become.ts';

/** `uid gid`; answers the exit status. */
export const mailboxesAs = (words: readonly string[]): Promise<number> => actAs(words, serveMailboxes);
