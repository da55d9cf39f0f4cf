/** Makes the copy of a message for content scanners (`acl/message-copy.ts`), and its file below `scan/` in the spool. */

import type { MessageCopy, TakePiece } from '../acl/message-copy.ts';
import * as clock from '../lib/clock.ts';
import { mailboxDate } from '../mail/date.ts';
import * as files from '../safe/files.ts';
import { type Clean, concat, literal, pathOf, type QueueId } from '../safe/taint.ts';
import type { Arrival } from './arrival.ts';

/** What of a message a scanner sees. */
export type Scanned = Pick<Arrival, 'sender' | 'recipients' | 'headers' | 'newMessage' | 'runtime'>;

/** What stands in front of the body: the line of a mailbox file, the envelope, the header lines. */
function headOf({ sender, recipients, headers }: Scanned, at: number): Buffer {
  const from = sender === '' ? '' : `X-Envelope-From: <${sender}>\n`;
  const to = recipients.length === 0 ? '' : `X-Envelope-To: ${recipients.map(({ address }) => address).join(', ')}\n`;
  const lines = headers.filter(({ type }) => type !== '*').map(({ text }) => text);
  return Buffer.from(`From MAILER-DAEMON ${mailboxDate(at)}\n${from}${to}${lines.join('')}\n`, 'latin1');
}

export interface RemovableCopy extends MessageCopy {
  readonly id: QueueId;
  /** Gives a file that was made to the server's user. */
  own(file: Clean): void;
  /** A file in its directory that goes when the copy goes. */
  add(file: Clean): void;
  /** Removes the files, if any were made; `keep` leaves them (control no_mbox_unspool). */
  remove(keep: boolean): void;
}

/** A copy of the message as it is when it is first looked at. */
export function messageCopy(arrival: Scanned): RemovableCopy {
  const { newMessage, runtime } = arrival;
  const { spoolDirectory } = runtime.places;
  const owner = process.geteuid?.() === 0 ? runtime.user : undefined;
  let begun: Buffer | undefined;
  const head = (): Buffer => {
    begun ??= headOf(arrival, clock.now());
    return begun;
  };
  const { id } = newMessage;
  const above = pathOf(spoolDirectory, literal('scan'));
  const directory = pathOf(above, id);
  const path = pathOf(directory, concat(id, literal('.eml')));
  let made = false;
  const more = new Set<Clean>();
  const own = (place: Clean): void => {
    if (owner !== undefined) files.setOwner(place, owner.uid, owner.gid);
  };
  const read = async (take: TakePiece): Promise<void> => {
    await take(head());
    await newMessage.readBack(take);
  };
  return {
    id,
    get size() {
      return head().length + newMessage.size;
    },
    read,
    async file() {
      if (made) return { path, directory };
      for (const place of [above, directory]) if (files.makeDirectories(place, 0o750)) own(place);
      const file = files.open(path, files.createNew, 0o640);
      made = true;
      try {
        await read((piece) => files.writeLater(file, piece));
      } finally {
        files.close(file);
      }
      own(path);
      return { path, directory };
    },
    own,
    add: (file) => more.add(file),
    remove(keep) {
      if (!made || keep) return;
      made = false;
      for (const file of [path, ...more]) files.removeIfPossible(file);
      // a scanner may have left files of its own there; those are not ours to remove
      if ([...files.list(directory)].length === 0) files.removeDirectory(directory);
    },
  };
}
