/** The port and the protocol of the smtp transport (Exim spec 30.4: port, protocol). */

import { servicePort } from '../net/service-ports.ts';
import { type SmtpOptions, type SmtpSetup, Unusable } from './smtp-run.ts';
import { type ConnectionRequest, errorCodes } from './transport.ts';

/** What is spoken once the connection is there: TLS from the start makes no difference to it. */
export const protocolOf = ({ protocol }: SmtpOptions): SmtpSetup['protocol'] => (protocol === 'lmtp' ? 'lmtp' : 'smtp');

/** For hosts that come without a port; @throws Unusable */
export async function portOf(options: SmtpOptions, isSet: boolean, request: ConnectionRequest): Promise<number> {
  const { transport, context } = request;
  const unusable = (message: string): Unusable => new Unusable(errorCodes.unknown, message, true);
  const { port: template, protocol } = options;
  const standard = protocol === 'lmtp' || protocol === 'smtps' ? protocol : 'smtp';
  let name: string = standard;
  if (isSet) {
    const expansion = await template.expand(context);
    if (!expansion.ok) {
      const what = `failed to expand "${template.source}" ("port" option) for ${transport} transport`;
      throw unusable(`${what}: ${expansion.message}`);
    }
    name = expansion.text.value;
  }
  if (/^\d/.test(name)) {
    const port = /^\d{1,5}$/.test(name) ? Number(name) : 0;
    if (port >= 1 && port <= 65_535) return port;
    throw unusable(`invalid port number for ${transport} transport: ${name}`);
  }
  const port = servicePort(name);
  if (port === undefined) throw unusable(`TCP port "${name}" is not defined for ${transport} transport`);
  return port;
}
