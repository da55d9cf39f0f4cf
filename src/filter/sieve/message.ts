/**
 * What a Sieve script can ask of the message (RFC 5228 §2.4.2.2, §5): header lines, their addresses, size and envelope.
 * Each header is looked at once; `spend` is told of the octets.
 */

import type { Context } from '../../expand/context.ts';
import { lower, trimEnd } from '../../lib/octets.ts';
import { parseAddress, splitAddressList } from '../../mail/address.ts';
import { decodeWords } from '../../mail/encoded-word.ts';
import { headerBody, headerName } from '../../mail/header-line.ts';

/** The most that one header is taken for, as in expansions. */
const longestHeader = 64 * 1024;

export class SieveMessage {
  readonly #context: Context;
  readonly #spend: (octets: number) => void;
  #raw: Map<string, string> | undefined;
  readonly #values = new Map<string, string>();
  readonly #addresses = new Map<string, readonly string[]>();

  constructor(context: Context, spend: (octets: number) => void) {
    this.#context = context;
    this.#spend = spend;
  }

  get size(): number {
    return this.#context.message?.size ?? 0;
  }

  get sender(): string {
    return this.#context.message?.sender ?? '';
  }

  has(name: string): boolean {
    return this.#lines.has(lower(name));
  }

  /** The lines of that name as one text in UTF-8: unfolded, encoded words decoded. Nothing when there are none. */
  header(name: string): string | undefined {
    const wanted = lower(name);
    const known = this.#values.get(wanted);
    if (known !== undefined) return known;
    const unfolded = this.#unfolded(wanted);
    if (unfolded === undefined) return undefined;
    const value = decodeWords(unfolded, {
      checkLength: this.#context.settings.checkRfc2047Length,
      charset: 'utf-8',
      nul: '\0',
    });
    this.#values.set(wanted, value);
    return value;
  }

  /** The addresses in the lines of that name; what is no address is passed over. */
  addresses(name: string): readonly string[] {
    const wanted = lower(name);
    const known = this.#addresses.get(wanted);
    if (known !== undefined) return known;
    const found = splitAddressList(this.#unfolded(wanted) ?? '').flatMap((item) => {
      const parsed = parseAddress(item, { allowDomainLiterals: 'any' });
      return 'error' in parsed ? [] : [parsed.address];
    });
    this.#addresses.set(wanted, found);
    return found;
  }

  #unfolded(name: string): string | undefined {
    const raw = this.#lines.get(name);
    if (raw === undefined) return undefined;
    this.#spend(raw.length);
    return trimEnd(raw.replace(/^[ \t]+/, '').replace(/\r?\n/g, ''));
  }

  /** The bodies of header lines by their names in lower case, those with the same name behind each other. */
  get #lines(): ReadonlyMap<string, string> {
    if (this.#raw !== undefined) return this.#raw;
    const bodies = new Map<string, string[]>();
    for (const { type, text } of this.#context.message?.headers ?? []) {
      if (type === '*') continue;
      const name = lower(headerName(text));
      const earlier = bodies.get(name);
      if (earlier === undefined) bodies.set(name, [headerBody(text)]);
      else earlier.push(headerBody(text));
    }
    this.#raw = new Map([...bodies].map(([name, texts]) => [name, texts.join('').slice(0, longestHeader)]));
    return this.#raw;
  }
}
