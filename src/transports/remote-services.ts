/** What remote transports ask of their surroundings: what is known of hosts, their addresses, and the log. */

import type { AuthenticatorInstance } from '../authenticators/authenticator.ts';
import type { Context, EventFacts } from '../expand/context.ts';
import type { Offers, Server } from '../hints/offer-hints.ts';
import type { Eventual } from '../lib/eventual.ts';
import type { DnsAnswer } from '../net/dns-answer.ts';
import type { CertificateAssociation } from '../net/dns-records.ts';
import type { Host, HostLookupResult } from '../routers/router.ts';
import type { QueueId } from '../safe/taint.ts';
import type { KeptConnection } from './smtp-kept.ts';
import type { DeliveryError } from './transport.ts';

/** An attempt to use a host, as hints and retry rules know it (Exim spec 32.1, 32.4). */
export interface HostAttempt {
  /** Without an address when its name could not be looked up. */
  readonly host: Host;
  readonly port: number;
  /** `retry_include_ip_address`: what is noted is for this address of the host only. */
  readonly byAddress: boolean;
  /** The address of this host that is used, when `interface` says so. */
  readonly from: string | undefined;
  readonly message: QueueId;
  /** Of the first recipient, for retry rules that name no host. */
  readonly domain: string;
}

/** What is known of a host, and of this message at this host. */
export interface HostStanding {
  /** Nothing is noted against it, or the retry time has come. */
  readonly due: boolean;
  /** It has been failing for longer than its retry rule allows. */
  readonly expired: boolean;
  /** It was tried since the message came. */
  readonly tried: boolean;
}

/** How a name is turned into addresses; `dnssec` as `dnssec_request_domains` and `dnssec_require_domains` say. */
export interface AddressLookup {
  readonly by: 'dns' | 'name';
  readonly qualifySingle: boolean;
  readonly searchParents: boolean;
  readonly dnssec: 'no' | 'request' | 'require';
}

/** What servers offered when they last answered EHLO. */
export interface OfferMemory {
  get(server: Server): Offers | undefined;
  note(server: Server, offers: Offers): void;
  forget(server: Server): void;
}

/** What making connections needs. */
export interface ConnectionServices {
  /** For beginning early (hosts_pipe_connect); callouts do without. */
  readonly offers?: OfferMemory | undefined;
  /** The authenticators of the configuration, some of which can log in at servers. */
  readonly authenticators: readonly AuthenticatorInstance[];
  addressesOf(name: string, how: AddressLookup, context: Context): Eventual<HostLookupResult>;
  /** The TLSA records of a name, and whether they were signed. */
  certificatesOf(name: string): Eventual<DnsAnswer<CertificateAssociation>>;
  /** `H=name [address]`, with the port when the log is to have it (log selector outgoing_port). */
  hostField(host: Host): string;
  /** Somebody waits for events. */
  readonly hasEvents?: boolean | undefined;
  /** Tells the transport's event_action; the text is an objection (Exim spec 61). */
  raise(event: EventFacts, context: Context): Eventual<string>;
  /** Writes a line about this message to the main log and the message log. */
  log(text: string): void;
}

export interface RemoteServices extends ConnectionServices {
  /** The same, and to the panic log. */
  panic(text: string): void;
  standing(attempt: HostAttempt): Eventual<HostStanding>;
  /**
   * Notes that a host failed, or failed for this message, with which the host itself is in order (Exim spec 49.2).
   * Answers whether that goes on for longer than the retry rule allows: such attempts do not count for `hosts_max_try`.
   */
  noteFailure(attempt: HostAttempt, of: 'host' | 'message', error: DeliveryError): Eventual<{ expired: boolean }>;
  /** Notes that a host works, and takes this message. */
  noteSuccess(attempt: HostAttempt): Eventual<void>;
  /** Whether mail to this host would come back: it has an address of ours, or is in `hosts_treat_as_local`. */
  isLocal(host: Host, context: Context): Eventual<boolean>;
  /** Takes the only connection to a host of `serialize_hosts`; answers how to give it back, or that it is taken. */
  connectAlone(host: Host): Eventual<(() => void) | undefined>;
  /** Notes that this message waits for hosts of these names. */
  noteWaiting(hosts: readonly string[]): void;
  /** Whether another message waits for the host, which has just been used for this one. */
  isAwaited(host: Host): boolean;
  /** Takes a connection over, for the messages that wait. */
  keep(connection: KeptConnection): void;
}
