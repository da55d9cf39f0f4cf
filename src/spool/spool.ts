/**
 * The spool: messages on their way, each a -D file (body) and a -H file (envelope, state and header lines), and while it
 * is delivered perhaps a -J file (journal) (Exim spec 57).
 *
 * States of a message, by the files there are:
 *
 *   -D alone            being received, or being removed: nobody is waiting for it; left by a crash, it is removed when
 *                       it is old (`leftovers.ts`)
 *   -D and hdr.ID       the same, just before the end of the reception
 *   -D and -H           accepted: on the queue
 *   -D, -H and -J       a delivery is going on, or broke off: the addresses in -J are done
 *
 * Guarantees: `commit` returns when both files and their names are on the disk. `noteDelivered` returns when the
 * addresses are in the journal; it is called before anything else is done with the result of a delivery. Whoever works
 * on a message holds the lock of its -D file. One body serves all recipients.
 */

import { errorCode } from '../lib/errno.ts';
import * as files from '../safe/files.ts';
import { tryLock } from '../safe/native.ts';
import { type Clean, concat, literal, pathOf, type QueueId, queueId, queueName, reviewed } from '../safe/taint.ts';
import { bodyInFile, firstLine } from './body.ts';
import type { Envelope } from './envelope.ts';
import { DamagedSpoolFile, readHeaderFile } from './format.ts';
import { newId } from './id.ts';
import { removeLeftovers } from './leftovers.ts';
import { NewMessage } from './new-message.ts';
import { SpooledMessage } from './spooled-message.ts';

export interface SpoolSettings {
  readonly directory: Clean;
  /** split_spool_directory: a subdirectory for each last letter of the time in the id. */
  readonly split: boolean;
  readonly hostNumber: number;
  /** Files made by root get this owner. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  readonly messageLogs: boolean;
  readonly preserveMessageLogs: boolean;
}

export const fileMode = 0o640;
export const directoryMode = 0o750;
const maximumHeaderFile = 256 * 1024 * 1024;

export type OpenResult =
  | { readonly outcome: 'open'; readonly message: SpooledMessage }
  | { readonly outcome: 'locked' }
  | { readonly outcome: 'gone' }
  | { readonly outcome: 'damaged'; readonly message: string };

export class Spool {
  readonly settings: SpoolSettings;
  /** The name of this queue; empty for the default queue. */
  readonly queue: Clean;
  /** What holds its directories. */
  readonly #home: Clean;

  constructor(settings: SpoolSettings, queue: Clean = literal('')) {
    this.settings = settings;
    this.queue = queue;
    this.#home = queue === '' ? settings.directory : pathOf(settings.directory, queue);
  }

  /** Another queue of the same spool. */
  named(queue: Clean): Spool {
    return queue === this.queue ? this : new Spool(this.settings, queue);
  }

  /** All queues that there are or were: the default one, and each that has a directory for messages. */
  *queues(): Generator<Spool> {
    yield this.named(literal(''));
    for (const name of files.listDirectories(this.settings.directory)) {
      const queue = queueName(name);
      if (queue === undefined || queue === '') continue;
      if (isDirectory(pathOf(this.settings.directory, queue, literal('input')))) yield this.named(queue);
    }
  }

