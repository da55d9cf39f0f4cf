/** Lists as text: a separator that can be changed and doubled, blanks around items dropped (Exim spec 6.20 - 6.22). */

import { trimEnd } from './octets.ts';

export interface SplitList {
  readonly items: readonly string[];
  readonly separator: string;
}

const control = /^[\x01-\x1f\x7f]$/;

/** An item without the blanks behind it; the first one behind a backslash stays. */
export function trimItemEnd(item: string): string {
  const trimmed = trimEnd(item);
  const isEscaped = trimmed.length < item.length && trimmed.endsWith('\\');
  return isEscaped ? item.slice(0, trimmed.length + 1) : trimmed;
}

/** The items of a list; an empty last item is dropped, others are kept. */
export function splitList(text: string, standardSeparator = ':'): SplitList {
  let separator = standardSeparator;
  let at = /^[ \t-\r]*/.exec(text)?.[0].length ?? 0;
  if (text[at] === '<' && /^[!-/:-@[-`{-~\x01-\x1f\x7f]$/.test(text[at + 1] ?? '')) {
    separator = text[at + 1] ?? separator;
    at += 2;
  }
  const items: string[] = [];
  const doubled = !control.test(separator);
  while (at < text.length) {
    while (at < text.length && text[at] !== separator && /[ \t\n\r\v\f]/.test(text[at] ?? '')) at++;
    if (at >= text.length) break;
    let item = '';
    for (;;) {
      const end = text.indexOf(separator, at);
      if (end < 0) {
        item += text.slice(at);
        at = text.length;
        break;
      }
      item += text.slice(at, end);
      at = end + 1;
      if (!doubled || text[at] !== separator) break;
      item += separator;
      at++;
    }
    items.push(trimItemEnd(item));
  }
  return { items, separator };
}

/** An item with its separators doubled; an empty one becomes a blank, so that it is not lost. */
export function quoteItem(item: string, separator: string): string {
  return item === '' ? ' ' : item.replaceAll(separator, separator + separator);
}

/**
 * Items written one after the other as a list: separators in them doubled, and a blank before each later item that is
 * empty or begins with the separator, so that the list splits into the same items again.
 */
export function joinList(items: readonly string[], separator: string): string {
  return items
    .map((item, index) => {
      const quoted = item.replaceAll(separator, separator + separator);
      return index > 0 && (item === '' || item.startsWith(separator)) ? ` ${quoted}` : quoted;
    })
    .join(separator);
}
