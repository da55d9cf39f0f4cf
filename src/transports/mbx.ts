/**
 * Mailboxes in MBX format, as c-client has them: 2048 octets that belong to the mailbox, and before each message a line
 * with the time, its size and its flags (Exim spec 26.2, mbx_format).
 */

import * as clock from '../lib/clock.ts';
import { mbxDate } from '../mail/date.ts';
import * as files from '../safe/files.ts';
import { concat, decimal, literal } from '../safe/taint.ts';
import type { AppendfileJob } from './appendfile-job.ts';
import { writeMessage } from './appendfile-writer.ts';
import type { ContentReader } from './transport.ts';

const headSize = 2048;
/** Lines for the names of flags that users make. */
const flagLines = 30;
const pieceSize = 64 * 1024;

let drafts = 0;

/** What stands before the first message: a mark, when the mailbox was made and the last id that was given, no flags. */
function mailboxHead(): Buffer {
  const made = clock.seconds().toString(16).padStart(8, '0');
  const head = Buffer.alloc(headSize);
  head.write(`*mbx*\r\n${made}00000000\r\n${'\r\n'.repeat(flagLines)}`, 'latin1');
  return head;
}

/** A file that nobody else sees, and that goes when it is closed. */
function openDraft(): files.Descriptor {
  const number = concat(
    decimal(process.pid),
    literal('.'),
    decimal(drafts++),
    literal('.'),
    decimal(clock.microseconds()),
  );
  const path = concat(literal('/tmp/.tabella-mbx.'), number);
  const file = files.open(path, files.createNew | files.noFollow);
  files.removeIfPossible(path);
  return file;
}

async function copy(from: files.Descriptor, to: files.Descriptor): Promise<void> {
  const piece = Buffer.allocUnsafe(pieceSize);
  for (let at = 0; ; ) {
    const count = files.readAt(from, piece, at);
    if (count === 0) return;
    await files.writeLater(to, piece.subarray(0, count));
    at += count;
  }
}

/** Appends a message to an open mailbox. Its size stands before it, so it is written to a file of its own first. */
export async function writeMbxMessage(
  job: AppendfileJob,
  content: ContentReader,
  mailbox: files.Descriptor,
  isEmpty: boolean,
): Promise<void> {
  const draft = openDraft();
  try {
    const size = await writeMessage(job, content, draft);
    if (isEmpty) files.write(mailbox, mailboxHead());
    files.write(mailbox, `${mbxDate(clock.now())},${size};000000000000-00000000\r\n`);
    await copy(draft, mailbox);
  } finally {
    files.close(draft);
  }
}
