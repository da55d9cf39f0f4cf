/** The sender that a caller may choose with `-f` (Exim spec 5.2, 14: untrusted_set_sender). */

import { matchTemplate } from '../lists/option.ts';
import { parseAddress } from '../mail/address.ts';
import { addressOptions } from '../mta/address-options.ts';
import { newContext } from '../mta/runtime.ts';
import type { Call } from './call.ts';

/** The address, empty for a bounce; nothing stands for the caller. */
export type ChosenSender = { readonly address: string | undefined } | { readonly error: string };

/** The address of `-f` with a domain, whoever gave it. */
export function givenSender({ invocation, runtime }: Call): ChosenSender {
  const text = invocation.sender;
  if (text === undefined) return { address: undefined };
  if (text === '' || text === '<>') return { address: '' };
  if (text.endsWith('.')) return { error: `bad -f address "${text}": domain is malformed (trailing dot not allowed)` };
  const parsed = parseAddress(text, addressOptions(runtime.config));
  if ('error' in parsed) return { error: `bad -f address "${text}": ${parsed.error}` };
  return {
    address: parsed.domain === undefined ? `${parsed.address}@${runtime.settings.qualifyDomain}` : parsed.address,
  };
}

/** The sender that counts: one that is empty may be given by anybody, others by those who may. */
export async function callerSender(call: Call): Promise<ChosenSender> {
  const given = givenSender(call);
  if ('error' in given || given.address === undefined || given.address === '') return given;
  if (call.caller.isTrusted) return given;
  const allowed = call.runtime.config.main.untrusted_set_sender;
  if (allowed === undefined) return { address: undefined };
  const answer = await matchTemplate(allowed, given.address, newContext(call.runtime));
  return answer.outcome === 'match' ? given : { address: undefined };
}
