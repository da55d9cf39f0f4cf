/** Deliveries for tests of transports: a message in a file, options as text, and surroundings that note what they hear. */

import type { EventFacts } from '../expand/context.ts';
import type { Offers } from '../hints/offer-hints.ts';
import { TestDirectory } from '../lib/test-directory.ts';
import { testContext } from '../lookups/test-context.ts';
import type { DnsAnswer } from '../net/dns-answer.ts';
import type { CertificateAssociation } from '../net/dns-records.ts';
import { DecisionTree } from '../observe/decision.ts';
import { type OptionsOf, type OptionTable, standardValues } from '../options/table.ts';
import type { Host, HostLookupResult } from '../routers/router.ts';
import * as files from '../safe/files.ts';
import { literal, type QueueId, queueId } from '../safe/taint.ts';
import { bodyInFile } from '../spool/body.ts';
import { transportCommonOptions } from './common-options.ts';
import type { HostAttempt, HostStanding, OfferMemory, RemoteServices } from './remote-services.ts';
import type { KeptConnection } from './smtp-kept.ts';
import type { Content, DeliveryAddress, DeliveryError, DeliveryRequest } from './transport.ts';

export const headers = 'From: s@sender.example\nSubject: t\n';

function someQueueId(): QueueId {
  const id = queueId('1xUNdF-0005PG-2D');
  if (id === undefined) throw new Error('no queue id');
  return id;
}

/** A message whose body lies in a file that `close` removes. */
export class TestMessage {
  readonly content: Content;
  readonly #directory = new TestDirectory();
  readonly #file: files.Descriptor;

  constructor(body = 'hello\n.dot\nend\n', lines: string = headers) {
    const path = this.#directory.write('body', body);
    this.#file = files.open(path);
    this.content = { headers: lines, body: bodyInFile(this.#file, 0, files.stat(path)?.size ?? 0) };
  }

  /** All of it, as it should arrive. */
  get whole(): string {
    const { body } = this.content;
    const buffer = Buffer.alloc(body.size);
    body.readAt(buffer, 0);
    return `${this.content.headers}\n${buffer.toString('latin1')}`;
  }

  close(): void {
    files.close(this.#file);
    this.#directory.remove();
  }
}

export function addressed(...recipients: readonly string[]): DeliveryAddress[] {
  return recipients.map((recipient) => ({
    recipient,
    original: recipient,
    file: undefined,
    pipe: undefined,
    domain: recipient.slice(recipient.lastIndexOf('@') + 1),
  }));
}

/** The values of a table in which some options are set as a configuration would set them. */
export function optionsWith<T extends OptionTable>(table: T, settings: Readonly<Record<string, string>>): OptionsOf<T> {
  const values: Record<string, unknown> = { ...standardValues(table) };
  for (const [name, text] of Object.entries(settings)) {
    const reading = table[name]?.read(text, name) ?? { error: `no option ${name}` };
    if ('error' in reading) throw new Error(reading.error);
    values[name] = reading.value;
  }
  return values as OptionsOf<T>;
}

export function requestFor(message: TestMessage, more: Partial<DeliveryRequest> = {}): DeliveryRequest {
  return {
    transport: 't1',
    common: standardValues(transportCommonOptions),
    messageId: someQueueId(),
    addresses: addressed('a@b.example'),
    hosts: [],
    returnPath: 's@sender.example',
    content: message.content,
    context: { ...testContext(), decisions: new DecisionTree() },
    home: undefined,
    directory: literal('/'),
    primaryHostname: literal('me.example'),
    uid: 0,
    gid: 0,
    ...more,
  };
}

export function host(address: string, port: number | undefined, more: Partial<Host> = {}): Host {
  return { name: address, address, port, mx: undefined, secure: false, ...more };
}

/** Surroundings where all hosts are fit to be tried, unless a test says otherwise. */
export class TestServices implements RemoteServices {
  readonly authenticators = [];
  /** `NAME DATA` of each event. */
  readonly raised: string[] = [];
  readonly raise = ({ name, data }: EventFacts): string => {
    this.raised.push(`${name} ${data}`);
    return '';
  };
  readonly logged: string[] = [];
  /** `host|message NAME [ADDRESS]:PORT CODE`, or `good NAME …`. */
  readonly noted: string[] = [];
  readonly attempts: HostAttempt[] = [];
  readonly errors: DeliveryError[] = [];
  readonly standings = new Map<string, Partial<HostStanding>>();
  readonly names = new Map<string, readonly string[]>();
  /** TLSA records by their name. */
  readonly certificates = new Map<string, DnsAnswer<CertificateAssociation>>();
  readonly localAddresses = new Set<string>();
  readonly busy = new Set<string>();
  /** Hosts that the message waits for, and those that other messages wait for. */
  readonly waiting: string[] = [];
  readonly awaited = new Set<string>();
  readonly kept: KeptConnection[] = [];
  /** What a server offered last time. */
  remembered: Offers | undefined;
  readonly offers: OfferMemory = {
    get: () => this.remembered,
    note: (_, offers) => {
      this.remembered = offers;
    },
    forget: () => {
      this.remembered = undefined;
    },
  };
  /** Hosts whose retry rules have run out. */
  readonly expiredNow = new Set<string>();

  standing(attempt: HostAttempt): HostStanding {
    this.attempts.push(attempt);
    return { due: true, expired: false, tried: false, ...this.standings.get(attempt.host.name) };
  }

  noteFailure(attempt: HostAttempt, of: 'host' | 'message', error: DeliveryError): { expired: boolean } {
    this.noted.push(`${of} ${attempt.host.name} ${error.code}`);
    this.errors.push(error);
    return { expired: this.expiredNow.has(attempt.host.name) };
  }

  noteSuccess(attempt: HostAttempt): void {
    this.noted.push(`good ${attempt.host.name}`);
  }

  addressesOf(name: string): HostLookupResult {
    const addresses = this.names.get(name);
    return addresses === undefined ? { outcome: 'nothing' } : { outcome: 'found', addresses };
  }

  certificatesOf(name: string): DnsAnswer<CertificateAssociation> {
    return this.certificates.get(name) ?? { outcome: 'nothing', kind: 'nxdomain', secure: false };
  }

  isLocal({ address }: Host): boolean {
    return this.localAddresses.has(address);
  }

  connectAlone({ name }: Host): (() => void) | undefined {
    if (this.busy.has(name)) return undefined;
    this.busy.add(name);
    return () => this.busy.delete(name);
  }

  noteWaiting(hosts: readonly string[]): void {
    this.waiting.push(...hosts);
  }

  isAwaited({ name }: Host): boolean {
    return this.awaited.has(name);
  }

  keep(connection: KeptConnection): void {
    this.kept.push(connection);
  }

  hostField({ name, address }: Host): string {
    return `H=${name} [${address}]`;
  }

  panic(text: string): void {
    this.log(text);
  }

  log(text: string): void {
    this.logged.push(text);
  }
}
