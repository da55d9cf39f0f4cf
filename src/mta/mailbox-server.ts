/** What a process does that opens mailboxes with the rights of their owner (`mailbox-process.ts`), until its input ends. */

import { errorText } from '../lib/errno.ts';
import type { Mailbox } from '../store/mailbox.ts';
import { openMailbox } from '../store/open.ts';
import { FrameReader, frame } from './frames.ts';
import { type Asked, listPart, mostAhead } from './mailbox-questions.ts';

/** Answers questions until there are no more. */
export async function serveMailboxes(
  input: AsyncIterable<Buffer>,
  write: (octets: Buffer) => Promise<void>,
): Promise<void> {
  const mailboxes = new Map<number, Mailbox>();
  const underway = new Set<Promise<void>>();
  const reader = new FrameReader(input);
  for (let next = await reader.next(); next !== undefined; next = await reader.next()) {
    const work = answer(next as Asked, mailboxes)
      .then(write)
      .finally(() => underway.delete(work));
    underway.add(work);
  }
  await Promise.allSettled(underway);
  for (const mailbox of mailboxes.values()) mailbox.close();
}

async function answer(asked: Asked, mailboxes: Map<number, Mailbox>): Promise<Buffer> {
  const { number } = asked;
  try {
    const { value, octets } = await valueOf(asked, mailboxes);
    const head = frame({ number, value, size: octets?.length ?? 0 });
    return octets === undefined ? head : Buffer.concat([head, octets]);
  } catch (error) {
    const failed = { outcome: 'failed', message: errorText(error), lasting: false };
    return frame({ number, value: asked.what === 'list' ? [] : failed, size: 0 });
  }
}

async function valueOf(
  asked: Asked,
  mailboxes: Map<number, Mailbox>,
): Promise<{ readonly value: unknown; readonly octets?: Buffer }> {
  if (asked.what === 'open') {
    const opened = await openMailbox(asked.place);
    if (opened.outcome !== 'opened') return { value: opened };
    mailboxes.set(asked.mailbox, opened.mailbox);
    const { messages, unreadable } = opened.mailbox;
    return { value: { outcome: 'opened', count: messages.length, unreadable } };
  }
  const mailbox = mailboxes.get(asked.mailbox);
  if (mailbox === undefined) throw new Error('no such mailbox is open');
  switch (asked.what) {
    case 'list':
      return { value: mailbox.messages.slice(asked.from, asked.from + listPart) };
    case 'read':
      return readPieces(mailbox, asked.message, asked.position, asked.ahead);
    case 'commit':
      return { value: await mailbox.commit(asked.changes) };
    case 'close':
      mailboxes.delete(asked.mailbox);
      mailbox.close();
      return { value: 'closed' };
  }
}

/** The piece that was asked for, and small messages behind it: a question takes longer than reading them. */
async function readPieces(
  mailbox: Mailbox,
  message: number,
  position: number,
  ahead: boolean,
): Promise<{ readonly value: unknown; readonly octets?: Buffer }> {
  const first = await mailbox.read(message, position);
  if (first.outcome === 'gone') return { value: [] };
  const value = [{ size: first.octets.length, isLast: first.isLast }];
  if (!ahead || !first.isLast) return { value, octets: first.octets };
  const octets = [Buffer.from(first.octets)];
  let room = mostAhead;
  for (let next = message + 1; ; next++) {
    const listed = mailbox.messages[next];
    if (listed === undefined || listed.octets > room) break;
    room -= listed.octets;
    // that it cannot be read is told when somebody asks for it
    const piece = await mailbox.read(next, 0).catch(() => undefined);
    if (piece?.outcome !== 'read' || !piece.isLast) break;
    value.push({ size: piece.octets.length, isLast: true });
    octets.push(Buffer.from(piece.octets));
  }
  return { value, octets: Buffer.concat(octets) };
}
