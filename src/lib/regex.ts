/**
 * Regular expressions of configurations, filters and mail: PCRE2 on octets, with limits on steps, depth and memory, so
 * that no pattern can stop the server (Exim spec 8). JavaScript's own RegExp has no such bound and is never given text
 * from outside the program.
 */

import { loadPcre2, type Pcre2, type Pointer, wordsAt } from '../safe/native.ts';
import { Cache } from './lru.ts';

const caseless = 0x00000008;
const utf = 0x00080000;
const jitComplete = 1;
const notEmptyAtStart = 0x00000008;
const anchored = 0x80000000;
const noMatch = -1;
const unset = 0xffffffff;

const matchLimit = 1_000_000;
const depthLimit = 10_000;
const heapLimitKilobytes = 20_000;

export interface RegexOptions {
  readonly caseless?: boolean;
  readonly utf8?: boolean;
}

/** Why a pattern is no regular expression, and at which octet that was seen. */
export class RegexSyntaxError extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** A match went over a limit, or the subject was no valid UTF-8: neither a match nor none. */
export class RegexLimit extends Error {}

/** Where the pattern matched, and the captured substrings; a group that took no part is undefined. */
export interface Match {
  readonly start: number;
  readonly end: number;
  readonly groups: readonly (string | undefined)[];
}

interface Library {
  readonly pcre2: Pcre2;
  readonly context: Pointer;
}

let library: Library | undefined;

function open(): Library {
  if (library === undefined) {
    const pcre2 = loadPcre2();
    const context = pcre2.makeMatchContext(null);
    pcre2.setMatchLimit(context, matchLimit);
    pcre2.setDepthLimit(context, depthLimit);
    pcre2.setHeapLimit(context, heapLimitKilobytes);
    library = { pcre2, context };
  }
  return library;
}

function message(pcre2: Pcre2, code: number): string {
  const buffer = Buffer.alloc(256);
  const length = pcre2.errorMessage(code, buffer, buffer.length);
  return buffer.toString('latin1', 0, Math.max(length, 0));
}

const released = new FinalizationRegistry<{ code: Pointer; data: Pointer }>(({ code, data }) => {
  const { pcre2 } = open();
  pcre2.freeMatchData(data);
  pcre2.free(code);
});

function compile(pcre2: Pcre2, pattern: string, flags: number): Pointer {
  // an empty buffer would arrive as no pattern at all
  const octets = Buffer.from(`${pattern}\0`, 'latin1');
  const error: [number] = [0];
  const offset: [number] = [0];
  const code = pcre2.compile(octets, octets.length - 1, flags, error, offset, null);
  if (code === null) throw new RegexSyntaxError(message(pcre2, error[0]), Number(offset[0]));
  pcre2.jitCompile(code, jitComplete);
  return code;
}

/** The last long subject: a search that goes on in it must not copy it for every match. */
let lastSubject = { text: '', octets: Buffer.alloc(0) };

function octetsOf(text: string): Buffer {
  if (text.length < 256) return Buffer.from(text, 'latin1');
  if (lastSubject.text !== text) lastSubject = { text, octets: Buffer.from(text, 'latin1') };
  return lastSubject.octets;
}

/** A compiled pattern. A call is synchronous, so one block of match data serves all calls. */
export class Regex {
  readonly #code: Pointer;
  readonly #data: Pointer;
  /** Pairs of 64-bit offsets; the low word of each is enough, as no subject reaches 4 GB. */
  readonly #offsets: Uint32Array;
  readonly groupCount: number;

  constructor(pattern: string, options: RegexOptions = {}) {
    const { pcre2 } = open();
    this.#code = compile(pcre2, pattern, (options.caseless ? caseless : 0) | (options.utf8 ? utf : 0));
    this.#data = pcre2.makeMatchData(this.#code, null);
    this.groupCount = pcre2.offsetPairs(this.#data) - 1;
    this.#offsets = wordsAt(pcre2.offsets(this.#data), 16 * (this.groupCount + 1));
    released.register(this, { code: this.#code, data: this.#data });
  }

  /** Runs the match; answers how many pairs of offsets were set, 0 for no match. */
  #run(octets: Buffer, start: number, flags: number): number {
    const { pcre2, context } = open();
    const result = pcre2.match(this.#code, octets, octets.length, start, flags, this.#data, context);
    if (result < noMatch) throw new RegexLimit(`regular expression: ${message(pcre2, result)}`);
    return Math.max(result, 0);
  }

  /** The first match at or after octet `start`; throws RegexLimit when the limits were reached. */
  match(subject: string, start = 0, options: { readonly notEmptyHere?: boolean } = {}): Match | undefined {
    const flags = options.notEmptyHere ? (notEmptyAtStart | anchored) >>> 0 : 0;
    const pairs = this.#run(octetsOf(subject), start, flags);
    if (pairs === 0) return undefined;
    const groups: (string | undefined)[] = [];
    for (let i = 0; i <= this.groupCount; i++) {
      const from = this.#offsets[4 * i] ?? unset;
      groups.push(i < pairs && from !== unset ? subject.slice(from, this.#offsets[4 * i + 2]) : undefined);
    }
    return { start: this.#offsets[0] ?? 0, end: this.#offsets[2] ?? 0, groups };
  }

  /** Whether the pattern matches anywhere; cheaper than `match`. */
  test(subject: string): boolean {
    return this.#run(Buffer.from(subject, 'latin1'), 0, 0) > 0;
  }
}

const compiled = new Cache<string, Regex>(500);

/** The compiled pattern, kept among the most recently used. Throws RegexSyntaxError. */
export function regex(pattern: string, options: RegexOptions = {}): Regex {
  const key = `${options.caseless ? 'i' : ''}${options.utf8 ? 'u' : ''}/${pattern}`;
  let found = compiled.get(key);
  if (found === undefined) {
    found = new Regex(pattern, options);
    compiled.set(key, found);
  }
  return found;
}
