/**
 * Items of Exim 3 lists as items of Exim 4. The old lists were looked at item by item: nothing in most of them was
 * expanded, the thing looked for was `$key` in queries, and an address list tried the domain before the address.
 */

import { splitList } from '../../lib/list-text.ts';
import { trimStart } from '../../lib/octets.ts';

/** What a list is matched against; `address` of a sender or of a recipient. */
export type OldListKind = 'domain' | 'sender host' | 'host' | 'sender' | 'recipient' | 'local part';

const keys: Readonly<Record<OldListKind, string>> = {
  domain: 'domain',
  'sender host': 'sender_host_address',
  host: 'host_address',
  sender: 'sender_address',
  recipient: 'local_part@$domain',
  'local part': 'local_part',
};

/** How the list is used: one that lets in, or one that keeps out. It decides what becomes of hosts without a name. */
export type Purpose = 'accept' | 'reject' | 'other';

export interface NewList {
  readonly text: string;
  /** What was changed, for remarks. */
  readonly changes: readonly string[];
  /** Items that Exim 4 cannot express. */
  readonly problems: readonly string[];
}

/** Query-style lookups, whose text was expanded once more with `$key`. */
const query = /^(dnsdb|ibase|ldap|ldapdn|ldapm|mysql|nisplus|oracle|pgsql|whoson)[ \t]*;/;

/** A regular expression that is taken as it stands. */
export const verbatim = (pattern: string): string => `\\N${pattern}\\N`;

/** Separators doubled, but not where an expansion takes them before the list is split. */
function quoteSeparators(item: string, separator: string): string {
  let depth = 0;
  let quoted = '';
  for (let at = 0; at < item.length; at++) {
    const character = item.charAt(at);
    if (item.startsWith('${', at)) depth++;
    else if (character === '}' && depth > 0) depth--;
    quoted += character === separator && depth === 0 ? separator + separator : character;
  }
  return quoted;
}

function withoutKey(item: string, kind: OldListKind): string {
  const type = query.exec(item)?.[1] ?? '';
  const quote = type.startsWith('ldap') ? 'ldap' : type;
  const name = keys[kind];
  const quoted = type === '' || type === 'dnsdb' || type === 'whoson' ? `$${name}` : `\${quote_${quote}:$${name}}`;
  return replaceKey(item, `$${name}`, quoted);
}

/** Puts something in the place of `$key`: `inner` where an operator quotes it already. */
export function replaceKey(text: string, inner: string, other: string): string {
  return text
    .replace(/(\$\{quote_[a-z0-9]+:)\$(?:key\b|\{key\})/g, (_, head: string) => head + inner)
    .replace(/\$(?:key\b|\{key\})/g, () => other);
}

/** Whether an item can only be decided with the name of the host. */
const needsName = (item: string): boolean => /^!?[ \t]*(?:\*.|\^|(?!net)[a-z0-9@*-]+;)/.test(item);

class Items {
  readonly changes = new Set<string>();
  readonly problems: string[] = [];
  readonly kind: OldListKind;
  readonly purpose: Purpose;
  /** The old option was expanded as a whole, so that its regular expressions are written for that. */
  readonly wasExpanded: boolean;

  constructor(kind: OldListKind, purpose: Purpose, wasExpanded: boolean) {
    this.kind = kind;
    this.purpose = purpose;
    this.wasExpanded = wasExpanded;
  }

  /** The items that stand for one. */
  convert(item: string): string[] {
    const negation = /^![ \t]*/.exec(item)?.[0] ?? '';
    const bare = item.slice(negation.length);
    const isHost = this.kind === 'sender host' || this.kind === 'host';
    if (isHost && /^\+(?:allow|warn)_unknown$/.test(bare)) return this.#unknown(bare);
    if (isHost && /^[^;/^]*@./.test(bare) && !bare.startsWith('@')) {
      // it stays, and matches nothing: without it, a list could end with a negated item, and match everything
      this.problems.push(`an ident value cannot be part of a host list: ${item}`);
      return [item];
    }
    if (bare.startsWith('^') && !this.wasExpanded) {
      this.changes.add('regular expressions stand in \\N...\\N, as lists are expanded');
      return [negation + verbatim(bare)];
    }
    const isAddress = this.kind === 'sender' || this.kind === 'recipient';
    const renewed = withoutKey(bare, this.kind);
    if (renewed !== bare) this.changes.add(`$key is $${keys[this.kind]}`);
    if (isAddress && /^(?:partial[0-9]*(?:\([^)]*\))?-)?[a-z]+\*?;/.test(renewed) && !query.test(renewed)) {
      this.changes.add('a table of addresses is asked for the domain first, with *@');
      return [`${negation}*@${renewed}`, negation + renewed];
    }
    return [negation + renewed];
  }

  #unknown(item: string): string[] {
    const now = this.purpose === 'accept' ? '+include_unknown' : '+ignore_unknown';
    this.changes.add(`${item} is ${now}`);
    return [now];
  }
}

/**
 * A list with more items. They stand at its end, or in front of one that ends with a negated item, which stands for
 * everything that it does not name.
 */
export function withItems(list: string, more: readonly string[]): string {
  if (more.length === 0) return list;
  const { items, separator } = splitList(list);
  if (items.length === 0) return more.join(' : ');
  const text = list.replace(/^[ \t]*<.[ \t]*/, '');
  const head = text === list ? '' : `<${separator} `;
  const isNegated = items.at(-1)?.startsWith('!') === true;
  const parts = isNegated ? [...more, text] : [text, ...more];
  return head + parts.join(` ${separator} `);
}

/** A whole list. `$` and `\` that were plain characters in the old list are made plain in the new one. */
export function convertList(text: string, kind: OldListKind, purpose: Purpose = 'other', wasExpanded = false): NewList {
  const start = trimStart(text);
  const { items, separator } = splitList(start);
  const found = new Items(kind, purpose, wasExpanded);
  const converted = items.flatMap((item) => found.convert(item));
  if (kind === 'sender host' && purpose === 'reject' && items.some(needsName)) {
    found.changes.add('a host without a name is kept out, as before');
    converted.unshift('+include_unknown');
  }
  if (found.changes.size === 0 && found.problems.length === 0) return { text, changes: [], problems: [] };
  const head = start.startsWith('<') ? start.slice(0, 2) : '';
  const joined = converted.map((item) => quoteSeparators(item, separator)).join(` ${separator} `);
  return { text: `${head === '' ? '' : `${head} `}${joined}`, changes: [...found.changes], problems: found.problems };
}
