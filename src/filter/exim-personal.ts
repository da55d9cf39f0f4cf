/** The condition `personal` (Exim's filter specification 3.27 - 3.29): a letter to somebody, from somebody. */

import type { Context } from '../expand/context.ts';
import { lower, trim } from '../lib/octets.ts';
import { addressItems, parseAddress } from '../mail/address.ts';
import { headerBody, headerName } from '../mail/header-line.ts';

/** Lists say so themselves. */
const listHeader = /^list-(?:id|help|subscribe|unsubscribe|post|owner|archive)$/;

/** Programs that send letters. */
const robot = /^(?:(?:server|daemon|root|listserv|majordomo)@|.*?-request@|owner-[^@]+@)/;

const massMail = /bulk|list|junk/;

/** Header lines with the given name, in lower case, without it. */
function bodies(context: Context, name: string): string[] {
  return (context.message?.headers ?? [])
    .filter(({ type, text }) => type !== '*' && lower(headerName(text)) === name)
    .map(({ text }) => lower(headerBody(text)));
}

/** The addresses of such lines, with a domain. */
function addressesIn(context: Context, name: string): string[] {
  return bodies(context, name).flatMap((body) =>
    addressItems(body).flatMap(({ start, end }) => {
      const parsed = parseAddress(body.slice(start, end).replace(/\n/g, ' '));
      if ('error' in parsed) return [];
      return [
        parsed.domain === undefined ? `${parsed.address}@${lower(context.settings.qualifyDomain)}` : parsed.address,
      ];
    }),
  );
}

/** Whether the message is for one of `own` (addresses in lower case) and from no robot, list or `own`. */
export function isPersonal(own: ReadonlySet<string>, context: Context): boolean {
  if ((context.message?.sender ?? '') === '') return false;
  const headers = context.message?.headers ?? [];
  if (headers.some(({ type, text }) => type !== '*' && listHeader.test(lower(headerName(text))))) return false;
  if (bodies(context, 'auto-submitted').some((body) => trim(body) !== 'no')) return false;
  if (bodies(context, 'precedence').some((body) => massMail.test(body))) return false;
  if (!addressesIn(context, 'to').some((address) => own.has(address))) return false;
  return !addressesIn(context, 'from').some((address) => own.has(address) || robot.test(address));
}
