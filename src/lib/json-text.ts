/**
 * JSON taken apart as text: elements are handed on as they were written, and nothing is checked that is not asked for
 * (Exim spec 9.3 json, 11.5 extract json, 11.7 forany_json).
 */

import { trim, trimStart } from './octets.ts';

export type JsonPieces = { readonly items: readonly string[] } | { readonly missing: string };

/** The elements of an array or the members of an object, split at the commas that belong to it. */
function split(text: string, open: '[' | '{', close: ']' | '}'): JsonPieces {
  let at = /^[ \t-\r]*/.exec(text)?.[0].length ?? 0;
  const what = open === '[' ? 'array' : 'object';
  if (text[at] !== open) return { missing: `missing '${open}' wrapping ${what}` };
  const items: string[] = [];
  let depth = 0;
  let start = ++at;
  for (; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      at++;
      while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
    } else if (character === '[' || character === '{') {
      depth++;
    } else if (depth > 0 && (character === ']' || character === '}')) {
      depth--;
    } else if (depth === 0 && (character === ',' || character === close)) {
      items.push(trimStart(text.slice(start, at)));
      start = at + 1;
      if (character === close) {
        return { items: items.length === 1 && items[0] === '' ? [] : items };
      }
    }
  }
  return { missing: `missing '${close}' wrapping ${what}` };
}

/** The elements of an array. */
export function jsonElements(text: string): JsonPieces {
  return split(text, '[', ']');
}

/** Where the closing quote stands of the string that begins the text; -1 when it has none. */
function endOfString(text: string): number {
  for (let at = 1; at < text.length; at++) {
    if (text[at] === '"') return at;
    if (text[at] === '\\') at++;
  }
  return -1;
}

/** The value of the member of that name; `value` is undefined when the object has none. */
export function jsonMember(
  text: string,
  wanted: string,
): { readonly value: string | undefined } | { readonly missing: string } {
  const members = split(text, '{', '}');
  if ('missing' in members) return members;
  for (const member of members.items) {
    const end = member.startsWith('"') ? endOfString(member) : -1;
    if (end < 0) return { missing: `missing '"' wrapping string key` };
    const value = trimStart(member.slice(end + 1));
    if (!value.startsWith(':')) return { missing: 'missing object value-separator' };
    if (member.slice(1, end) === wanted) return { value: trimStart(value.slice(1)) };
  }
  return { value: undefined };
}

/** The characters of a JSON string, without its quotes; nothing when the text is no JSON string. */
export function jsonString(text: string): string | undefined {
  const trimmed = trim(text);
  return trimmed.length >= 2 && trimmed.startsWith('"') && trimmed.endsWith('"') ? trimmed.slice(1, -1) : undefined;
}
