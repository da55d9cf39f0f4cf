/**
 * The zone of the name server for tests (`test-dns.ts`): text, a line each, `name TYPE data` (A AAAA CNAME DNAME MX NS PTR
 * SOA SRV TLSA TXT) or `name FAULT …`:
 *
 *     name SERVFAIL [TYPE]     likewise REFUSED, FORMERR, NOTIMP
 *     name DROP [TYPE]         never an answer          name DELAY ms          a late one
 *     name TRUNCATE            by UDP the TC bit alone  name GARBAGE           octets that are no DNS message
 *     name WRONGID             only a wrong id          name WRONGNAME         only the answer to another question
 *     name OTHERPORT           first a forged answer (A 192.0.2.66) from another port, then the true one
 *     name SECURE              the AD bit               name UNFOLLOWED        a CNAME without its target's records
 *     name NOEDNS              FORMERR to a question with EDNS
 *     $TTL seconds             for the records that follow; $NEGATIVE seconds: the SOA minimum of all answers
 */

import type { Answer } from 'dns-packet';

type Base = { readonly name: string; readonly ttl: number; readonly class: 'IN' };
type Write = (base: Base, words: readonly string[]) => Answer;

/** The record types of a zone, and how their data are written. */
export const writers: Readonly<Record<string, Write>> = {
  A: (base, [data = '']) => ({ ...base, type: 'A', data }),
  AAAA: (base, [data = '']) => ({ ...base, type: 'AAAA', data }),
  CNAME: (base, [data = '']) => ({ ...base, type: 'CNAME', data }),
  DNAME: (base, [data = '']) => ({ ...base, type: 'DNAME', data }),
  NS: (base, [data = '']) => ({ ...base, type: 'NS', data }),
  PTR: (base, [data = '']) => ({ ...base, type: 'PTR', data }),
  MX: (base, [preference, exchange = '']) => ({
    ...base,
    type: 'MX',
    data: { preference: Number(preference), exchange },
  }),
  TXT: (base, words) => {
    const octets = Buffer.from(words.join(' '), 'latin1');
    const strings: Buffer[] = [];
    for (let at = 0; at === 0 || at < octets.length; at += 255) strings.push(octets.subarray(at, at + 255));
    return { ...base, type: 'TXT', data: strings };
  },
  SRV: (base, [priority, weight, port, target = '']) => ({
    ...base,
    type: 'SRV',
    data: { priority: Number(priority), weight: Number(weight), port: Number(port), target },
  }),
  SOA: (base, [mname = '', rname = '', ...numbers]) => {
    const [serial = 0, refresh = 0, retry = 0, expire = 0, minimum = 0] = numbers.map(Number);
    return { ...base, type: 'SOA', data: { mname, rname, serial, refresh, retry, expire, minimum } };
  },
  TLSA: (base, [usage, selector, matchingType, hex = '']) => ({
    ...base,
    type: 'TLSA',
    data: {
      usage: Number(usage),
      selector: Number(selector),
      matchingType: Number(matchingType),
      certificate: Buffer.from(hex, 'hex'),
    },
  }),
};

export interface Fault {
  readonly name: string;
  readonly what: string;
  readonly argument: string;
}

export interface Zone {
  readonly records: readonly Answer[];
  readonly faults: readonly Fault[];
  readonly names: ReadonlySet<string>;
  /** The SOA record that comes with every answer without records. */
  readonly denial: Answer;
}

/** A name as it is compared. */
export function plain(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

export function parseZone(text: string): Zone {
  const records: Answer[] = [];
  const faults: Fault[] = [];
  const names = new Set<string>();
  let ttl = 300;
  let negative = 60;
  for (const line of text.split('\n')) {
    const [first = '', word = '', ...words] = line.trim().split(/\s+/);
    if (first === '' || first.startsWith('#')) continue;
    if (first === '$TTL') ttl = Number(word);
    else if (first === '$NEGATIVE') negative = Number(word);
    else {
      const name = plain(first);
      const write = writers[word];
      if (write !== undefined) records.push(write({ name: name || '.', ttl, class: 'IN' }, words));
      else faults.push({ name, what: word, argument: words[0] ?? '' });
      for (let rest = name; ; rest = rest.slice(rest.indexOf('.') + 1)) {
        names.add(rest);
        if (!rest.includes('.')) break;
      }
    }
  }
  const data = { mname: 'ns.test', rname: 'hostmaster.test', minimum: negative };
  return { records, faults, names, denial: { name: '.', ttl: negative, class: 'IN', type: 'SOA', data } };
}
