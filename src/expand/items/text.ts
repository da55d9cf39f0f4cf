/** Items that compute a text from texts: length, substr, hash, nhash, tr, listquote, hmac. */

import { crypto } from '../../lib/crypto.ts';
import { quoteItem } from '../../lib/list-text.ts';
import { Text } from '../../safe/taint.ts';
import type { Context } from '../context.ts';
import { type Item, plainItem } from '../evaluate.ts';
import { fail } from '../failure.ts';
import { hashText, integer32, numericHash, substring } from '../text-functions.ts';

/** Nothing at all is 0; the word for what was wanted depends on the item, not on the sign that it takes. */
function number(text: Text | undefined, item: string, sort: 'any' | 'first' | 'positive' = 'positive'): number {
  const value = text?.value ?? '';
  const isNumber = /^[+-]?\d*$/.test(value);
  const result = isNumber && /\d/.test(value) ? integer32(value) : 0;
  if (!isNumber || (sort !== 'any' && (value.startsWith('-') || result < 0))) {
    return fail(`"${value}" is not a ${sort === 'positive' ? 'positive ' : ''}number (in "${item}" expansion)`);
  }
  return result;
}

function translate(subject: Text, from: string, to: string): Text {
  if (to === '') return subject;
  const table = new Map([...from].map((character, i) => [character, to[Math.min(i, to.length - 1)] ?? '']));
  return Text.derived(
    subject.value.replace(/./gs, (character) => table.get(character) ?? character),
    subject,
  );
}

function hmac(args: readonly Text[]): Text {
  const [name = Text.empty, secret = Text.empty, text = Text.empty] = args;
  if (name.value !== 'md5' && name.value !== 'sha1') return fail(`hmac algorithm "${name.value}" is not recognised`);
  const digest = crypto()
    .createHmac(name.value, Buffer.from(secret.value, 'latin1'))
    .update(Buffer.from(text.value, 'latin1'));
  return Text.derivedFrom(digest.digest('hex'), args);
}

const item = (
  name: string,
  doc: string,
  minimum: number,
  maximum: number,
  evaluate: (args: readonly Text[], context: Context) => Text,
): Item => plainItem({ name, doc, minimum, maximum, evaluate });

export const textItems: readonly Item[] = [
  item('length', 'the first octets of a text', 2, 2, ([count, text = Text.empty]) =>
    text.slice(0, number(count, 'length')),
  ),
  item('substr', 'a part of a text by offset and length', 2, 3, (args) => {
    const text = args.at(-1) ?? Text.empty;
    return substring(text, number(args[0], 'substr', 'any'), args.length === 3 ? number(args[1], 'substr') : undefined);
  }),
  item('hash', 'a text of given length computed from a text', 2, 3, (args) =>
    hashText(
      args.at(-1) ?? Text.empty,
      number(args[0], 'hash', 'first'),
      args.length === 3 ? number(args[1], 'hash') : undefined,
    ),
  ),
  item('nhash', 'a number computed from a text', 2, 3, (args) =>
    numericHash(
      args.at(-1) ?? Text.empty,
      number(args[0], 'nhash', 'first'),
      args.length === 3 ? number(args[1], 'nhash') : undefined,
    ),
  ),
  item('tr', 'characters replaced one by one', 3, 3, ([subject = Text.empty, from = Text.empty, to = Text.empty]) =>
    translate(subject, from.value, to.value),
  ),
  item('listquote', 'a text as an item of a list', 2, 2, ([separator = Text.empty, text = Text.empty]) =>
    Text.derived(quoteItem(text.value, separator.value.slice(0, 1)), text),
  ),
  item('hmac', 'a message authentication code', 3, 3, hmac),
];
