/** What the DNS says of a host's certificate, and whether it must say something (Exim spec 43.18; RFC 7672 §2). */

import { isUsable } from '../net/dane.ts';
import type { CertificateAssociation } from '../net/dns-records.ts';
import { isListed, type ReachableHost, raiseAt, type SmtpSetup } from './smtp-run.ts';
import { type DeliveryError, errorCodes } from './transport.ts';

/** The records that a certificate is compared with; TLS is a must, and without a record that can be used that is all. */
export interface Dane {
  readonly records: readonly CertificateAssociation[];
}

const lacking = (message: string): DeliveryError => ({
  code: errorCodes.tlsRequired,
  message: `DANE error: ${message}`,
});

/**
 * Asks for the TLSA records of a host that was itself found securely. Nothing when the host is not protected that way,
 * an error when it must be, or when the DNS does not say: somebody who can silence it must not get the mail.
 */
export async function daneOf(run: SmtpSetup, host: ReachableHost): Promise<Dane | DeliveryError | undefined> {
  const { options, services, request } = run;
  const isRequired = await isListed(run, options.hosts_require_dane, host);
  if (!isRequired && !(await isListed(run, options.hosts_try_dane, host))) return undefined;
  /** `result` is what TLS reports call it (RFC 8460 §4.3). */
  const fails = async (result: string, reason: string): Promise<DeliveryError> => {
    await raiseAt(run, host, 'dane:fail', result);
    return lacking(reason);
  };
  const without = (result: string, reason: string): Promise<DeliveryError> | undefined =>
    isRequired ? fails(result, reason) : undefined;
  if (run.protocol !== 'smtp') return without('dane-required', 'LMTP knows no TLS');
  if (!host.secure || host.name === '') return without('dnssec-invalid', 'the host was not looked up with DNSSEC');
  if (!isRequired && (await isListed(run, options.hosts_avoid_tls, host))) return undefined;
  const name = `_${host.port}._tcp.${host.name}`;
  const answer = await services.certificatesOf(name);
  const { decisions } = request.context;
  if (decisions.listening) {
    const detail = answer.outcome === 'found' ? `${answer.records.length} records` : undefined;
    decisions.step('dns', `TLSA ${name}`, answer.outcome, detail);
  }
  if (answer.outcome === 'again') return fails('dnssec-invalid', `the TLSA records cannot be had: ${answer.message}`);
  if (answer.outcome === 'nothing') return without('dane-required', 'there are no TLSA records');
  if (!answer.secure) return without('dnssec-invalid', 'the TLSA records were not signed');
  const records = answer.records.filter(isUsable);
  return records.length === 0 && isRequired ? fails('tlsa-invalid', 'no TLSA record can be used') : { records };
}

/** `$tls_out_tlsa_usage`: a bit for each usage among the records. */
export function usageBits({ records }: Dane): number {
  return records.reduce((bits, { usage }) => bits | (1 << usage), 0);
}
