/** A message of the queue, in the hands of the one process that works on it. */

import * as files from '../safe/files.ts';
import { type Clean, literal, pathOf, type QueueId } from '../safe/taint.ts';
import type { Body } from './body.ts';
import type { Envelope } from './envelope.ts';
import { writeHeaders } from './header-file.ts';
import { moveFiles } from './move-files.ts';
import { fileMode, type Spool } from './spool.ts';

/** Where a message comes from: the queue, reception, or reception without anything of it on the disk. */
type Origin =
  | { readonly body: Body; readonly file: files.Descriptor; readonly state: 'queued' | 'new' }
  | { readonly body: Body; readonly save: () => Promise<files.Descriptor> };

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
  readonly body: Body;
  readonly #spool: Spool;
  /** Whether it was just received: then no journal and no message log can be on the disk. */
  readonly #fresh: boolean;
  /** The locked -D file. */
  #file: files.Descriptor | undefined;
  /** Writes it to the disk, while it is in memory alone. */
  #save: (() => Promise<files.Descriptor>) | undefined;
  #saving: Promise<void> | undefined;
  #journal: files.Descriptor | undefined;
  #journalSize = 0;
  #log = '';
  #removed = false;
  #released = false;
  #settle: { readonly resolve: () => void; readonly reject: (error: unknown) => void } | undefined;
  /** Resolves when the message is on the disk, or all of its recipients have it. */
  readonly safe: Promise<void>;

  constructor(spool: Spool, envelope: Envelope, origin: Origin) {
    this.#spool = spool;
    this.envelope = envelope;
    this.body = origin.body;
    this.#fresh = 'save' in origin || origin.state === 'new';
    this.#file = 'file' in origin ? origin.file : undefined;
    this.#save = 'save' in origin ? origin.save : undefined;
    if (this.#save === undefined) {
      this.safe = Promise.resolve();
      return;
    }
    this.safe = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // whoever promised something waits for it; nobody else has to
    this.safe.catch(() => undefined);
  }

  /** Puts a message that is in memory alone on the disk, with what has become of it so far. */
  makeSafe(): Promise<void> {
    const save = this.#save;
    if (save === undefined || this.#removed) return Promise.resolve();
    this.#saving ??= save().then(
      (file) => {
        this.#file = file;
        this.#save = undefined;
        // all is done meanwhile: the files go again
        if (this.#removed) this.#removeFiles();
        else if (this.#released) this.#closeFile();
        this.#settle?.resolve();
      },
      (error: unknown) => {
        this.#settle?.reject(error);
        throw error;
      },
    );
    return this.#saving;
  }

  get id(): QueueId {
    return this.envelope.id;
  }

  /** The queue that it is on; empty for the default queue. */
  get queue(): Clean {
    return this.#spool.queue;
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
    // nobody was promised anything yet: a client that hears nothing sends the message again
    if (this.#save !== undefined && this.#saving === undefined) return;
    await this.#saving;
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
    if (this.#save !== undefined && this.#saving === undefined) {
      await this.makeSafe();
      return;
    }
    await this.#saving;
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
    this.#removed = true;
    if (this.#save === undefined) this.#removeFiles();
    else if (this.#saving === undefined) this.#settle?.resolve();
    const log = messageLogs && !this.#fresh ? this.#spool.existingPath(literal('msglog'), this.id) : undefined;
    if (log !== undefined) files.removeIfPossible(log);
    this.#log = '';
    this.release();
  }

  /** Moves it, and its log, to where no queue run looks for it (move_frozen_messages); then it is released. */
  setAside(): void {
    this.#flushLog();
    const spool = this.#spool;
    const places = [
      ['msglog', 'Fmsglog', ''],
      ['input', 'Finput', '-D'],
      ['input', 'Finput', '-H'],
    ] as const;
    for (const [from, to, suffix] of places) {
      const path = spool.existingPath(literal(from), this.id, literal(suffix));
      if (path === undefined) continue;
      const place = spool.newPath(literal(to), this.id, literal(suffix));
      spool.makeParent(place);
      files.rename(path, place);
    }
    this.release();
  }

  /** Moves it, and its log, to another queue; then it is released. What is known of a broken delivery goes with it. */
  async moveTo(queue: Clean): Promise<void> {
    try {
      this.#flushLog();
      if (this.#spool.existingPath(literal('input'), this.id, literal('-J')) !== undefined) await this.update();
      await moveFiles(this.id, this.#spool, this.#spool.named(queue));
    } finally {
      this.release();
    }
  }

  #removeFiles(): void {
    // without its -H file it is no message any more, whatever a crash leaves of the rest
    files.removeIfPossible(this.#path(literal('-H')));
    files.removeIfPossible(this.#path(literal('-D')));
    if (this.#journal !== undefined || !this.#fresh) this.#dropJournal();
    this.#closeFile();
  }

  #closeFile(): void {
    if (this.#file !== undefined) files.close(this.#file);
    this.#file = undefined;
  }

  #keepLog(): void {
    this.#flushLog();
    const path = this.#spool.existingPath(literal('msglog'), this.id);
    if (path === undefined) return;
    const old = this.#spool.place(literal('msglog.OLD'));
    const place = pathOf(old, this.id);
    this.#spool.makeParent(place);
    files.rename(path, place);
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
    this.#journal = undefined;
    this.#closeFile();
  }
}
