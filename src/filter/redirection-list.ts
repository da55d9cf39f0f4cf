/**
 * Redirection data that is no filter (Exim spec 22.4 - 22.6): a list of addresses, files, pipes and special items with
 * commas or newlines between them. Pure: `:include:` files are read by the function handed in.
 */

import { trim, trimStart } from '../lib/octets.ts';
import { endOfAddress, parseAddress } from '../mail/address.ts';

export type RedirectionItem =
  | { readonly kind: 'address'; readonly address: string; readonly qualified: boolean; readonly backslash: boolean }
  | { readonly kind: 'file' | 'pipe'; readonly text: string }
  | { readonly kind: 'blackhole' };

/** An item that is no address, and why. */
export interface SkippedItem {
  readonly message: string;
  readonly item: string;
}

export type RedirectionResult =
  | { readonly outcome: 'list'; readonly items: readonly RedirectionItem[]; readonly skipped: readonly SkippedItem[] }
  /** All the text behind `:fail:` or `:defer:`, of several lines, too; items before it count. */
  | { readonly outcome: 'fail' | 'defer'; readonly message: string; readonly items: readonly RedirectionItem[] }
  | { readonly outcome: 'discard' }
  /** A mistake, in Exim's words. */
  | { readonly outcome: 'error'; readonly message: string };

export interface RedirectionRules {
  readonly allowFail: boolean;
  readonly allowDefer: boolean;
  readonly forbidBlackhole: boolean;
  readonly forbidInclude: boolean;
  /** Malformed addresses are passed over and told in `skipped`. */
  readonly skipSyntaxErrors: boolean;
  readonly allowDomainLiterals: boolean | 'any';
  /** Octets above 127 may stand in domains. */
  readonly utf8Domain?: boolean;
  /** The text of an included file, or why there is none. */
  readonly include: (name: string) => { readonly text: string } | { readonly error: string };
}

const maximumItems = 50_000;
const maximumIncludes = 20;

class Stop {
  readonly result: RedirectionResult;
  constructor(result: RedirectionResult) {
    this.result = result;
  }
}

class ListReader {
  readonly items: RedirectionItem[] = [];
  readonly skipped: SkippedItem[] = [];
  readonly #rules: RedirectionRules;
  #includes = 0;

  constructor(rules: RedirectionRules) {
    this.#rules = rules;
  }

  read(text: string): void {
    let at = 0;
    for (;;) {
      at = skipToItem(text, at);
      if (at >= text.length) return;
      const special = /^:(blackhole|fail|defer|include):/.exec(text.slice(at, at + 12));
      if (special !== null) {
        const end = itemEnd(text, at);
        const rest = text.slice(at + special[0].length);
        if (special[1] !== 'include') this.#special(special[1] ?? '', rest, trim(text.slice(at, end)));
        this.#include(trim(text.slice(at + special[0].length, end)));
        at = end;
        continue;
      }
      const end = itemEnd(text, at);
      this.#item(trim(text.slice(at, end)));
      at = end;
      if (this.items.length > maximumItems) {
        throw new Stop({ outcome: 'error', message: `too many items in redirection data (more than ${maximumItems})` });
      }
    }
  }

  #special(word: string, rest: string, item: string): never {
    const message = trimStart(rest).replace(/\n+$/, '');
    const { allowFail, allowDefer, forbidBlackhole } = this.#rules;
    const permitted = { blackhole: !forbidBlackhole, fail: allowFail, defer: allowDefer }[word] ?? false;
    if (!permitted) throw new Stop({ outcome: 'error', message: `"${item}" is not permitted` });
    switch (word) {
      case 'fail':
      case 'defer':
        throw new Stop({ outcome: word, message, items: this.items });
      default:
        throw new Stop({ outcome: 'discard' });
    }
  }

  #include(name: string): void {
    const fail = (message: string): Stop => new Stop({ outcome: 'error', message });
    if (this.#rules.forbidInclude) throw fail('included files not permitted');
    if (name === '') throw fail('file name missing after :include:');
    if (!name.startsWith('/')) throw fail(`included file "${name}" is not an absolute path`);
    if (++this.#includes > maximumIncludes) throw fail(`more than ${maximumIncludes} included files`);
    const included = this.#rules.include(name);
    if ('error' in included) throw fail(included.error);
    this.read(included.text);
  }

  #item(raw: string): void {
    const item = unquoted(raw);
    // it says that there is no address, and other items may follow; Exim takes the beginning of the word for it
    if (item !== '' && ':unknown:'.startsWith(item)) return;
    if (item === ':blackhole:') this.#special('blackhole', '', item);
    const backslash = item.startsWith('\\');
    const text = backslash ? item.slice(1) : item;
    const { allowDomainLiterals, utf8Domain = false } = this.#rules;
    const parsed = parseAddress(text, { allowDomainLiterals, utf8Domain });
    const isAddress = !('error' in parsed) && parsed.domain !== undefined;
    if (!isAddress && !backslash && /^[|/]/.test(item)) {
      this.items.push({ kind: item.startsWith('|') ? 'pipe' : 'file', text: item });
      return;
    }
    if ('error' in parsed) {
      if (parsed.error === 'empty address') return;
      if (!this.#rules.skipSyntaxErrors) throw new Stop({ outcome: 'error', message: `${parsed.error} in "${text}"` });
      this.skipped.push({ message: parsed.error, item: text });
      return;
    }
    this.items.push({ kind: 'address', address: parsed.address, qualified: parsed.domain !== undefined, backslash });
  }
}

/** Where the next item begins: behind blanks, commas, newlines and comments. */
function skipToItem(text: string, from: number): number {
  let at = from;
  for (;;) {
    at += /^[ \t-\r,]*/.exec(text.slice(at))?.[0].length ?? 0;
    if (text[at] !== '#') return at;
    const newline = text.indexOf('\n', at);
    if (newline < 0) return text.length;
    at = newline + 1;
  }
}

/** Where an item ends: at a comma or newline that stands outside quotes and comments. */
function itemEnd(text: string, at: number): number {
  const end = endOfAddress(text, at);
  let quoted = false;
  for (let i = at; i < end; i++) {
    const character = text[i];
    if (character === '\\') i++;
    else if (character === '"') quoted = !quoted;
    else if (character === '\n' && !quoted) return i;
  }
  return end;
}

/** An item that is wholly in double quotes, without them. */
function unquoted(item: string): string {
  const inner = /^"((?:[^"\\]|\\.)*)"$/s.exec(item)?.[1];
  return inner === undefined ? item : trim(inner.replace(/\\(.)/gs, '$1'));
}

/** Reads redirection data. */
export function readRedirectionList(text: string, rules: RedirectionRules): RedirectionResult {
  const reader = new ListReader(rules);
  try {
    reader.read(text);
  } catch (stop) {
    if (stop instanceof Stop) return stop.result;
    throw stop;
  }
  return { outcome: 'list', items: reader.items, skipped: reader.skipped };
}
