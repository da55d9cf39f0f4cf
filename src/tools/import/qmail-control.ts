/** qmail's control files (qmail-control(5)): which domains it takes in, and which of them belong to whom. */

import { lower, trim } from '../../lib/octets.ts';
import { type Clean, literal, pathOf } from '../../safe/taint.ts';
import { controlLines, type InputLine } from './input-lines.ts';
import type { Origin, Teller } from './record.ts';

/** A line of `virtualdomains`: mail for the domain goes to the names that begin with `prefix-`. */
export interface VirtualDomain {
  readonly domain: string;
  readonly prefix: string;
  readonly origin: Origin;
}

export interface QmailControl {
  /** Domains whose names are those of users and of ~alias; the first is the one that mailboxes get. */
  readonly locals: readonly { readonly domain: string; readonly origin: Origin }[];
  readonly virtual: readonly VirtualDomain[];
  /** Taken in for others: names, and `*.name`. */
  readonly relay: readonly { readonly domain: string; readonly origin: Origin }[];
  /** What addresses without a domain get. */
  readonly addedDomain: string | undefined;
  /** Where mail goes when a .qmail file says nothing. */
  readonly defaultDelivery: string;
}

const domainName = /^[a-z0-9_\x80-\xff](?:[a-z0-9_.\x80-\xff-]*[a-z0-9_\x80-\xff])?$/;

/** Reads the directory `control`. */
export function qmailControl(directory: Clean, teller: Teller): QmailControl {
  const read = (name: Clean): InputLine[] =>
    (controlLines(pathOf(directory, name), teller) ?? [])
      .map(({ text, line }) => ({ text: trim(text), line }))
      .filter(({ text }) => text !== '' && !text.startsWith('#'));
  const one = (name: Clean): string | undefined => read(name)[0]?.text;
  const me = one(literal('me'));
  const domains = (name: Clean): { domain: string; origin: Origin }[] => {
    const found: { domain: string; origin: Origin }[] = [];
    for (const { text, line } of read(name)) {
      const origin = { file: pathOf(directory, name), line };
      const domain = lower(text);
      const known = domainName.test(domain.replace(/^\./, ''));
      if (known) found.push({ domain: domain.startsWith('.') ? `*${domain}` : domain, origin });
      else teller.lost(origin, `"${text}" is no domain`);
    }
    return found;
  };
  const named = domains(literal('locals'));
  const ownName =
    me === undefined ? [] : [{ domain: lower(me), origin: { file: pathOf(directory, literal('me')), line: 1 } }];
  const locals = named.length > 0 ? named : ownName;
  const listed = virtualDomains(read(literal('virtualdomains')), pathOf(directory, literal('virtualdomains')), teller);
  const ours = new Set([...locals.map(({ domain }) => domain), ...listed.map(({ domain }) => domain)]);
  const virtual = listed.filter(({ domain, origin }) => {
    const isOurs = ours.has(domain.slice(domain.lastIndexOf('@') + 1));
    if (!isOurs) teller.lost(origin, `${domain}: our tables take in whole domains, and this one is not ours`);
    return isOurs;
  });
  const accepted = [...domains(literal('rcpthosts')), ...domains(literal('morercpthosts'))];
  return {
    locals,
    virtual,
    relay: accepted.filter(({ domain }) => !ours.has(domain)),
    addedDomain: one(literal('envnoathost')) ?? me ?? locals[0]?.domain,
    defaultDelivery: one(literal('defaultdelivery')) ?? './Mailbox',
  };
}

function virtualDomains(lines: readonly InputLine[], file: Clean, teller: Teller): VirtualDomain[] {
  const found: VirtualDomain[] = [];
  for (const { text, line } of lines) {
    const origin = { file, line };
    const colon = text.indexOf(':');
    if (colon < 0) {
      teller.lost(origin, 'a colon is missing');
      continue;
    }
    const name = lower(text.slice(0, colon));
    const prefix = lower(text.slice(colon + 1));
    // an empty prefix says that the domain is not virtual
    if (prefix === '') continue;
    if (name === '') teller.lost(origin, 'a virtual domain for all other domains fits in no table');
    else if (name.startsWith('.'))
      teller.lost(origin, `all domains below ${name.slice(1)}: our tables name each domain`);
    else if (!domainName.test(name.slice(name.lastIndexOf('@') + 1))) teller.lost(origin, `"${name}" is no domain`);
    else found.push({ domain: name, prefix, origin });
  }
  return found;
}
