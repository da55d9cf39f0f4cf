/** `spf`: what SPF says of an address, the key, whose mail comes from an IP address, which stands for the file (Exim spec 9.3, 58.4). */

import { isIp } from '../net/address.ts';
import { checkSpf } from '../origin/spf.ts';
import { defineLookup, notFound } from './lookup.ts';

export const spf = defineLookup({
  name: 'spf',
  doc: 'what SPF says of a sender and a host',
  style: 'single-key',
  purpose: 'for SPF',
  options: [],
  vouches: true,
  open: (ip, { resolver }) => ({
    async find(key) {
      if (!isIp(ip)) return notFound;
      const sender = key.includes('@') ? key : `postmaster@${key}`;
      const question = { ip, sender, helo: '', hostname: '', commentTemplate: '' };
      return { outcome: 'found', value: (await checkSpf(question, resolver)).result };
    },
    close: () => undefined,
  }),
});
