/** A message on its way onto the spool. */

import * as files from '../safe/files.ts';
import { tryLock } from '../safe/native.ts';
import { type Clean, literal, type QueueId } from '../safe/taint.ts';
import { type Body, bodyInFile, bodyInMemory, firstLine } from './body.ts';
import type { Envelope } from './envelope.ts';
import { writeHeaders } from './header-file.ts';
import type { Spool } from './spool.ts';
import { SpooledMessage } from './spooled-message.ts';

/** Bodies up to this size are kept in memory until the end of reception and written at once. */
const memoryLimit = 64 * 1024;

/** A message being received. Its body comes in pieces; nothing is promised before `commit`. */
export class NewMessage {
  readonly id: QueueId;
  #spool: Spool;
  #dataPath: Clean;
  #file: files.Descriptor | undefined;
  #pending: Uint8Array[] = [];
  #pendingSize = 0;
  /** Octets of the body so far. */
  size = 0;

  constructor(spool: Spool, id: QueueId) {
    this.#spool = spool;
    this.id = id;
    this.#dataPath = spool.newPath(literal('input'), id, literal('-D'));
    this.#add(Buffer.from(firstLine(id), 'latin1'));
  }

  /** Chooses the queue that it will be on, which may change until it is committed. */
  chooseQueue(queue: Clean): void {
    if (queue === this.#spool.queue) return;
    const old = this.#dataPath;
    this.#spool = this.#spool.named(queue);
    this.#dataPath = this.#spool.newPath(literal('input'), this.id, literal('-D'));
    if (this.#file === undefined) return;
    this.#spool.makeParent(this.#dataPath);
    files.rename(old, this.#dataPath);
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
    const file = await this.writeFiles(envelope);
    const body = bodyInFile(file, firstLine(this.id).length, this.size);
    return new SpooledMessage(this.#spool, envelope, { body, file, state: 'new' });
  }

  /**
   * Hands the message out for a first attempt to deliver it, before anything of it is on the disk; nothing when it is
   * too large for that. Nobody may be promised anything before `SpooledMessage.safe`.
   */
  hold(envelope: Envelope): SpooledMessage | undefined {
    if (this.#file !== undefined) return undefined;
    const octets = Buffer.concat(this.#pending).subarray(firstLine(this.id).length);
    const save = (): Promise<files.Descriptor> => this.writeFiles(envelope);
    return new SpooledMessage(this.#spool, envelope, { body: bodyInMemory(octets), save });
  }

  /** Writes both files; answers the locked -D file when they are on the disk. */
  async writeFiles(envelope: Envelope): Promise<files.Descriptor> {
    const file = this.#open();
    if (this.#pendingSize > 0) files.write(file, Buffer.concat(this.#pending));
    this.#pending = [];
    this.#pendingSize = 0;
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
    return file;
  }

  /** The body as it has come, for those who read it before it is on the queue. */
  async body(): Promise<Body> {
    const head = firstLine(this.id).length;
    if (this.#file === undefined) return bodyInMemory(Buffer.concat(this.#pending).subarray(head));
    if (this.#pendingSize > 0) await this.#flush();
    return bodyInFile(this.#file, head, this.size);
  }

  /** Hands out the body so far, in pieces; for telling the sender of a message that is refused. */
  async readBack(write: (piece: Buffer) => Promise<void> | undefined): Promise<void> {
    const head = firstLine(this.id).length;
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
