/**
 * The contract of routers (Exim spec 3.8 - 3.12, 15). A driver is one literal in one file, made with `defineRouter`; it
 * sees an address whose preconditions were met and answers with one of seven outcomes. What all routers have in common
 * is done by `preconditions.ts` beside this file and by `mta/route.ts`.
 */

import type { Context } from '../expand/context.ts';
import type { FilterNotice, FilterReply } from '../filter/filter-outcome.ts';
import type { Eventual } from '../lib/eventual.ts';
import type { ListSetting } from '../lists/option.ts';
import type { OptionsOf, OptionsProblem, OptionTable } from '../options/table.ts';
import type { User } from '../safe/users.ts';
import type { RouterCommonOptions } from './common-options.ts';

/** A host that a message may be handed to. */
export interface Host {
  readonly name: string;
  /** Empty when none was found, or for a local transport none was looked for. */
  readonly address: string;
  readonly port: number | undefined;
  /** Preference of the MX record, if one led here. */
  readonly mx: number | undefined;
  readonly secure: boolean;
}

/** An address that a router makes from the one it was given. */
export interface Child {
  /** What it is: an address, or the name of a file, or a command, or a letter that a filter sends. */
  readonly kind: 'address' | 'file' | 'pipe' | 'reply';
  /** As logs show it; for a letter `>` and its recipients. */
  readonly text: string;
  /** Whether the data that named it is the administrator's, with nothing from outside in it. */
  readonly clean: boolean;
  /** Files, directories and pipes go to this transport at once. */
  readonly transport?: string | undefined;
  /** Why nothing is delivered to this file or command. */
  readonly refused?: Refusal | undefined;
  /** Who gets the bounces of it, when a filter says so. */
  readonly errorsTo?: string | undefined;
  /** Nobody is told of failures. */
  readonly noError?: boolean | undefined;
  /** Permissions of the file, when a filter says so. */
  readonly mode?: number | undefined;
  /** The words of the command are expanded, with these captures and `$thisaddress` of the filter. */
  readonly expand?: { readonly captures?: readonly string[] | undefined; readonly thisAddress?: string | undefined };
  readonly reply?: FilterReply | undefined;
}

/** The configuration forbids a delivery, which fails, or lacks what is needed for it, so that it has to wait. */
export interface Refusal {
  readonly outcome: 'failed' | 'deferred';
  readonly code: number;
  readonly message: string;
}

/** Exim's numbers for what is wrong with redirection, as they stand in logs in parentheses. */
export const redirectionCodes = { badData: -17, badTransport: -30 } as const;

export type RouterOutcome =
  /** Give the address to the transport; `hosts` for those that send. */
  | {
      readonly outcome: 'accept';
      readonly hosts?: readonly Host[] | undefined;
      readonly transport?: string | undefined;
    }
  /** Replace the address by others. */
  | {
      readonly outcome: 'redirect';
      readonly children: readonly Child[];
      readonly rewrite: boolean;
      readonly hidden: boolean;
      /** Children that are not delivered at the first attempt become recipients of the message. */
      readonly oneTime: boolean;
      /** The address itself goes on to the next router, as if this one had declined. */
      readonly passesOn?: boolean | undefined;
    }
  /** The address goes on with another domain (`self = reroute`). */
  | { readonly outcome: 'reroute'; readonly domain: string; readonly rewriteHeaders: boolean }
  /** The next router, or `pass_router`, even when `more` is off. */
  | { readonly outcome: 'pass'; readonly selfHost?: string | undefined; readonly message?: string | undefined }
  | { readonly outcome: 'decline'; readonly message?: string | undefined }
  /** Nothing is delivered, and nobody is told. */
  | { readonly outcome: 'discard'; readonly by?: 'filter' | undefined }
  | {
      readonly outcome: 'fail';
      /** For the sender. */
      readonly message: string;
      readonly children?: readonly Child[] | undefined;
      /** Whether an SMTP code at the start of the message counts. */
      readonly smtpCode?: boolean | undefined;
    }
  | {
      readonly outcome: 'defer';
      /** For the log. */
      readonly message: string;
      /** Exim's number for it; -1 when nothing is said. */
      readonly code?: number | undefined;
      /** For the sender, when it is meant for him. */
      readonly publicMessage?: string | undefined;
      readonly children?: readonly Child[] | undefined;
      readonly freeze?: boolean | undefined;
      /** A host lookup timed out: `pass_on_timeout` may make it a pass. */
      readonly timeout?: boolean | undefined;
      readonly smtpCode?: boolean | undefined;
    };

