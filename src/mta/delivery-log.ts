/** Lines about deliveries for the main log, in Exim's form (Exim spec 53.7 - 53.11). */

import { errorNumberText } from '../lib/errno.ts';
import { printingLine } from '../lib/escapes.ts';
import { formatPassed } from '../lib/intervals.ts';
import type { LogSelector } from '../observe/log-selectors.ts';
import type { Child, Host, RouterInstance } from '../routers/router.ts';
import { errorCodes } from '../transports/transport.ts';
import { addressKey, ancestorsOf, type RouteAddress, topOf } from './address.ts';
import { queueField } from './arrival-log.ts';
import type { Delivery } from './routing.ts';

/** What a line may tell besides the address. */
export interface LineFacts {
  readonly sender: string;
  readonly returnPath: string;
  /** That the message is on. */
  readonly queue: string;
  /** Octets that were delivered. */
  readonly size: number;
  /** Seconds since reception, and of the attempt. */
  readonly queueTime: number;
  readonly deliverTime: number;
  /** `H=… [1.2.3.4]` and the like, with a blank before each field. */
  readonly hostFields: string;
  readonly confirmation: string | undefined;
  /** Octets above 127 stay as they are (print_topbitchars). */
  readonly eightBit: boolean;
  /** Routers that were directors of Exim 3. */
  readonly directors: ReadonlySet<string>;
  /** The other host that has it now, and whether it can report to the sender. */
  readonly passedOnTo?: { readonly host: Host; readonly speaksDsn: boolean } | undefined;
  readonly shadow?: string | undefined;
  /** It went to /dev/null, past its transport. */
  readonly bypassed?: boolean | undefined;
}

type Selects = (selector: LogSelector) => boolean;

/** A file or command as a line shows it; a name that is no path is that of a folder to save to. */
export function shownTarget({ kind, text }: Pick<Child, 'kind' | 'text'>): string {
  return kind === 'file' && !text.startsWith('/') ? `save ${text}` : text;
}

/** The address as a line shows it: what is delivered to, then where it came from. */
export function shownAddress(
  delivery: Pick<Delivery, 'address' | 'target' | 'place' | 'transport' | 'facts'> & {
    readonly router: RouterInstance;
  },
  selects: Selects,
): string {
  const { address, target, transport, router } = delivery;
  const asLocal =
    target === undefined &&
    transport.driver.isLocal &&
    (router.set.has('log_as_local') ? router.common.log_as_local : router.driver.logAsLocal);
  const named = target === undefined ? undefined : (delivery.place ?? shownTarget(target));
  if (named !== undefined) return withParents(named, address, selects);
  return withOrigin(asLocal ? delivery.facts.localPart : deliveredName(delivery.facts), address, selects);
}

/** An address as the router took it, without prefix and suffix. */
export function deliveredName({ localPart, domain }: Delivery['facts']): string {
  return `${localPart}@${domain}`;
}

/** `a (b@c, d@e) <f@g>`: the address, its parents when they are wanted, and the one of the envelope. */
export function withOrigin(shown: string, address: RouteAddress, selects: Selects): string {
  return joined(shown, address, selects('all_parents') ? ancestorsOf(address).slice(0, -1) : []);
}

/** A file, command or letter: at least its parent is told. */
export function withParents(shown: string, address: RouteAddress, selects: Selects): string {
  const between = ancestorsOf(address).slice(0, -1);
  return joined(shown, address, selects('all_parents') ? between : between.slice(0, 1));
}

function joined(shown: string, address: RouteAddress, between: readonly RouteAddress[]): string {
  const parents = between.length === 0 ? '' : ` (${between.map((ancestor) => ancestor.address).join(', ')})`;
  const top = topOf(address);
  return shown === top.address ? `${shown}${parents}` : `${shown}${parents} <${top.address}>`;
}

/** ` R=name`, or ` D=name` for what was a director in Exim 3 text; nothing when no router was needed. */
export function routedBy(router: string, directors: ReadonlySet<string>): string {
  if (router === '') return '';
  return ` ${directors.has(router) ? 'D' : 'R'}=${router}`;
}

