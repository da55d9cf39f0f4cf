/**
 * What a domain is really called is found out by routers (Exim spec 17: widen_domains, qualify_single; 15: self). Header
 * lines that have it in its shorter form are then changed for all recipients (rewrite_headers).
 */

import { lower } from '../lib/octets.ts';
import { splitAddress } from '../mail/address.ts';
import { replaceAddresses } from '../mail/address-header.ts';
import { type HeaderLine, headerLine } from '../mail/header-line.ts';
import { placeOf } from './rewrite.ts';

/** The header lines with the new domain; a line that changed is kept, marked with `*`, before the new one. */
export async function renameDomain(headers: readonly HeaderLine[], from: string, to: string): Promise<HeaderLine[]> {
  const result: HeaderLine[] = [];
  for (const header of headers) {
    const holdsAddresses = header.type !== '*' && placeOf(header.text) !== undefined;
    const changed = holdsAddresses ? await renamed(header.text, from, to) : undefined;
    if (changed === undefined) result.push(header);
    else result.push({ type: '*', text: header.text }, headerLine(changed));
  }
  return result;
}

function renamed(line: string, from: string, to: string): Promise<string | undefined> {
  return replaceAddresses(line, {}, async ({ address }) => {
    const { localPart, domain } = splitAddress(address);
    return lower(domain) === from ? { address: `${localPart}@${to}` } : undefined;
  });
}