/** What the routing of an address is for. */
export type RoutingPurpose = 'deliver' | 'test' | 'verify sender' | 'verify recipient' | 'expn';

/** The address as a router sees it. */
export interface Routed {
  /** Without prefix and suffix, in lower case unless `caseful_local_part` is set. */
  readonly localPart: string;
  readonly domain: string;
  /** The whole address with its own letters. */
  readonly address: string;
  /** The addresses it came from, nearest first. */
  readonly ancestors: readonly string[];
  /** The local user, when `check_local_user` found one. */
  readonly user: User | undefined;
  readonly purpose: RoutingPurpose;
}

/** What a router may ask of its surroundings. */
export interface RouterServices {
  readonly qualifyRecipient: string;
  readonly allowDomainLiterals: boolean;
  readonly allowMxToIp: boolean;
  /** Domains in which a percent sign in the local part stands for an at sign. */
  readonly percentHackDomains: ListSetting | undefined;
  /** Whether a name may be looked for in the DNS (Exim spec 14, dns_check_names_pattern). */
  isDnsName(name: string): boolean;
  /** The MX records of a domain, each with its addresses; or its own addresses when there are none. */
  lookUpMail(domain: string, options: MailLookup, context: Context): Eventual<MailHosts>;
  /** Addresses of a named host. */
  lookUpHost(name: string, how: HostLookup, context: Context): Eventual<HostLookupResult>;
  /** Whether an address belongs to this host, so that mail sent there would come back. */
  isLocal(address: string, port: number | undefined): boolean;
  /** Whether the host's name or address is in `hosts_treat_as_local`. */
  treatedAsLocal(name: string, context: Context): Eventual<boolean>;
  transportExists(name: string): boolean;
  /** Whether the transport delivers on this machine, so that hosts are only a text to it. */
  transportIsLocal(name: string): boolean;
  /** What a filter may ask of the attempt to deliver; nothing when there is none. */
  readonly attempt?: { readonly firstDelivery: boolean; readonly manuallyThawed: boolean } | undefined;
  /** Writes a line to the main log. */
  log(text: string): void;
  /** The same, and to the panic log: the configuration is at fault. */
  panic(text: string): void;
  /** Sends a message about syntax errors that were passed over; nothing while addresses are only tested. */
  /** Sends a letter that a filter asks for at once; nothing while addresses are only tested. */
  readonly sendNotice?: ((notice: FilterNotice) => Promise<void>) | undefined;
  readonly sendSyntaxErrors?: ((report: SyntaxErrorReport) => Promise<void>) | undefined;
}

/** What a redirect router with `syntax_errors_to` has to tell. */
export interface SyntaxErrorReport {
  readonly to: string;
  readonly text: string;
}

/** Whether signed answers are asked for, and whether others count. */
export type DnssecDemand = 'no' | 'request' | 'require';

export interface MailLookup {
  readonly qualifySingle: boolean;
  readonly searchParents: boolean;
  /** Whether an address record will do when there is no MX. */
  readonly addressRecord: boolean;
  /** Whether a failure to look for MX records counts as there being none. */
  readonly mxFailureIsNothing: boolean;
  /** The service whose SRV records come before MX records; empty for none. */
  readonly service: string;
  /** Whether a failure to look for SRV records counts as there being none. */
  readonly srvFailureIsNothing: boolean;
  readonly ipv4Only: boolean;
  readonly ipv4Prefer: boolean;
  readonly dnssec: DnssecDemand;
}

