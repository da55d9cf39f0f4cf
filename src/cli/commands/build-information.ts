/** `-bI:…`: lists for other programs, one item per line (Exim spec 5). */

import { sieveCapabilities } from '../../filter/sieve/capabilities.ts';
import { lower } from '../../lib/octets.ts';
import type { Call } from '../call.ts';

const help = `The -bI: flag takes a string indicating which information to provide.
If the string is not recognised, you'll get this help (on stderr).

  exim -bI:help    this information
  exim -bI:dscp    list of known dscp value keywords
  exim -bI:sieve   list of supported sieve extensions
`;

const lines = (words: string): string => `${words.replaceAll(' ', '\n')}\n`;

const dscpNames =
  'af11 af12 af13 af21 af22 af23 af31 af32 af33 af41 af42 af43 ef lowcost lowdelay mincost reliability throughput';

const information: ReadonlyMap<string, string> = new Map([
  ['help', help],
  ['dscp', lines(dscpNames)],
  ['sieve', lines(sieveCapabilities.join(' '))],
]);

export async function buildInformationCommand({ invocation, terminal }: Call): Promise<number> {
  const found = information.get(lower(invocation.buildInformation));
  if (found === undefined) terminal.error(help);
  else terminal.out(found);
  return found === undefined ? 1 : 0;
}
