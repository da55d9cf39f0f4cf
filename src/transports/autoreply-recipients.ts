/** Takes those out of the recipients of an answer that must never get one (`never_mail`, Exim spec 27.1). */

import type { Context } from '../expand/context.ts';
import { trim } from '../lib/octets.ts';
import { matchTemplate } from '../lists/option.ts';
import { addressItems, parseAddress } from '../mail/address.ts';
import type { ListOption } from '../options/kinds.ts';
import { give } from './expanding.ts';

/** The list of addresses without those; nothing when none is left. @throws Unprepared */
export async function withoutNeverMail(
  text: string | undefined,
  neverMail: ListOption,
  context: Context,
): Promise<string | undefined> {
  if (text === undefined) return undefined;
  const items = addressItems(text);
  let kept = '';
  let at = 0;
  for (const [index, { start, end }] of items.entries()) {
    // an item goes with the blanks in front of it and the comma behind it
    const next = items[index + 1];
    const comma = next === undefined ? -1 : text.indexOf(',', end);
    const stop = next === undefined ? text.length : comma < 0 || comma > next.start ? end : comma + 1;
    if (!(await isListed(text.slice(start, end), neverMail, context))) kept += text.slice(at, stop);
    else if (next === undefined) kept = kept.replace(/,[ \t\r\n]*$/, '');
    at = stop;
  }
  return trim(kept) === '' ? undefined : kept;
}

async function isListed(item: string, neverMail: ListOption, context: Context): Promise<boolean> {
  const parsed = parseAddress(item);
  if ('error' in parsed || parsed.address === '') return false;
  const answer = await matchTemplate(neverMail, parsed.address, context);
  if (answer.outcome === 'defer') return give(`never_mail could not be looked through: ${answer.message}`);
  return answer.outcome === 'match';
}
