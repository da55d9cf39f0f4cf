/** What a filter asks for as an address, file, command or letter that is delivered to (Exim spec 22, 47). */

import type { FilterAction } from '../filter/filter-outcome.ts';
import { parseAddress, splitAddressList } from '../mail/address.ts';
import { Text } from '../safe/taint.ts';
import type { Child } from './router.ts';

/** Which transport takes it, or why none does. */
export type FindTarget = (kind: 'file' | 'pipe' | 'reply', text: Text) => Promise<Pick<Child, 'transport' | 'refused'>>;

/** A letter to nobody: that is told in the log, and to no one else. */
const badReply = {
  outcome: 'failed',
  code: 0,
  message: 'filter autoreply generated syntactically invalid recipient',
} as const;

/** The addresses of a To: line, when all of them are some. */
function recipientsOf(to: string): readonly string[] | undefined {
  const found: string[] = [];
  for (const item of splitAddressList(to)) {
    const parsed = parseAddress(item.replace(/\n/g, ' '), { allowDomainLiterals: 'any' });
    if ('error' in parsed) return undefined;
    found.push(parsed.address);
  }
  return found.length === 0 ? undefined : found;
}

export async function childOf(action: FilterAction, target: FindTarget): Promise<Child> {
  const { kind, noError } = action;
  if (kind === 'reply') {
    const { reply } = action;
    const found = await target(kind, Text.empty);
    const recipients = recipientsOf(reply.to);
    return recipients === undefined
      ? { kind, text: '>**bad-reply**', clean: false, noError: true, ...found, refused: badReply }
      : { kind, text: `>${recipients.join(',')}`, clean: false, reply, noError, ...found };
  }
  const { value, isClean } = action.text;
  switch (kind) {
    case 'address':
      return { kind, text: value, clean: isClean, errorsTo: action.errorsTo, noError };
    case 'file':
      return { kind, text: value, clean: isClean, mode: action.mode, noError, ...(await target(kind, action.text)) };
    case 'pipe': {
      const { captures, thisAddress } = action;
      const expand = { captures, thisAddress };
      return { kind, text: `|${value}`, clean: isClean, expand, noError, ...(await target(kind, action.text)) };
    }
  }
}
