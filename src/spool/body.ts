/** The body of a message on its way, wherever it lies: in its -D file, or, while it is small and new, in memory. */

import * as files from '../safe/files.ts';

export interface Body {
  /** Octets. */
  readonly size: number;
  /** Reads into `buffer` from the octet `at`; 0 behind the end. */
  readAt(buffer: Uint8Array, at: number): number;
  /** The same for large pieces: other work goes on meanwhile. */
  readLater(buffer: Uint8Array, at: number): Promise<number>;
}

/** A body that begins at the octet `start` of an open file. */
export function bodyInFile(file: files.Descriptor, start: number, size: number): Body {
  const wanted = (buffer: Uint8Array, at: number): Uint8Array => buffer.subarray(0, Math.max(size - at, 0));
  return {
    size,
    readAt: (buffer, at) => files.readAt(file, wanted(buffer, at), start + at),
    readLater: (buffer, at) => files.readLater(file, wanted(buffer, at), start + at),
  };
}

export function bodyInMemory(octets: Buffer): Body {
  const readAt = (buffer: Uint8Array, at: number): number => {
    const piece = octets.subarray(at, at + buffer.length);
    buffer.set(piece);
    return piece.length;
  };
  return { size: octets.length, readAt, readLater: async (buffer, at) => readAt(buffer, at) };
}

/** The line in front of the body in a -D file. */
export function firstLine(id: string): string {
  return `${id}-D\n`;
}
