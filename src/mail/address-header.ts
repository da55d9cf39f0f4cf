/** Header lines that hold addresses: the addresses in them, read and replaced (RFC 5322 §3.6.2 - §3.6.6). */

import { type AddressOptions, addressItems, parseAddress } from './address.ts';
import { headerBody } from './header-line.ts';

/** Longer lines get a fold behind an address that was replaced, as Exim does. */
const comfortable = 40;

/** An address as it stands in a header line. */
export interface HeaderAddress {
  /** `local_part@domain`, or a local part alone. */
  readonly address: string;
  readonly qualified: boolean;
  /** With phrase and comments. */
  readonly text: string;
}

/** What takes the place of an address: another address, or a whole item with phrase and comments. */
export type Replacement = { readonly address: string } | { readonly item: string };

/** The addresses of a header line that can be read; others are passed over. */
export function headerAddresses(line: string, options: AddressOptions = {}): HeaderAddress[] {
  const body = headerBody(line);
  const found: HeaderAddress[] = [];
  for (const { start, end } of addressItems(body)) {
    const text = body.slice(start, end);
    const parsed = parseAddress(text.replace(/\n/g, ' '), options);
    if (!('error' in parsed) && parsed.address !== '') {
      found.push({ address: parsed.address, qualified: parsed.domain !== undefined, text });
    }
  }
  return found;
}

/** The item with another address in the place of its own. */
function withAddress(item: string, old: string, address: string): string {
  const open = item.lastIndexOf('<');
  const close = item.lastIndexOf('>');
  if (open >= 0 && close > open) return `${item.slice(0, open + 1)}${address}${item.slice(close)}`;
  const at = item.indexOf(old);
  return at < 0 ? address : `${item.slice(0, at)}${address}${item.slice(at + old.length)}`;
}

/** The line with each address replaced for which `replace` has something else; nothing when none was. */
export async function replaceAddresses(
  line: string,
  options: AddressOptions,
  replace: (found: HeaderAddress) => Promise<Replacement | undefined> | Replacement | undefined,
): Promise<string | undefined> {
  const head = line.length - headerBody(line).length;
  const body = line.slice(head);
  let text = line.slice(0, head);
  let copied = 0;
  let changed = false;
  for (const { start, end } of addressItems(body)) {
    const item = body.slice(start, end);
    const parsed = parseAddress(item.replace(/\n/g, ' '), options);
    if ('error' in parsed || parsed.address === '') continue;
    const found = { address: parsed.address, qualified: parsed.domain !== undefined, text: item };
    const replacement = await replace(found);
    if (replacement === undefined) continue;
    changed = true;
    text += body.slice(copied, start);
    text += 'item' in replacement ? replacement.item : withAddress(item, parsed.address, replacement.address);
    const separator = /^[ \t]*[,;]?[ \t]*/.exec(body.slice(end))?.[0] ?? '';
    text += separator;
    copied = end + separator.length;
    const follows = body[copied];
    const isLong = text.length - text.lastIndexOf('\n') - 1 > comfortable;
    if (isLong && follows !== undefined && follows !== '\n') text += '\n\t';
  }
  return changed ? text + body.slice(copied) : undefined;
}
