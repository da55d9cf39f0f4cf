/**
 * Taint: which text may name a file, a program or a query.
 *
 * A plain `string` is untrusted everywhere in the program. `Clean` is a string that somebody vouched for; only `Clean`
 * opens files and names programs (`safe/files`, `safe/spawn`). `Text` is what the expansion language works with: a byte
 * string (one character per octet) that remembers, piece by piece, where it came from. The two doors from `Text` to a
 * proof are `clean` and `queryFor`; they answer nothing when the proof cannot be given, and the caller must handle that
 * (Exim spec 9.2, 11.9).
 *
 * This is the only file that asserts the brands; a test searches the tree for others.
 */

declare const cleanMark: unique symbol;
declare const queryMark: unique symbol;
declare const queueMark: unique symbol;

/** Text that the administrator (or the program itself) wrote, or that was found in the administrator's own data. */
export type Clean = string & { readonly [cleanMark]: true };

/** A query whose untrusted pieces were quoted for lookup driver `Driver`. */
export type QueryFor<Driver extends string> = string & { readonly [queryMark]: Driver };

/** The identification of a message on the queue: letters, digits and hyphens in one of Exim's two forms. */
export type QueueId = Clean & { readonly [queueMark]: true };

/** How a text may be used; joining takes the worse: clean, then quoted for one driver, then tainted. */
export type Taint = 'clean' | 'tainted' | `quoted:${string}`;

export interface Piece {
  readonly value: string;
  readonly taint: Taint;
}

function worse(a: Taint, b: Taint): Taint {
  if (a === b || b === 'clean') return a;
  return a === 'clean' ? b : 'tainted';
}

/** An immutable byte string that knows its taint. Made only by the functions of this class, each named by who vouches. */
export class Text {
  static readonly empty = new Text('', 'clean', undefined);

  readonly value: string;
  readonly taint: Taint;
  readonly #pieces: readonly Piece[] | undefined;

  private constructor(value: string, taint: Taint, pieces: readonly Piece[] | undefined) {
    this.value = value;
    this.taint = taint;
    this.#pieces = pieces;
  }

