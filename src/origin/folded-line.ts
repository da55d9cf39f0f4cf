/** Header lines made of tags, folded as Exim folds those of DKIM. */

/** A line of the header section may have so many octets. */
const lineLength = 78;

/** Writes the tags of a header line one after the other, in lines that are not too long. */
export class Folded {
  #text: string;
  #column: number;

  constructor(text: string) {
    this.#text = text;
    this.#column = text.length;
  }

  get text(): string {
    return this.#text;
  }

  #put(text: string): void {
    this.#text += text;
    this.#column += text.length;
  }

  #fold(): void {
    this.#text += '\n\t';
    this.#column = 1;
  }

  /** A tag with its mark. */
  tag(word: string): void {
    this.word(word, ' ');
    this.mark(';');
  }

  /** The tag `h`: names with colons between them. */
  names(names: readonly string[]): void {
    names.forEach((name, i) => {
      if (i > 0) this.mark(':');
      this.word(i === 0 ? `h=${name}` : name, i === 0 ? ' ' : '');
    });
    this.mark(';');
  }

  /** A mark that ends what stands before it. */
  mark(mark: ';' | ':'): void {
    if (this.#column + 1 > lineLength) this.#fold();
    this.#put(mark);
  }

  /** A word that is not to be broken unless it is longer than a line; `between` stands in front of it where no line ends. */
  word(word: string, between: ' ' | ''): void {
    const fits = this.#column + between.length + word.length <= lineLength;
    if (fits) {
      this.#put(between + word);
      return;
    }
    if (word.length < lineLength) {
      this.#fold();
      this.#put(word);
      return;
    }
    const tag = word.indexOf('=') + 1;
    if (this.#column + between.length + tag > lineLength) this.#fold();
    else this.#put(between);
    for (let at = 0; at < word.length; ) {
      if (this.#column >= lineLength) this.#fold();
      const piece = word.slice(at, at + lineLength - this.#column);
      this.#put(piece);
      at += piece.length;
    }
  }
}
