/** What remote transports ask about hosts (`transports/remote-services.ts`), answered from hints, retry rules and the DNS. */

import type { AuthenticatorInstance } from '../authenticators/authenticator.ts';
import type { Context, EventFacts } from '../expand/context.ts';
import { retryKeys } from '../hints/retry-hints.ts';
import * as clock from '../lib/clock.ts';
import { matchTemplate } from '../lists/option.ts';
import type { Resolver } from '../net/dns.ts';
import type { DnsAnswer } from '../net/dns-answer.ts';
import type { CertificateAssociation } from '../net/dns-records.ts';
import { hostAddresses, systemAddresses } from '../net/hosts.ts';
import type { Host, HostLookupResult } from '../routers/router.ts';
import type {
  AddressLookup,
  HostAttempt,
  HostStanding,
  OfferMemory,
  RemoteServices,
} from '../transports/remote-services.ts';
import type { KeptConnection } from '../transports/smtp-kept.ts';
import type { DeliveryError, TransportInstance } from '../transports/transport.ts';
import type { Attempt } from './attempt.ts';
import { raise } from './events.ts';
import { takePlace } from './limited-places.ts';
import type { RetrySubject } from './retry.ts';

/** ` H=name [address]`, as delivery lines show the host. */
export function hostFieldOf({ name, address, port }: Host, selects: Attempt['selects']): string {
  const withPort = selects('outgoing_port') && port !== undefined ? `:${port}` : '';
  return `H=${name} [${address}]${withPort}`;
}

/** The addresses of a host that a transport names. */
export async function addressesOf(name: string, how: AddressLookup, resolver: Resolver): Promise<HostLookupResult> {
  const { by, qualifySingle, searchParents, dnssec } = how;
  const found =
    by === 'name'
      ? await systemAddresses(name)
      : await hostAddresses(resolver, name, { qualifySingle, searchParents, dnssec: dnssec !== 'no' });
  if (found.outcome === 'defer') return { outcome: 'again', message: found.message };
  if (found.outcome !== 'found' || (dnssec === 'require' && !('secure' in found && found.secure))) {
    return { outcome: 'nothing' };
  }
  return { outcome: 'found', addresses: found.addresses };
}

/** The TLSA records of a name (RFC 6698). */
export function certificatesOf(name: string, resolver: Resolver): Promise<DnsAnswer<CertificateAssociation>> {
  return resolver.resolve(name, 'TLSA', { dnssec: true });
}

/** Answers for one set of addresses, and remembers what retry rules said of the hosts that failed. */
export class RemoteKnowledge implements RemoteServices {
  readonly #attempt: Attempt;
  readonly #context: Context;
  readonly #transport: TransportInstance;
  /** Hosts failed, and all of them for longer than their retry rules allow. */
  #failures = 0;
  #givenUp = 0;

  constructor(attempt: Attempt, context: Context, transport: TransportInstance) {
    this.#attempt = attempt;
    this.#context = context;
    this.#transport = transport;
  }

  /** Whether retry rules allow no further attempt for any host that failed; nothing when none did. */
  get timedOut(): boolean | undefined {
    return this.#failures === 0 ? undefined : this.#givenUp === this.#failures;
  }

  #hostKey({ host, port, byAddress, from }: HostAttempt): string {
    const key = retryKeys.host(host.name, byAddress ? host.address : '', port);
    return from === undefined ? key : `${key}/${from}`;
  }

  get hasEvents(): boolean {
    return this.#transport.common.event_action !== undefined;
  }

  get offers(): OfferMemory {
    return this.#attempt.tools.offers;
  }

  get authenticators(): readonly AuthenticatorInstance[] {
    return this.#attempt.runtime.config.authenticators;
  }

  standing(attempt: HostAttempt): HostStanding {
    const { tools, options, message } = this.#attempt;
    const hostKey = this.#hostKey(attempt);
    const ofHost = tools.retry.record(hostKey);
    const ofMessage = tools.retry.record(retryKeys.message(hostKey, attempt.message));
    const now = clock.seconds();
    const { receivedTime } = message.envelope;
    return {
      due: options.force || [ofHost, ofMessage].every((record) => record === undefined || record.nextTry <= now),
      expired: ofHost?.expired ?? false,
      tried: (ofHost?.lastTry ?? 0) >= receivedTime,
    };
  }

  #subject(attempt: HostAttempt, of: 'host' | 'message', error: DeliveryError): RetrySubject {
    const hostKey = this.#hostKey(attempt);
    return {
      key: of === 'host' ? hostKey : retryKeys.message(hostKey, attempt.message),
      addresses: [`*@${attempt.host.name}`, `*@${attempt.domain}`],
      error,
      viaMx: attempt.host.mx !== undefined,
      ofMessage: of === 'message',
    };
  }

  async noteFailure(
    attempt: HostAttempt,
    of: 'host' | 'message',
    error: DeliveryError,
  ): Promise<{ readonly expired: boolean }> {
    const { tools, message, runtime } = this.#attempt;
    // a message that is tried only once leaves nothing behind
    if (runtime.config.main.mua_wrapper) return { expired: false };
    const { sender, receivedTime } = message.envelope;
    const subject = this.#subject(attempt, of, error);
    // a host that has something against a message is there
    if (of === 'message') tools.retry.forget(this.#hostKey(attempt));
    const verdict = await tools.retry.failed(subject, sender, receivedTime, this.#context);
    this.#failures++;
    if (verdict.timedOut) this.#givenUp++;
    return { expired: verdict.record?.expired ?? true };
  }

  noteSuccess(attempt: HostAttempt): void {
    const hostKey = this.#hostKey(attempt);
    const { retry } = this.#attempt.tools;
    retry.forget(hostKey);
    retry.forget(retryKeys.message(hostKey, attempt.message));
  }

  addressesOf(name: string, how: AddressLookup): Promise<HostLookupResult> {
    return addressesOf(name, how, this.#attempt.runtime.resolver);
  }

  certificatesOf(name: string): Promise<DnsAnswer<CertificateAssociation>> {
    return certificatesOf(name, this.#attempt.runtime.resolver);
  }

  async isLocal({ name, address }: Host, context: Context): Promise<boolean> {
    const { services, config } = this.#attempt.runtime;
    if (services.localAddresses().includes(address)) return true;
    const { hosts_treat_as_local: treated } = config.main;
    return treated !== undefined && (await matchTemplate(treated, name, context)).outcome === 'match';
  }

  connectAlone({ name }: Host): (() => void) | undefined {
    return takePlace(this.#attempt.runtime.places.spoolDirectory, name);
  }

  raise(event: EventFacts, context: Context): Promise<string> {
    return raise(this.#transport.common.event_action, event, this.#attempt.runtime, context);
  }

  noteWaiting(hosts: readonly string[]): void {
    this.#attempt.noteWaiting(this.#transport.name, hosts);
  }

  isAwaited({ name }: Host): boolean {
    const { tools, message } = this.#attempt;
    tools.waiting.forget(this.#transport.name, name, message.id);
    return this.#attempt.needsConnection || tools.waiting.isAwaited(this.#transport.name, name);
  }

  keep(connection: KeptConnection): void {
    this.#attempt.kept.push(connection);
  }

  hostField(host: Host): string {
    return hostFieldOf(host, this.#attempt.selects);
  }

  panic(text: string): void {
    const { runtime, message } = this.#attempt;
    runtime.logs.write(['main', 'panic'], text, message.id);
  }

  log(text: string): void {
    this.#attempt.log(text);
    this.#attempt.note(text);
  }
}
