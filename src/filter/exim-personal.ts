/** The condition `personal` (Exim's filter specification 3.27 - 3.29): a letter to somebody, from somebody. */

import type { Context } from '../expand/context.ts';
import { lower, trim } from '../lib/octets.ts';
import { endOfAddress, parseAddress } from '../mail/address.ts';
import { headerBody } from '../mail/header-line.ts';

/** Lists say so themselves. */
const listHeader = /^list-(?:id|help|subscribe|unsubscribe|post|owner|archive):/;

const longestName = 32;

/** Programs that send letters. */
const robot = /^(?:(?:server|daemon|root|listserv|majordomo)@|.*?-request@|owner-[^@]+@)/;

const massMail = /bulk|list|junk/;

/** Header lines with the given name, in lower case, without it. */
function bodies(context: Context, name: string): string[] {
  return (context.message?.headers ?? [])
    .filter(({ type, text }) => type !== '*' && lower(text.slice(0, name.length + 1)) === `${name}:`)
    .map(({ text }) => lower(headerBody(text)));
}

/** The addresses of such lines, with a domain. As in Exim, a line ends where something is no address, as a group is none. */
function addressesIn(context: Context, name: string): string[] {
  const found: string[] = [];
  for (const body of bodies(context, name)) {
    for (let at = 0; at < body.length; ) {
      const end = endOfAddress(body, at);
      const parsed = parseAddress(body.slice(at, end).replace(/\n/g, ' '), { allowDomainLiterals: 'any' });
      if ('error' in parsed) break;
      const { address, domain } = parsed;
      found.push(domain === undefined ? `${address}@${lower(context.settings.qualifyDomain)}` : address);
      at = end + 1;
    }
  }
  return found;
}

/** Whether the message is for one of `own` (addresses in lower case) and from no robot, list or `own`. */
export function isPersonal(own: ReadonlySet<string>, context: Context, recipientHeaders = ['to']): boolean {
  if ((context.message?.sender ?? '') === '') return false;
  const headers = context.message?.headers ?? [];
  if (headers.some(({ type, text }) => type !== '*' && listHeader.test(lower(text.slice(0, longestName)))))
    return false;
  if (bodies(context, 'auto-submitted').some((body) => trim(body) !== 'no')) return false;
  if (bodies(context, 'precedence').some((body) => massMail.test(body))) return false;
  if (!recipientHeaders.some((name) => addressesIn(context, name).some((address) => own.has(address)))) return false;
  return !addressesIn(context, 'from').some((address) => own.has(address) || robot.test(address));
}
