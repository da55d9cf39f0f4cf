/** A message of the queue, in the hands of the one process that works on it. */

import * as files from '../safe/files.ts';
import { type Clean, literal, pathOf, type QueueId } from '../safe/taint.ts';
import type { Envelope } from './envelope.ts';
import { writeHeaders } from './header-file.ts';
import { directoryMode, fileMode, type Spool } from './spool.ts';

/** Where the body of a message is read from. */
export interface BodyFile {
  readonly file: files.Descriptor;
  /** Offset of the first octet of the body. */
  readonly start: number;
  /** Octets of the body. */
  readonly size: number;
}

function cutOff(path: Clean, length: number): void {
  const file = files.open(path, files.readWrite);
  try {
    files.truncate(file, length);
  } finally {
    files.close(file);
  }
}

/** A message of the queue that is locked by this process. */
export class SpooledMessage {
  readonly envelope: Envelope;
  readonly body: BodyFile;
  readonly #spool: Spool;
  /** Whether it was just received: then no journal and no message log can be on the disk. */
  readonly #fresh: boolean;
  #journal: files.Descriptor | undefined;
  #journalSize = 0;
  #log = '';
  #released = false;

  constructor(spool: Spool, envelope: Envelope, body: BodyFile, fresh: boolean) {
    this.#spool = spool;
    this.envelope = envelope;
    this.body = body;
    this.#fresh = fresh;
  }

  get id(): QueueId {
    return this.envelope.id;
  }

  #path(suffix: Clean): Clean {
    if (this.#fresh) return this.#spool.newPath(literal('input'), this.id, suffix);
    return (
      this.#spool.existingPath(literal('input'), this.id, suffix) ??
      this.#spool.newPath(literal('input'), this.id, suffix)
    );
  }

  /** Takes the addresses of a journal that a crash left behind for done. */
  recoverJournal(): void {
    const path = this.#spool.existingPath(literal('input'), this.id, literal('-J'));
    if (path === undefined) return;
    const text = files.readText(path);
    const end = text.lastIndexOf('\n') + 1;
    // the part of a line that a full disk or a crash left must not become part of the next address
    if (end < text.length) cutOff(path, end);
    for (const line of text.slice(0, end).split('\n').slice(0, -1)) this.envelope.nonRecipients.add(line);
  }

  /** Notes that these addresses are done; returns when that is on the disk. */
  async noteDelivered(addresses: readonly string[]): Promise<void> {
    for (const address of addresses) this.envelope.nonRecipients.add(address);
    if (this.#journal === undefined) {
      const path = this.#path(literal('-J'));
      this.#journal =
        files.linkStat(path) === undefined
          ? this.#spool.create(path)
          : files.open(path, files.createOrAppend, fileMode);
      this.#journalSize = files.statOpen(this.#journal).size;
    }
    const lines = addresses.map((address) => `${address.replaceAll('\n', '?')}\n`).join('');
    try {
      files.write(this.#journal, lines);
    } catch (error) {
      files.truncate(this.#journal, this.#journalSize);
      throw error;
    }
    this.#journalSize += lines.length;
    await files.sync(this.#journal);
  }

  /** Writes a line to the log of this message; it reaches the disk only if the message stays. */
  log(line: string): void {
    if (this.#spool.settings.messageLogs) this.#log += line;
  }

  /** Writes the envelope anew, and drops the journal that it now contains. */
  async update(): Promise<void> {
    await writeHeaders(this.#spool, this.#path(literal('-H')), this.envelope);
    this.#dropJournal();
  }

  #dropJournal(): void {
    if (this.#journal !== undefined) files.close(this.#journal);
    this.#journal = undefined;
    files.removeIfPossible(this.#path(literal('-J')));
  }

  /** Removes the message: nothing is left to do. */
  remove(): void {
    const { messageLogs, preserveMessageLogs } = this.#spool.settings;
    if (preserveMessageLogs) this.#keepLog();
    // without its -H file it is no message any more, whatever a crash leaves of the rest
    files.removeIfPossible(this.#path(literal('-H')));
    files.removeIfPossible(this.#path(literal('-D')));
    if (this.#journal !== undefined || !this.#fresh) this.#dropJournal();
    const log = messageLogs && !this.#fresh ? this.#spool.existingPath(literal('msglog'), this.id) : undefined;
    if (log !== undefined) files.removeIfPossible(log);
    this.#log = '';
    this.release();
  }

  #keepLog(): void {
    this.#flushLog();
    const path = this.#spool.existingPath(literal('msglog'), this.id);
    if (path === undefined) return;
    const old = pathOf(this.#spool.settings.directory, literal('msglog.OLD'));
    files.makeDirectory(old, directoryMode);
    files.rename(path, pathOf(old, this.id));
  }

  #flushLog(): void {
    if (this.#log !== '') this.#spool.appendMessageLog(this.id, this.#log);
    this.#log = '';
  }

  /** Gives the lock up; others may work on the message. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    try {
      this.#flushLog();
    } catch {
      // the main log has the same lines, and no mail depends on these
    }
    if (this.#journal !== undefined) files.close(this.#journal);
    files.close(this.body.file);
  }
}
