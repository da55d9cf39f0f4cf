/**
 * What is done to the header lines of a message that comes in (Exim spec 48): lines that must not be there are taken
 * out, and a local submission gets those that are missing.
 */

import type { Config } from '../config/config.ts';
import type { Context } from '../expand/context.ts';
import { compileTemplate } from '../expand/expand.ts';
import * as clock from '../lib/clock.ts';
import { lower, trim } from '../lib/octets.ts';
import { parseAddress } from '../mail/address.ts';
import { headerAddresses } from '../mail/address-header.ts';
import { rfc5322Date } from '../mail/date.ts';
import { encodeWords } from '../mail/encoded-word.ts';
import { type HeaderLine, headerBody, headerLine, headerName } from '../mail/header-line.ts';

/** Who hands a local message over. */
export interface Submitter {
  readonly login: string;
  /** From -F or the password file. */
  readonly fullName: string;
  /** Sender: and From: are believed. */
  readonly isTrusted: boolean;
}

/** What a message needs, by where it came from. */
export interface FixupPlan {
  readonly config: Config;
  readonly id: string;
  readonly primaryHostname: string;
  readonly qualifyDomain: string;
  readonly sender: string;
  /** A local process handed it over, or `control = submission` says to take it for that. */
  readonly submitter: Submitter | undefined;
  readonly submission:
    | { readonly domain: string | undefined; readonly name: string; readonly senderRetain: boolean }
    | undefined;
  readonly authenticatedId: string;
  /** It reports about another message, or answers it. */
  readonly isReport: boolean;
  /** Writes a line to the main and the panic log. */
  panic(text: string): void;
}

/** Lines that belong to final deliveries only. */
export function withoutDeliveryLines(headers: readonly HeaderLine[], { main }: Config): HeaderLine[] {
  const unwanted = new Set<string>();
  if (main.return_path_remove) unwanted.add('return-path');
  if (main.envelope_to_remove) unwanted.add('envelope-to');
  if (main.delivery_date_remove) unwanted.add('delivery-date');
  return headers.map((header) =>
    unwanted.has(lower(headerName(header.text))) ? { type: '*', text: header.text } : header,
  );
}

/** `Ford Prefect <ford@example.com>`, with the name quoted or encoded where it must be (Exim spec 48.18). */
export function namedAddress(name: string, address: string): string {
  if (name === '') return address;
  if (/[^ -~]/.test(name)) return `${encodeWords(name, 'UTF-8')} <${address}>`;
  const plain = /^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~ ]*$/.test(name);
  return plain ? `${name} <${address}>` : `"${name.replace(/["\\]/g, (c) => `\\${c}`)}" <${address}>`;
}

async function expandedOr(
  name: 'message_id_header_text' | 'message_id_header_domain',
  standard: string,
  { config, panic }: FixupPlan,
  context: Context,
): Promise<string> {
  const template = config.main[name];
  if (template === undefined) return standard;
  const expansion = await compileTemplate(template.source).expand(context);
  if (expansion.ok) return expansion.text.value;
  if (expansion.kind !== 'forced') panic(`expansion of "${template.source}" (${name}) failed: ${expansion.message}`);
  return standard;
}

/** The id of the message for its Message-ID: line. */
async function messageId(plan: FixupPlan, context: Context): Promise<string> {
  const { id, primaryHostname } = plan;
  const text = await expandedOr('message_id_header_text', '', plan, context);
  const domain = await expandedOr('message_id_header_domain', primaryHostname, plan, context);
  const extra = text.replace(/[^A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]/g, '-');
  return `<E${id}${extra === '' ? '' : `.${extra}`}@${(domain === '' ? primaryHostname : domain).replace(/[^A-Za-z0-9.-]/g, '-')}>`;
}

export interface FixedUp {
  readonly headers: readonly HeaderLine[];
  readonly sender: string;
  /** The Message-ID: was made here. */
  readonly messageIdMade: boolean;
}

/** Adds what a local submission lacks: Message-ID:, Date:, From:, Sender:, or their Resent- forms. */
export async function fixUp(headers: readonly HeaderLine[], plan: FixupPlan, context: Context): Promise<FixedUp> {
  const { submitter, submission } = plan;
  if (submitter === undefined && submission === undefined)
    return { headers, sender: plan.sender, messageIdMade: false };
  const present = headers.filter(({ type }) => type !== '*');
  const resent = headers.some(({ text }) => /^resent-/i.test(text));
  const prefix = resent ? 'Resent-' : '';
  const has = (name: string): boolean =>
    present.some(({ text }) => lower(headerName(text)) === lower(`${prefix}${name}`));
  const inFront: HeaderLine[] = [];
  const behind: HeaderLine[] = [];
  const messageIdMade = !has('Message-ID');
  const idLine = messageIdMade ? headerLine(`${prefix}Message-Id: ${await messageId(plan, context)}\n`) : undefined;
  const dateLine = has('Date') ? undefined : headerLine(`${prefix}Date: ${rfc5322Date(clock.now())}\n`);
  if (resent) {
    if (dateLine !== undefined) inFront.push(dateLine);
    if (idLine !== undefined) inFront.push(idLine);
  } else if (idLine !== undefined) behind.push(idLine);
  const author = authorOf(plan);
  if (!has('From') && author.from !== undefined) behind.push(headerLine(`${prefix}From: ${author.from}\n`));
  const completed = replaceLoginFrom([...inFront, ...headers, ...behind], plan);
  const fixed = withSender(completed, prefix, plan, author);
  const last = !resent && dateLine !== undefined ? [dateLine] : [];
  return { headers: [...fixed.headers, ...last], sender: fixed.sender, messageIdMade };
}

