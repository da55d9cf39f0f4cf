/** A message as BDAT transmits it (RFC 3030): lines end with CRLF, and nothing is stuffed. */

/** Encodes a message piece by piece; LF ends a line, every other octet is kept as it is. */
export class ChunkEncoder {
  #atLineStart = true;

  encode(piece: Buffer): Buffer {
    if (piece.length === 0) return piece;
    const text = piece.toString('latin1');
    this.#atLineStart = text.endsWith('\n');
    return Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1');
  }

  /** The end of the last line, if that is missing. */
  end(): string {
    return this.#atLineStart ? '' : '\r\n';
  }
}
