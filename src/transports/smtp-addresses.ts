/** How addresses of a message that came with SMTPUTF8 are written for a host (RFC 6531; Exim spec 59, utf8_downconvert). */

import { domainToAlabel, localPartToAlabel } from '../expand/operators/international.ts';
import { trim } from '../lib/octets.ts';
import { splitAddress } from '../mail/address.ts';
import type { Extensions } from '../smtp/client/extensions.ts';
import type { Verdict } from './smtp-failure.ts';
import { contextOf, type ReachableHost, type SmtpRun } from './smtp-run.ts';
import { errorCodes } from './transport.ts';

export interface AddressForm {
  /** The host is told that the message needs SMTPUTF8. */
  readonly isUtf8: boolean;
  write(address: string): string;
}

const asTheyAre: AddressForm = { isUtf8: false, write: (address) => address };
const inUtf8: AddressForm = { ...asTheyAre, isUtf8: true };
const inAscii: AddressForm = { isUtf8: false, write: downconverted };

/** An address in ASCII; a part that cannot be converted stays as it is. */
function downconverted(address: string): string {
  const { localPart, domain } = splitAddress(address);
  if (domain === '') return address;
  const [local, host] = [localPartToAlabel(localPart), domainToAlabel(domain)];
  return `${'text' in local ? local.text : localPart}@${'text' in host ? host.text : domain}`;
}

/** The form for this host, or why it cannot have the message. */
export async function addressForm(
  run: SmtpRun,
  host: ReachableHost,
  offered: Extensions,
): Promise<AddressForm | Verdict> {
  if (run.request.context.message?.smtpUtf8 !== true) return asTheyAre;
  const expansion = await run.options.utf8_downconvert.expand(contextOf(run, host));
  const wish = expansion.ok ? trim(expansion.text.value) : '';
  if (wish === '1') return inAscii;
  if (offered.has('SMTPUTF8')) return inUtf8;
  if (wish === '' || wish === '-1') return inAscii;
  const message = 'utf8 support required but not offered for forwarding';
  return { outcome: 'failed', of: 'message', error: { code: errorCodes.unknown, message } };
}