/** The address that From: and Sender: should have. */
interface Author {
  /** For a new From: line, if one may be made. */
  readonly from: string | undefined;
  /** The bare address that From: is compared with. */
  readonly address: string | undefined;
  readonly name: string;
}

function authorOf({ submitter, submission, sender, authenticatedId, qualifyDomain, isReport }: FixupPlan): Author {
  if (submission !== undefined) {
    const { domain, name } = submission;
    const address =
      authenticatedId === ''
        ? undefined
        : domain === ''
          ? authenticatedId
          : `${authenticatedId}@${domain ?? qualifyDomain}`;
    const from = sender !== '' ? sender : address;
    return { from: from === undefined ? undefined : namedAddress(name, from), address, name };
  }
  const login = submitter?.login ?? '';
  const name = submitter?.fullName ?? '';
  const own = `${login}@${qualifyDomain}`;
  // a bounce names nobody, but what this server itself has sent names who did it
  if (sender === '') return { from: isReport ? own : undefined, address: own, name };
  const from = sender;
  return { from: from === own || name !== '' ? namedAddress(name, from) : from, address: own, name };
}

/** A From: line that holds just the caller's login name gets the whole address (Exim spec 48.11). */
function replaceLoginFrom(headers: readonly HeaderLine[], { submitter, qualifyDomain }: FixupPlan): HeaderLine[] {
  if (submitter === undefined) return [...headers];
  return headers.flatMap((header) => {
    if (header.type !== 'F' || trim(headerBody(header.text)) !== submitter.login) return [header];
    const name = headerName(header.text);
    const address = namedAddress(submitter.fullName, `${submitter.login}@${qualifyDomain}`);
    return [{ type: '*', text: header.text } as const, headerLine(`${name}: ${address}\n`)];
  });
}

/** Takes Sender: lines of untrusted callers out, and adds one when From: is not the caller's (Exim spec 48.16). */
function withSender(
  headers: readonly HeaderLine[],
  prefix: string,
  plan: FixupPlan,
  author: Author,
): { readonly headers: readonly HeaderLine[]; readonly sender: string } {
  const { submitter, submission, sender, config } = plan;
  const { main } = config;
  const believed = submission === undefined ? submitter?.isTrusted !== false : submission.senderRetain;
  if (believed) return { headers, sender };
  const retain = submission === undefined && main.local_sender_retain;
  const kept: HeaderLine[] = retain
    ? [...headers]
    : headers.map((header) => (header.type === 'S' ? { type: '*', text: header.text } : header));
  if (author.address === undefined || (submission === undefined && !main.local_from_check)) {
    return { headers: kept, sender };
  }
  const returnPath = submission === undefined || sender === '' ? sender : author.address;
  const from = kept.find(({ type, text }) => type === 'F' && lower(headerName(text)) === lower(`${prefix}From`));
  const found = from === undefined ? undefined : headerAddresses(from.text)[0];
  if (found === undefined || isOwn(found.address, author.address, plan)) return { headers: kept, sender: returnPath };
  kept.push(headerLine(`${prefix}Sender: ${namedAddress(author.name, author.address)}\n`));
  return { headers: kept, sender: returnPath };
}

/** Whether an address is the caller's own, also with the prefixes and suffixes that are allowed. */
function isOwn(address: string, own: string, { config, qualifyDomain }: FixupPlan): boolean {
  const parsed = parseAddress(address);
  if ('error' in parsed) return false;
  const full = parsed.domain === undefined ? `${parsed.address}@${qualifyDomain}` : parsed.address;
  const same = (text: string): boolean => lower(text) === lower(own);
  if (same(parsed.address) || same(full)) return true;
  const at = full.lastIndexOf('@');
  const [local, domain] = [full.slice(0, at), full.slice(at)];
  const { local_from_prefix: prefix = '', local_from_suffix: suffix = '' } = config.main;
  const bare = local.slice(
    prefix !== '' && local.startsWith(prefix.replace('*', '')) ? prefix.replace('*', '').length : 0,
    suffix !== '' && local.endsWith(suffix.replace('*', '')) ? -suffix.replace('*', '').length || undefined : undefined,
  );
  return same(`${bare}${domain}`);
}
