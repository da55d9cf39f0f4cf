/**
 * Moves the files of a message from one queue of the spool to another (`-MG`), so that a crash at any point leaves it on
 * just one of them: the body gets a second name, then the -H file changes its place in one step, and with it the message.
 * What a crash leaves is a body without a -H file, which `leftovers.ts` removes. The lock of the body holds for both names.
 */

import * as files from '../safe/files.ts';
import { type Clean, literal, type QueueId } from '../safe/taint.ts';
import type { Spool } from './spool.ts';

/** A message that cannot be moved; it is where it was. */
export class NotMoved extends Error {}

/** @throws NotMoved, and errors of the system; the message is then where it was. */
export async function moveFiles(id: QueueId, from: Spool, to: Spool): Promise<void> {
  const [input, msglog] = [literal('input'), literal('msglog')];
  const place = (kind: Clean, suffix: Clean) => ({
    old: from.existingPath(kind, id, suffix),
    new: to.newPath(kind, id, suffix),
  });
  const body = place(input, literal('-D'));
  const header = place(input, literal('-H'));
  if (body.old === undefined || header.old === undefined) throw new NotMoved('No such file or directory');
  if (to.existingPath(input, id, literal('-H')) !== undefined) throw new NotMoved('File exists');
  to.makeParent(body.new);
  // a crash may have left it when this was tried before
  files.removeIfPossible(body.new);
  files.makeLink(body.old, body.new);
  await syncAround(body.new);
  files.rename(header.old, header.new);
  await syncAround(header.new);
  await syncAround(header.old);
  files.removeIfPossible(body.old);
  const log = place(msglog, literal(''));
  if (log.old === undefined) return;
  to.makeParent(log.new);
  files.rename(log.old, log.new);
}

async function syncAround(path: Clean): Promise<void> {
  await files.syncDirectory(files.parentOf(path) ?? literal('.'));
}
