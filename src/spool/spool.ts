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
import { type Clean, concat, literal, pathOf, type QueueId, queueId, reviewed } from '../safe/taint.ts';
import type { Envelope } from './envelope.ts';
import { DamagedSpoolFile, readHeaderFile, writeHeaderFile } from './format.ts';
import { newId } from './id.ts';
import { removeLeftovers } from './leftovers.ts';

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

const fileMode = 0o640;
const directoryMode = 0o750;
/** Bodies up to this size are kept in memory until the end of reception and written at once. */
const memoryLimit = 64 * 1024;
const maximumHeaderFile = 256 * 1024 * 1024;

/** Where the body of a message is read from. */
export interface BodyFile {
  readonly file: files.Descriptor;
  /** Offset of the first octet of the body. */
  readonly start: number;
  /** Octets of the body. */
  readonly size: number;
}

export type OpenResult =
  | { readonly outcome: 'open'; readonly message: SpooledMessage }
  | { readonly outcome: 'locked' }
  | { readonly outcome: 'gone' }
  | { readonly outcome: 'damaged'; readonly message: string };

export class Spool {
  readonly settings: SpoolSettings;

  constructor(settings: SpoolSettings) {
    this.settings = settings;
  }

  /** The directory that holds the files of a message, below `kind`; made when it is missing. */
  #directory(kind: Clean, id: QueueId): Clean {
    const whole = pathOf(this.settings.directory, kind);
    return this.settings.split ? pathOf(whole, splitName(id)) : whole;
  }

  /** The file of a message as new ones are named. */
  newPath(kind: Clean, id: QueueId, ...suffix: readonly Clean[]): Clean {
    return pathOf(this.#directory(kind, id), concat(id, ...suffix));
  }

  /** The file of a message where it is, whether the spool was split when it came or not. */
  existingPath(kind: Clean, id: QueueId, ...suffix: readonly Clean[]): Clean | undefined {
    const name = concat(id, ...suffix);
    const whole = pathOf(this.settings.directory, kind);
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
      const start = id.length + '-D\n'.length;
      const size = Math.max(files.statOpen(file).size - start, 0);
      const message = new SpooledMessage(this, envelope, { file, start, size }, false);
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
    const input = pathOf(this.settings.directory, literal('input'));
    yield input;
    for (const name of splitNames) {
      const directory = pathOf(input, name);
      if (files.stat(directory)?.isDirectory()) yield directory;
    }
  }

  /** Removes what crashes left, when it is older than a day. */
  async tidy(now: number): Promise<void> {
    await removeLeftovers(this.#inputDirectories(), 24 * 3600_000, now);
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
      this.#makeParent(path);
      file = make();
    }
    if (this.settings.owner) files.setOwner(file, this.settings.owner.uid, this.settings.owner.gid);
    return file;
  }

  /** Makes the directories that are needed later, while this process may still make them anywhere. */
  prepare(): void {
    for (const name of [literal('input'), literal('msglog'), literal('db')]) {
      this.#makeParent(pathOf(this.settings.directory, name, literal('any')));
    }
  }

  #makeParent(path: Clean): void {
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

/** A message being received. Its body comes in pieces; nothing is promised before `commit`. */
export class NewMessage {
  readonly id: QueueId;
  readonly #spool: Spool;
  readonly #dataPath: Clean;
  #file: files.Descriptor | undefined;
  #pending: Uint8Array[] = [];
  #pendingSize = 0;
  /** Octets of the body so far. */
  size = 0;

  constructor(spool: Spool, id: QueueId) {
    this.#spool = spool;
    this.id = id;
    this.#dataPath = spool.newPath(literal('input'), id, literal('-D'));
    this.#add(Buffer.from(`${id}-D\n`, 'latin1'));
  }

  #add(chunk: Uint8Array): void {
    this.#pending.push(chunk);
    this.#pendingSize += chunk.length;
  }

  /** Takes a piece of the body; large bodies go to the disk as they come. The octets are not copied. */
  write(chunk: Uint8Array): Promise<void> | undefined {
    this.size += chunk.length;
    this.#add(chunk);
    return this.#pendingSize > memoryLimit ? this.#flush() : undefined;
  }

  async #flush(): Promise<void> {
    const pieces = this.#pending;
    this.#pending = [];
    this.#pendingSize = 0;
    await files.writeAllLater(this.#open(), pieces);
  }

  #open(): files.Descriptor {
    if (this.#file === undefined) {
      this.#file = this.#spool.create(this.#dataPath);
      tryLock(this.#file);
    }
    return this.#file;
  }

  /** Puts the message on the queue; returns when it is safe there, locked and ready to be delivered. */
  async commit(envelope: Envelope): Promise<SpooledMessage> {
    const file = this.#open();
    if (this.#pendingSize > 0) files.write(file, Buffer.concat(this.#pending));
    this.#pending = [];
    const path = this.#spool.newPath(literal('input'), this.id, literal('-H'));
    try {
      await writeHeaders(this.#spool, path, envelope, files.sync(file));
    } catch (error) {
      // it may have its name already; then it must not be delivered when the client is told to try again
      files.removeIfPossible(path);
      throw error;
    }
    // from here on the message holds the file
    this.#file = undefined;
    const start = this.id.length + '-D\n'.length;
    return new SpooledMessage(this.#spool, envelope, { file, start, size: this.size }, true);
  }

  /** Hands out the body so far, in pieces; for telling the sender of a message that is refused. */
  async readBack(write: (piece: Buffer) => Promise<void> | undefined): Promise<void> {
    const head = this.id.length + '-D\n'.length;
    let skip = head;
    if (this.#file !== undefined) {
      const written = files.statOpen(this.#file).size;
      for (let at = head; at < written; ) {
        const buffer = Buffer.allocUnsafe(Math.min(memoryLimit, written - at));
        const count = files.readAt(this.#file, buffer, at);
        if (count === 0) break;
        await write(buffer.subarray(0, count));
        at += count;
      }
      skip = 0;
    }
    for (const piece of this.#pending) {
      const from = Math.min(skip, piece.length);
      skip -= from;
      if (from < piece.length) await write(Buffer.from(piece.subarray(from)));
    }
  }

  /** Gives the message up. */
  abandon(): void {
    this.#pending = [];
    if (this.#file === undefined) return;
    files.removeIfPossible(this.#dataPath);
    files.close(this.#file);
    this.#file = undefined;
  }
}

/** Writes the -H file beside its place, syncs it together with what else is to be synced, and puts it there. */
async function writeHeaders(spool: Spool, path: Clean, envelope: Envelope, other?: Promise<void>): Promise<void> {
  const directory = files.parentOf(path) ?? literal('.');
  const beside = pathOf(directory, concat(literal('hdr.'), envelope.id));
  // when this fails its caller closes the other file, so nothing may be at work on it any more
  const otherEnded = Promise.allSettled([other]);
  try {
    const file = createAnew(spool, beside);
    try {
      files.write(file, writeHeaderFile(envelope));
      await files.sync(file);
    } finally {
      files.close(file);
    }
    await other;
    files.rename(beside, path);
    await files.syncDirectory(directory);
  } catch (error) {
    files.removeIfPossible(beside);
    await otherEnded;
    throw error;
  }
}

/** Makes a file; one that a crash has left in its place goes. */
function createAnew(spool: Spool, path: Clean): files.Descriptor {
  try {
    return spool.create(path);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    files.removeIfPossible(path);
    return spool.create(path);
  }
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
