/** The ipliteral router sends mail for `user@[192.0.2.1]` to that address (Exim spec 18). */

import { parseIp } from '../net/address.ts';
import { prune, selfOutcome } from './hosts.ts';
import { defineRouter } from './router.ts';

export const ipliteral = defineRouter({
  name: 'ipliteral',
  summary: 'takes addresses whose domain is an IP address in brackets',
  options: {},
  transport: 'required',
  make: (_, common) => async (routed, context, services) => {
    const address = /^\[(?:ipv6:|ipv4:)?([^\]]+)\]$/i.exec(routed.domain)?.[1];
    if (address === undefined || parseIp(address) === undefined) return { outcome: 'decline' };
    const candidate = { name: routed.domain, mx: undefined, port: undefined, addresses: [address], secure: false };
    const pruned = await prune([candidate], common, context, services);
    if (pruned.self !== undefined) {
      const outcome = selfOutcome(common, candidate, routed, services);
      if (outcome !== 'send') return outcome;
    } else if (pruned.hosts.length === 0) {
      return { outcome: 'decline', message: 'IP literal host explicitly ignored' };
    }
    const host = { name: routed.domain, address, port: undefined, mx: undefined, secure: false };
    return { outcome: 'accept', hosts: [host] };
  },
});
