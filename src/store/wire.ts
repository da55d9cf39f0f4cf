/**
 * Messages as they are sent: each line ends with CR and LF, whatever stands in the file, and so does the last one. Here is
 * counted and made what a reader is told and sent, by the same rules.
 */

const lf = 0x0a;
const cr = 0x0d;

/** Counts the octets of a message as it is sent. */
export class WireCount {
  #octets = 0;
  #last = lf;

  take(piece: Uint8Array): void {
    if (piece.length === 0) return;
    let bare = 0;
    for (let at = piece.indexOf(lf); at >= 0; at = piece.indexOf(lf, at + 1)) {
      if ((at === 0 ? this.#last : piece[at - 1]) !== cr) bare++;
    }
    this.#octets += piece.length + bare;
    this.#last = piece[piece.length - 1] ?? lf;
  }

  get octets(): number {
    return this.#last === lf ? this.#octets : this.#octets + 2;
  }
}

/** Makes the octets of a message as it is sent. */
export class WireText {
  #last = '\n';

  take(piece: Buffer): string {
    const text = piece.toString('latin1');
    if (text === '') return '';
    const afterCr = this.#last === '\r' && text.startsWith('\n');
    this.#last = text.slice(-1);
    if (!piece.includes(cr) && !afterCr) return text.replaceAll('\n', '\r\n');
    const rest = afterCr ? text.slice(1) : text;
    return `${afterCr ? '\n' : ''}${rest.replace(/(?<!\r)\n/g, '\r\n')}`;
  }

  /** What has to stand behind the last piece. */
  end(): string {
    return this.#last === '\n' ? '' : '\r\n';
  }
}