/** `=> …`, `-> …`, `*> …`. */
export function successLine(mark: string, delivery: Delivery, facts: LineFacts, selects: Selects): string {
  let line = `${mark} ${shownAddress(delivery, selects)}`;
  if (selects('sender_on_delivery')) line += ` F=<${facts.sender}>`;
  line += queueField(facts.queue);
  if (selects('return_path_on_delivery')) line += ` P=<${facts.returnPath}>`;
  line += `${routedBy(delivery.router.name, facts.directors)} T=${facts.bypassed ? '**bypassed**' : delivery.transport.name}`;
  if (selects('delivery_size')) line += ` S=${facts.size}`;
  line += facts.hostFields;
  if (facts.shadow !== undefined) line += ` ST=${facts.shadow}`;
  if (selects('smtp_confirmation') && facts.confirmation !== undefined) {
    line += ` C="${printingLine(facts.confirmation, facts.eightBit).replace(/["\\]/g, (c) => `\\${c}`)}"`;
  }
  if (selects('queue_time')) line += ` QT=${formatPassed(facts.queueTime, selects('millisec'))}`;
  if (selects('deliver_time')) line += ` DT=${formatPassed(facts.deliverTime, selects('millisec'))}`;
  return line;
}

export interface FailureFacts {
  readonly address: RouteAddress;
  /** The address as routers saw it, or the file or command that redirection named. */
  readonly shown: string;
  /** It is a file, command or letter. */
  readonly isTarget: boolean;
  /** It was not routed because its domain is held. */
  readonly held?: boolean | undefined;
  readonly router: string | undefined;
  readonly directors: ReadonlySet<string>;
  readonly transport: string | undefined;
  readonly message: string;
  readonly code: number;
  readonly hostFields: string;
  readonly eightBit: boolean;
  readonly sender: string;
  readonly returnPath: string;
  readonly queue: string;
  readonly deliverTime: number;
  /** It was given up for its age alone; the lines before have told the rest. */
  readonly isBare: boolean;
}

function where({ router, transport, directors }: FailureFacts): string {
  return `${router === undefined ? '' : routedBy(router, directors)}${transport === undefined ? '' : ` T=${transport}`}`;
}

/** `== address R=… T=… defer (n): reason` */
export function deferLine(facts: FailureFacts, selects: Selects): string {
  let line = `== ${(facts.isTarget ? withParents : withOrigin)(facts.shown, facts.address, selects)}`;
  const system = facts.code > 0 ? errorNumberText(facts.code) : '';
  line += queueField(facts.queue);
  line += `${where(facts) || (facts.held ? '' : ' routing')} defer (${facts.code})${system === '' ? '' : `: ${system}`}${facts.hostFields}`;
  if (selects('deliver_time')) line += ` DT=${formatPassed(facts.deliverTime, selects('millisec'))}`;
  // an objection to an event has no text; that of a router or host may be an empty one
  const said = facts.message === '' ? system !== '' || facts.code === errorCodes.objection : facts.message === system;
  return said ? line : `${line}: ${printingLine(facts.message, facts.eightBit)}`;
}

/** `** address R=… T=…: reason` */
export function failLine(facts: FailureFacts, selects: Selects): string {
  let line = `** ${(facts.isTarget ? withParents : withOrigin)(facts.shown, facts.address, selects)}`;
  if (selects('sender_on_delivery') && !facts.isBare) line += ` F=<${facts.sender}>`;
  if (!facts.isBare) line += queueField(facts.queue);
  if (selects('return_path_on_delivery') && facts.transport !== undefined) line += ` P=<${facts.returnPath}>`;
  line += `${where(facts)}${facts.hostFields}`;
  line += `: ${printingLine(withErrorText(facts.code, facts.message), facts.eightBit)}`;
  if (selects('deliver_time') && !facts.isBare) line += ` DT=${formatPassed(facts.deliverTime, selects('millisec'))}`;
  return line;
}

/** An error of the system is named before what it was about. */
export function withErrorText(code: number, message: string): string {
  if (code <= 0) return message;
  const text = errorNumberText(code);
  if (message === '' || message === text) return text;
  return `${text}: ${message}`;
}

/**
 * What tells deliveries apart, for the journal and for duplicates. One by a router with `unseen` has the router's name
 * behind it, and one of an address that came out of the same address has the transport's, so that each is done once.
 */
export function deliveryKey({ address, target, transport }: Identified): string {
  if (target !== undefined) return targetKey(target.text, address);
  const key = addressKey(address);
  const { unseenBy } = address;
  const own = unseenBy === undefined ? address : (address.parent ?? address);
  const isOfSameName = ancestorsOf(own).some((ancestor) => addressKey(ancestor) === key);
  const name = typeof transport === 'string' ? transport : transport.name;
  return `${key}${unseenBy === undefined ? '' : `/${unseenBy}`}${isOfSameName ? `/${name}` : ''}`;
}

interface Identified {
  readonly address: RouteAddress;
  readonly target: { readonly text: string } | undefined;
  readonly transport: string | { readonly name: string };
}

/** A file or command, and the address that it came from. */
export function targetKey(text: string, { parent }: RouteAddress): string {
  return `${text}:${parent === undefined ? '' : addressKey(parent)}`;
}
