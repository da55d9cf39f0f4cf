/** Whether the name in HELO is the client's own (Exim spec 44.27, `verify = helo`; helo_verify_hosts). */

import type { Context } from '../expand/context.ts';
import { lower } from '../lib/octets.ts';
import { parseIp } from '../net/address.ts';
import { systemAddresses } from '../net/hosts.ts';

export type HeloVerdict = 'verified' | 'failed' | 'deferred';

/** It may be the client's address in brackets, its name, or a name with its address. */
export async function verifyHelo(context: Context): Promise<HeloVerdict> {
  const { connection, services } = context;
  const known = (yes: boolean): HeloVerdict => (yes ? 'verified' : 'failed');
  if (connection === undefined || connection.hostAddress === '') return 'verified';
  const helo = lower(connection.heloName);
  if (helo === '') return 'failed';
  const literal = /^\[(?:ipv6:)?([^\]]*)\]$/.exec(helo)?.[1];
  if (literal !== undefined) {
    const [given, real] = [parseIp(literal), parseIp(connection.hostAddress)];
    return known(given !== undefined && real !== undefined && Buffer.from(given).equals(Buffer.from(real)));
  }
  await services.findHostName(context);
  if ([connection.hostName, ...connection.hostAliases].some((name) => lower(name) === helo)) return 'verified';
  const found = await systemAddresses(helo);
  if (found.outcome === 'defer') return 'deferred';
  return known(found.outcome === 'found' && found.addresses.includes(connection.hostAddress));
}
