/** Messages of the queue as they are on the disk, or as they would be sent: `-Mvh`, `-Mvb`, `-Mvl`, `-Mvc` (Exim spec 5). */

import { errorText } from '../../lib/errno.ts';
import * as files from '../../safe/files.ts';
import { type Clean, literal, type QueueId } from '../../safe/taint.ts';
import type { Spool } from '../../spool/spool.ts';
import type { Call } from '../call.ts';
import { openMessage } from './message-opening.ts';

const pieceSize = 64 * 1024;

interface File {
  readonly path: Clean;
  /** What is said of it when it cannot be opened. */
  readonly title: string;
}

const places: Readonly<Record<'-H' | '-D' | 'log', (id: QueueId, spool: Spool) => File>> = {
  '-H': (id, spool) => inputFile(id, literal('-H'), spool),
  '-D': (id, spool) => inputFile(id, literal('-D'), spool),
  log: (id, spool) => ({
    path: spool.existingPath(literal('msglog'), id) ?? spool.newPath(literal('msglog'), id),
    title: `msglog file for ${id}`,
  }),
};

function inputFile(id: QueueId, suffix: Clean, spool: Spool): File {
  return {
    path: spool.existingPath(literal('input'), id, suffix) ?? spool.newPath(literal('input'), id, suffix),
    title: `input file for ${id}${suffix}`,
  };
}

/** Shows one of the files of a message. */
export function viewFile(which: '-H' | '-D' | 'log') {
  return async ([id]: readonly QueueId[], others: readonly string[], call: Call): Promise<number> => {
    const { caller, terminal, runtime } = call;
    const complain = (text: string): number => {
      terminal.out(`${text}\n`);
      return 1;
    };
    if (others.length > 0) return complain('*** Only one message can be listed at once');
    if (!caller.isAdmin) return complain('Permission denied');
    if (id === undefined) return 1;
    const { path, title } = places[which](id, runtime.spool);
    let file: files.Descriptor;
    try {
      file = files.open(path);
    } catch (error) {
      return complain(`Failed to open ${title}: ${errorText(error)}`);
    }
    try {
      show((buffer, at) => files.readAt(file, buffer, at), terminal.out);
    } finally {
      files.close(file);
    }
    return 0;
  };
}

/** All that can be read, piece by piece. */
function show(read: (buffer: Buffer, at: number) => number, out: (text: string) => void): void {
  const buffer = Buffer.allocUnsafe(pieceSize);
  for (let at = 0; ; ) {
    const count = read(buffer, at);
    if (count === 0) return;
    out(buffer.toString('latin1', 0, count));
    at += count;
  }
}

/** `-Mvc`: header lines and body. */
export async function showMessage([id]: readonly QueueId[], _: readonly string[], call: Call): Promise<number> {
  const { terminal, caller } = call;
  if (id === undefined) return 1;
  const opening = openMessage(id, call);
  if ('obstacle' in opening) {
    terminal.out(`${opening.obstacle.text}\n`);
    return 1;
  }
  const { message } = opening;
  try {
    if (!caller.isAdmin) {
      terminal.out('Permission denied\n');
      return 1;
    }
    const { envelope, body } = message;
    for (const { type, text } of envelope.headers) if (type !== '*') terminal.out(text);
    terminal.out('\n');
    show((buffer, at) => body.readAt(buffer, at), terminal.out);
    return 0;
  } finally {
    message.release();
  }
}