  /** The directory of this queue for what belongs to no single message. */
  place(kind: Clean): Clean {
    return pathOf(this.#home, kind);
  }

  /** The directory that holds the files of a message, below `kind`; made when it is missing. */
  #directory(kind: Clean, id: QueueId): Clean {
    const whole = pathOf(this.#home, kind);
    return this.settings.split ? pathOf(whole, splitName(id)) : whole;
  }

  /** The file of a message as new ones are named. */
  newPath(kind: Clean, id: QueueId, ...suffix: readonly Clean[]): Clean {
    return pathOf(this.#directory(kind, id), concat(id, ...suffix));
  }

  /** The file of a message where it is, whether the spool was split when it came or not. */
  existingPath(kind: Clean, id: QueueId, ...suffix: readonly Clean[]): Clean | undefined {
    const name = concat(id, ...suffix);
    const whole = pathOf(this.#home, kind);
    const places = [pathOf(whole, name), pathOf(whole, splitName(id), name)];
    if (this.settings.split) places.reverse();
    return places.find((path) => files.linkStat(path) !== undefined);
  }

  /** Begins the reception of a message. */
  begin(): NewMessage {
    return new NewMessage(this, newId(this.settings.hostNumber));
  }

  /** Locks and reads a message of the queue. */
  open(id: QueueId): OpenResult {
    const path = this.existingPath(literal('input'), id, literal('-D'));
    if (path === undefined) return { outcome: 'gone' };
    let file: files.Descriptor;
    try {
      file = files.open(path, files.readWrite);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return { outcome: 'gone' };
      throw error;
    }
    if (!tryLock(file)) {
      files.close(file);
      return { outcome: 'locked' };
    }
    try {
      const envelope = this.read(id);
      if (envelope === undefined) {
        files.close(file);
        return { outcome: 'gone' };
      }
      const start = firstLine(id).length;
      const size = Math.max(files.statOpen(file).size - start, 0);
      const message = new SpooledMessage(this, envelope, {
        body: bodyInFile(file, start, size),
        file,
        state: 'queued',
      });
      message.recoverJournal();
      return { outcome: 'open', message };
    } catch (error) {
      files.close(file);
      if (error instanceof DamagedSpoolFile) return { outcome: 'damaged', message: error.message };
      throw error;
    }
  }

  /** The envelope of a message, without taking its lock. @throws DamagedSpoolFile */
  read(id: QueueId): Envelope | undefined {
    const path = this.existingPath(literal('input'), id, literal('-H'));
    if (path === undefined) return undefined;
    try {
      return readHeaderFile(id, files.readText(path, maximumHeaderFile));
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Removes a message whose files make no sense; false when somebody works on it. */
  removeDamaged(id: QueueId): boolean {
    const body = this.existingPath(literal('input'), id, literal('-D'));
    const file = body === undefined ? undefined : files.open(body, files.readWrite);
    try {
      if (file !== undefined && !tryLock(file)) return false;
      const paths = [literal('-H'), literal('-D'), literal('-J')].map((end) =>
        this.existingPath(literal('input'), id, end),
      );
      for (const path of [...paths, this.existingPath(literal('msglog'), id)]) {
        if (path !== undefined) files.removeIfPossible(path);
      }
      return true;
    } finally {
      if (file !== undefined) files.close(file);
    }
  }

  /** Octets of the whole message as the queue list shows it: body and header lines. */
  sizeOf(envelope: Envelope): number {
    const path = this.existingPath(literal('input'), envelope.id, literal('-D'));
    const data = path === undefined ? undefined : files.stat(path);
    const body = Math.max((data?.size ?? 0) - envelope.id.length - '-D\n'.length, 0);
    return envelope.headers.reduce((sum, { type, text }) => (type === '*' ? sum : sum + text.length), body);
  }

  /** The ids of all messages on the queue, in no order; memory does not grow with their number. */
  *ids(): Generator<QueueId> {
    for (const directory of this.#inputDirectories()) yield* idsIn(directory);
  }

  /** The directories with the files of messages, whether the spool is split or was. */
  *#inputDirectories(): Generator<Clean> {
    const input = pathOf(this.#home, literal('input'));
    yield input;
    for (const name of splitNames) {
      const directory = pathOf(input, name);
      if (files.stat(directory)?.isDirectory()) yield directory;
    }
  }

  /** Removes what crashes left in any queue, when it is older than a day. */
  async tidy(now: number): Promise<void> {
    for (const queue of this.queues()) await removeLeftovers(queue.#inputDirectories(), 24 * 3600_000, now);
  }

  /** How many messages are on the queue. */
  count(): number {
    let count = 0;
    for (const _ of this.ids()) count++;
    return count;
  }

  /** Opens a file of the spool to be made, and the directory above it when it is missing. */
  create(path: Clean): files.Descriptor {
    const make = (): files.Descriptor => files.open(path, files.createNew, fileMode);
    let file: files.Descriptor;
    try {
      file = make();
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      this.makeParent(path);
      file = make();
    }
    if (this.settings.owner) files.setOwner(file, this.settings.owner.uid, this.settings.owner.gid);
    return file;
  }

  /** Makes the directories that are needed later, while this process may still make them anywhere. */
  prepare(): void {
    for (const name of [literal('input'), literal('msglog')]) this.makeParent(pathOf(this.#home, name, literal('any')));
    this.makeParent(pathOf(this.settings.directory, literal('db'), literal('any')));
  }

  /** Makes the directories above a file of the spool. */
  makeParent(path: Clean): void {
    const { owner, directory } = this.settings;
    const make = (wanted: Clean): void => {
      const parent = files.parentOf(wanted);
      if (parent !== undefined && wanted !== directory && files.stat(parent) === undefined) make(parent);
      if (wanted === directory && parent !== undefined) files.makeDirectories(parent, 0o755);
      if (files.makeDirectory(wanted, directoryMode) && owner) files.setOwner(wanted, owner.uid, owner.gid);
    };
    const parent = files.parentOf(path);
    if (parent !== undefined) make(parent);
  }

  /** Adds lines to the log of one message (Exim spec 53.16). */
  appendMessageLog(id: QueueId, lines: string): void {
    const path = this.existingPath(literal('msglog'), id) ?? this.newPath(literal('msglog'), id);
    const file =
      files.linkStat(path) === undefined ? this.create(path) : files.open(path, files.createOrAppend, fileMode);
    try {
      files.write(file, lines);
    } finally {
      files.close(file);
    }
  }
}

/** Whether there is a directory that this server may look into. */
function isDirectory(path: Clean): boolean {
  try {
    return files.stat(path)?.isDirectory() === true;
  } catch (error) {
    if (errorCode(error) === 'EACCES') return false;
    throw error;
  }
}

/** The subdirectory of a split spool: the sixth letter of the id. */
function splitName(id: QueueId): Clean {
  return reviewed(id.slice(5, 6), 'a letter or digit of a message id');
}

const splitNames: readonly Clean[] = [...'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'].map((name) =>
  reviewed(name, 'a letter or digit of a literal'),
);

function* idsIn(directory: Clean): Generator<QueueId> {
  try {
    for (const name of files.list(directory)) {
      const id = name.endsWith('-H') ? queueId(name.slice(0, -2)) : undefined;
      if (id !== undefined) yield id;
    }
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}
