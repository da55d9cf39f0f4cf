/** `udpsend`: sends a UDP packet with the text that is given, for statistics and the like (Exim spec 44.21). */

import { trim } from '../../lib/octets.ts';
import { isIp } from '../../net/address.ts';
import { sendDatagram } from '../../net/send-datagram.ts';
import type { Modifier } from '../acl.ts';

interface Parts {
  readonly host: string;
  readonly port: string | undefined;
  readonly content: string;
}

/** `<;host;port;content`: the content is all the rest, as it stands. */
function partsOf(text: string): Parts {
  const [whole, separator = ':'] = /^[ \t-\r]*<([!-/:-@[-`{-~])/.exec(text) ?? [''];
  const [host = '', port, ...content] = text.slice(whole.length).split(separator);
  return { host: trim(host), port: port === undefined ? undefined : trim(port), content: content.join(separator) };
}

/** What a packet may hold. */
const longestContent = 65_507;

export const udpsend: Modifier = {
  kind: 'modifier',
  name: 'udpsend',
  doc: 'Sends a UDP packet: `host : port : content`.',
  forbidden: [],
  async apply({ value }, { context }) {
    const { host, port, content } = partsOf(value);
    if (host === '') return { error: 'missing destination host in "udpsend" modifier' };
    if (port === undefined || port === '') return { error: 'missing destination port in "udpsend" modifier' };
    if (!/^\d{1,9}$/.test(port)) return { error: 'bad destination port in "udpsend" modifier' };
    let address: string | undefined = host;
    if (!isIp(host)) {
      const found = await context.services.hostAddresses(host, context);
      address = found.outcome === 'found' ? found.addresses[0] : undefined;
    }
    if (address === undefined) return { defer: 'DNS lookup failed in "udpsend" modifier' };
    // as in the real program, only the low 16 bits of the number count, and port 0 takes everything in silence
    const number = Number(port) % 65_536;
    const octets = Buffer.from(content.slice(0, longestContent), 'latin1');
    const problem = number === 0 ? undefined : await sendDatagram(address, number, octets);
    if (context.decisions.listening) context.decisions.step('acl', `udpsend ${address}`, problem ?? 'sent', content);
    return problem === undefined ? undefined : { defer: `${problem} in "udpsend" modifier` };
  },
};
