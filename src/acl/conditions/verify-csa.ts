/**
 * `verify = csa/name`: whether the owner of the name that the client gave lets the client send mail (Exim spec 44.52).
 * What it comes to is in `$csa_status`; only a client that is not authorized fails.
 */

import { type CsaOptions, findCsa } from '../../lookups/dnsdb-csa.ts';
import type { ServiceLocation } from '../../net/dns-records.ts';
import type { AclRun, ConditionAnswer } from '../acl.ts';

interface Verdict {
  readonly status: 'ok' | 'unknown' | 'defer' | 'fail';
  /** Why a client is not authorized, or why that cannot be told. */
  readonly reason?: string;
}

const refused = (reason: string): Verdict => ({ status: 'fail', reason });
const unclear = (reason: string): Verdict => ({ status: 'defer', reason });
const known = (status: 'ok' | 'unknown'): Verdict => ({ status });

/** The only version there is, and the weight of a host that may send. */
const version = 1;
const authorized = 2;

/** An address literal is the address; `[IPv6:…]`, too. */
const bare = (name: string): string => /^\[(?:ipv6:)?([^\]]*)\]$/i.exec(name)?.[1] ?? name;

async function judge(
  name: string,
  client: string,
  { resolver }: AclRun['services'],
  options: CsaOptions,
): Promise<Verdict> {
  const found = await findCsa(name, (asked, type) => resolver.resolve(asked, type), options);
  if (found.outcome === 'again') return unclear('SRV lookup failed');
  if (found.outcome === 'demanded') return refused('explicit authorization required');
  if (found.outcome !== 'own') return known('unknown');
  // the first record that says anything decides
  const record = found.records.find(({ priority, weight }) => priority === version && weight <= authorized);
  if (record === undefined) return known('unknown');
  if (record.weight < authorized) return refused('host name not authorized');
  return byAddress(record, client, resolver);
}

async function byAddress(
  { target }: ServiceLocation,
  client: string,
  resolver: AclRun['services']['resolver'],
): Promise<Verdict> {
  const answer = await resolver.resolve(target, client.includes(':') ? 'AAAA' : 'A');
  if (answer.outcome === 'again') return unclear('target address lookup failed');
  if (answer.outcome !== 'found') return refused('no authorized addresses');
  return answer.records.includes(client) ? known('ok') : refused('client address mismatch');
}

export async function verifyCsa(run: AclRun, words: readonly string[]): Promise<ConditionAnswer> {
  const { context, services } = run;
  const { connection, decisions } = context;
  if (connection === undefined) return 'true';
  const { hostAddress } = connection;
  const name = bare(words.join('/') || connection.heloName || hostAddress);
  const verdict = hostAddress === '' ? known('unknown') : await judge(name, hostAddress, services, services.csa);
  connection.csaStatus = verdict.status;
  if (decisions.listening) decisions.step('acl', `CSA for ${name}`, verdict.status, verdict.reason);
  if (verdict.reason === undefined) return 'true';
  const isFailed = verdict.status === 'fail';
  const text = `client SMTP authorization ${isFailed ? 'failed' : 'deferred'} (${verdict.reason})`;
  if (context.acl) context.acl.verifyMessage = text;
  if (!isFailed) return 'true';
  run.userMessage = text;
  run.logMessage = text;
  return 'false';
}