/** A host that mail for a domain can go to, with all its addresses; none when it has none. */
export interface MailHost {
  readonly name: string;
  /** That of an SRV record. */
  readonly port: number | undefined;
  readonly mx: number | undefined;
  readonly addresses: readonly string[];
  /** Its addresses could not be asked for; the attempt is worth repeating. */
  readonly again: boolean;
  readonly secure: boolean;
}

export type MailHosts =
  /** In the order of preference. `domain` is the full name, which a search may have widened. */
  | { readonly outcome: 'found'; readonly hosts: readonly MailHost[]; readonly domain: string }
  /** No such domain, or neither MX nor address. */
  | { readonly outcome: 'nothing' }
  /** The domain says that it takes no mail (RFC 7505). */
  | { readonly outcome: 'refuses' }
  /** The answer is not signed, and has to be. */
  | { readonly outcome: 'insecure' }
  /** `isOurs`: the configuration is at fault, and the message says so. */
  | { readonly outcome: 'again'; readonly message: string; readonly isOurs?: boolean };

export interface HostLookup {
  readonly by: 'default' | 'name' | 'dns';
  /** Of what the DNS says; `no` when nothing is said. */
  readonly dnssec?: DnssecDemand;
  readonly ipv4Only: boolean;
  readonly ipv4Prefer: boolean;
}

export type HostLookupResult =
  /** `name`: the host's own, at the end of aliases, where that is known. */
  | {
      readonly outcome: 'found';
      readonly name?: string;
      readonly addresses: readonly string[];
      /** They are signed. */
      readonly secure?: boolean;
    }
  | { readonly outcome: 'nothing' }
  | { readonly outcome: 'insecure' }
  | { readonly outcome: 'again'; readonly message: string };

/** The one working function of a router instance. */
export type Route = (routed: Routed, context: Context, services: RouterServices) => Eventual<RouterOutcome>;

export interface RouterDriver {
  readonly name: string;
  readonly summary: string;
  readonly options: OptionTable;
  /** Whether the generic option `transport` must be set, must not be, or may be. */
  readonly transport: 'required' | 'forbidden' | 'optional';
  /** What is wrong with the options of an instance taken together, if anything. */
  check(options: OptionsOf<OptionTable>, common: RouterCommonOptions, name: string): OptionsProblem | undefined;
  /** Makes the working function for the options of an instance. */
  make(options: OptionsOf<OptionTable>, common: RouterCommonOptions): Route;
  /** Whether lines for its deliveries show the local part alone, when nothing else is said. */
  readonly logAsLocal: boolean;
}

/** Declares a router; the types of its options come from its table. */
export function defineRouter<T extends OptionTable>(driver: {
  readonly name: string;
  readonly summary: string;
  readonly options: T;
  readonly transport: RouterDriver['transport'];
  readonly logAsLocal?: boolean;
  check?(options: OptionsOf<T>, common: RouterCommonOptions, name: string): OptionsProblem | undefined;
  make(options: OptionsOf<T>, common: RouterCommonOptions): Route;
}): RouterDriver {
  return {
    logAsLocal: false,
    check: () => undefined,
    ...driver,
    make: (options, common) => driver.make(options as OptionsOf<T>, common),
  };
}

/** A configured router. */
export interface RouterInstance {
  readonly name: string;
  /** Where its last line stands. */
  readonly place?: { readonly file: string; readonly line: number } | undefined;
  readonly driver: RouterDriver;
  readonly common: RouterCommonOptions;
  readonly options: OptionsOf<OptionTable>;
  /** Names of the options that the configuration mentions, and of those that it hides. */
  readonly set: ReadonlySet<string>;
  readonly hidden: ReadonlySet<string>;
  readonly route: Route;
}
