/** The content of one MIME part: as it came, and decoded into a file (Exim spec 45.4). */

import type { ExaminedPart } from '../acl/examined-part.ts';
import type { TakePiece } from '../acl/message-copy.ts';
import type { MimeFacts } from '../expand/content-facts.ts';
import { errorCode } from '../lib/errno.ts';
import { decoderFor } from '../mail/mime-decoder.ts';
import type { MimeLines } from '../mail/mime-lines.ts';
import { contentOf, type MimePart } from '../mail/mime-walk.ts';
import * as files from '../safe/files.ts';
import { type Clean, clean, concat, literal, paddedDecimal, pathOf, Text } from '../safe/taint.ts';
import type { RemovableCopy } from './message-copy.ts';

/** Octets that are written at once. */
const pieceSize = 64 * 1024;
const fileMode = 0o640;

/** What the parts of a message share. */
export interface ContentTools {
  readonly copy: RemovableCopy;
  /** The next number for the name of a file, by directory. */
  readonly numbers: Map<Clean, number>;
  complain(text: string): void;
}

export class MimeContent implements ExaminedPart {
  readonly #part: MimePart;
  readonly #lines: MimeLines;
  readonly #facts: MimeFacts;
  readonly #tools: ContentTools;
  /** Where it was decoded to. */
  file: Clean | undefined;

  constructor(part: MimePart, lines: MimeLines, facts: MimeFacts, tools: ContentTools) {
    this.#part = part;
    this.#lines = lines;
    this.#facts = facts;
    this.#tools = tools;
  }

  async readRaw(take: TakePiece): Promise<void> {
    for await (const line of contentOf(this.#part, this.#lines)) await take(Buffer.from(line, 'latin1'));
  }

  async decode(where: Text): Promise<boolean> {
    const { directory } = await this.#tools.copy.file();
    const place = where.value === '' ? literal('') : clean(where);
    if (place === undefined) {
      const name = where.value.startsWith('/') ? where.value : `${directory}/${where.value}`;
      this.#facts.decodedFilename = Text.tainted(name);
      this.#tools.complain(`Tainted filename '${name}'`);
      return false;
    }
    const path = this.#pathFor(place, directory);
    this.#facts.decodedFilename = Text.vouched(path);
    const file = this.#open(path);
    if (file === undefined) return false;
    if (files.parentOf(path) === directory) this.#tools.copy.add(path);
    try {
      await this.#decodeInto(file);
    } finally {
      files.close(file);
    }
    this.file = path;
    return true;
  }

  async decoded(octets: number): Promise<string | undefined> {
    if (this.file === undefined && !(await this.decode(Text.empty))) return undefined;
    if (this.file === undefined) return undefined;
    const file = files.open(this.file);
    try {
      const buffer = Buffer.allocUnsafe(octets);
      return buffer.toString('latin1', 0, files.readAt(file, buffer, 0));
    } finally {
      files.close(file);
    }
  }

  async #decodeInto(file: files.Descriptor): Promise<void> {
    const decoder = decoderFor(this.#part.header.contentTransferEncoding);
    let pieces: Buffer[] = [];
    let waiting = 0;
    let size = 0;
    const add = (piece: Buffer): void => {
      pieces.push(piece);
      waiting += piece.length;
      size += piece.length;
    };
    const flush = async (): Promise<void> => {
      const octets = Buffer.concat(pieces);
      pieces = [];
      waiting = 0;
      await files.writeLater(file, octets);
    };
    for await (const line of contentOf(this.#part, this.#lines)) {
      add(decoder.push(line));
      if (waiting >= pieceSize) await flush();
    }
    add(decoder.end());
    await flush();
    this.#facts.contentSize = Math.ceil(size / 1024);
    this.#facts.anomaly = decoder.anomaly;
  }

  /** The file that `place` says: itself, or one whose name has the next free number, in a directory. */
  #pathFor(place: Clean, directory: Clean): Clean {
    const isDirectory = place === '' || (place.startsWith('/') && files.stat(place)?.isDirectory());
    if (!isDirectory) return place.startsWith('/') ? place : pathOf(directory, place);
    const parent = place === '' ? directory : place;
    const { copy, numbers } = this.#tools;
    for (let number = numbers.get(parent) ?? 0; ; number++) {
      const path = pathOf(parent, concat(copy.id, literal('-'), paddedDecimal(number, 5)));
      numbers.set(parent, number);
      if (files.linkStat(path) === undefined) return path;
    }
  }

  #open(path: Clean): files.Descriptor | undefined {
    try {
      const isNew = files.stat(path) === undefined;
      const file = files.open(path, files.createOrOpen, fileMode);
      files.truncate(file, 0);
      if (isNew) this.#tools.copy.own(path);
      return file;
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      return undefined;
    }
  }
}