  /** Nothing at all names nothing: an empty text is clean, wherever it comes from. */
  static #of(value: string, taint: Taint): Text {
    return value === '' ? Text.empty : new Text(value, taint, undefined);
  }

  /** Text that stands in the configuration file, or that the program computed from nothing but such text. */
  static configured(value: string): Text {
    return Text.#of(value, 'clean');
  }

  /**
   * Text that a lookup found in data the administrator keeps, that a list match took from the list itself, that a program
   * of the configuration printed, or that stands in an environment variable the configuration keeps.
   */
  static vouched(value: string): Text {
    return Text.#of(value, 'clean');
  }

  /** Text from a network, a message or a caller. */
  static tainted(value: string): Text {
    return Text.#of(value, 'tainted');
  }

  /** Text after the quoting operator of lookup driver `driver`. Clean text stays clean. */
  static quoted(value: string, driver: string, from: Text): Text {
    return Text.#of(value, from.taint === 'clean' ? 'clean' : `quoted:${driver}`);
  }

  /** A value computed from `from` (a part, another case, a length …): it is as bad as what it came from. */
  static derived(value: string, from: Text): Text {
    if (value === from.value) return from;
    return Text.#of(value, from.taint);
  }

  /** A value computed from several texts: as bad as the worst of them. */
  static derivedFrom(value: string, from: readonly Text[]): Text {
    let taint: Taint = 'clean';
    for (const text of from) taint = worse(taint, text.taint);
    return Text.#of(value, taint);
  }

  /** One text after the other; every piece keeps its own taint. */
  static join(parts: readonly Text[]): Text {
    if (parts.length === 1) return parts[0] ?? Text.empty;
    let value = '';
    let taint: Taint = 'clean';
    let mixed = false;
    for (const part of parts) {
      // nothing at all makes nothing worse
      if (part.value === '') continue;
      const first = value === '';
      value += part.value;
      if (part.taint !== taint || part.#pieces !== undefined) {
        if (!first || part.#pieces !== undefined) mixed = true;
        taint = worse(taint, part.taint);
      }
    }
    if (!mixed) return Text.#of(value, taint);
    const pieces: Piece[] = [];
    for (const part of parts) if (part.value !== '') pieces.push(...part.pieces);
    return new Text(value, taint, pieces);
  }

  /** The parts of the text, each of one taint. */
  get pieces(): readonly Piece[] {
    return this.#pieces ?? [{ value: this.value, taint: this.taint }];
  }

  /** The text from octet `start` up to, not including, `end`, with the taint of those pieces it touches. */
  slice(start: number, end: number = this.value.length): Text {
    if (start === 0 && end >= this.value.length) return this;
    if (this.#pieces === undefined) return Text.derived(this.value.slice(start, end), this);
    const parts: Text[] = [];
    let at = 0;
    for (const piece of this.#pieces) {
      const from = Math.max(start - at, 0);
      const to = Math.min(end - at, piece.value.length);
      if (from < to) parts.push(new Text(piece.value.slice(from, to), piece.taint, undefined));
      at += piece.value.length;
    }
    return parts.length === 0 ? Text.empty : Text.join(parts);
  }

  get isClean(): boolean {
    return this.taint === 'clean';
  }

  toString(): string {
    return this.value;
  }
}

/** A literal of the program text itself; a variable does not compile here. */
export function literal<const S extends string>(value: string extends S ? never : S): Clean {
  return value as string as Clean;
}

/** The text as a proof, or nothing when any piece of it is untrusted. */
export function clean(text: Text): Clean | undefined {
  return text.isClean ? (text.value as Clean) : undefined;
}

/** The query, when each of its pieces is clean or was quoted for just this driver. */
export function queryFor<Driver extends string>(text: Text, driver: Driver): QueryFor<Driver> | undefined {
  return text.isClean || text.taint === `quoted:${driver}` ? (text.value as QueryFor<Driver>) : undefined;
}

/** A clean path or name made of clean parts, written one after the other. */
export function concat(...parts: readonly Clean[]): Clean {
  return parts.join('') as Clean;
}

/** `directory/name`, both clean. */
export function pathOf(directory: Clean, ...names: readonly Clean[]): Clean {
  return [directory, ...names].join('/') as Clean;
}

/** A decimal number is harmless in any name. */
export function decimal(value: number): Clean {
  return String(Math.trunc(value)) as Clean;
}

/** The same with zeros in front, so that it has at least so many digits. */
export function paddedDecimal(value: number, digits: number): Clean {
  return decimal(value).padStart(digits, '0') as Clean;
}

/** A message identification, when `value` has the form 6-6-2 or 6-11-4 in base 62 (Exim spec 3.4, 57). */
export function queueId(value: string): QueueId | undefined {
  return /^[0-9A-Za-z]{6}-(?:[0-9A-Za-z]{6}-[0-9A-Za-z]{2}|[0-9A-Za-z]{11}-[0-9A-Za-z]{4})$/.test(value)
    ? (value as QueueId)
    : undefined;
}

/** Stands where an identification must be and there is no message: no message was ever received at that time. */
export const noQueueId = '000000-000000-00' as QueueId;

/**
 * A name that is safe as one component of a path: not empty, no slash, no leading dot, no control characters, at most
 * 255 octets. It cannot leave the directory that it is joined to.
 */
export function pathComponent(value: string): Clean | undefined {
  return value.length > 0 && value.length <= 255 && !/^\.|[/\x00-\x1f\x7f]/.test(value) ? (value as Clean) : undefined;
}

/** The name of a queue: empty for the default queue, else that of its directory below the spool (Exim spec 44.19, queue). */
export function queueName(value: string): Clean | undefined {
  return value === '' ? literal('') : pathComponent(value);
}

/**
 * The one reviewed conversion: text from outside becomes clean because of the reason given, which must say why no harm
 * can come of it. Used for what a caller names on a command line that runs with the caller's own rights, and for values
 * that are checked by a rule of their own just before.
 */
export function reviewed(value: string, _reason: string): Clean {
  return value as Clean;
}
