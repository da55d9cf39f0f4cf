/**
 * The record types of `dnsdb` queries and how each is asked for and written (Exim spec 9.10, 9.12). One table; a type may
 * ask several questions, and goes from a name to its parents if that is its way.
 */

import { isIp, parseIp, reverseName } from '../net/address.ts';
import type { DnsAnswer } from '../net/dns-answer.ts';
import type { DataOf, RecordType } from '../net/dns-records.ts';
import { csaRecords } from './dnsdb-csa.ts';
import type { MainOptions } from './surroundings.ts';

/** Asks the DNS as the query wants it asked. */
export type Ask = <T extends RecordType>(name: string, type: T) => Promise<DnsAnswer<DataOf<T>>>;

/** The records as texts, one each; nothing when there are none; or no answer at all. */
export type Records =
  | { readonly outcome: 'found'; readonly texts: readonly string[] }
  | { readonly outcome: 'nothing' | 'again' };

/** One question of a type. `fieldSeparator` is what the query says of it. */
export type Question = (
  name: string,
  fieldSeparator: string | undefined,
  ask: Ask,
  options: MainOptions,
) => Promise<Records>;

function recordsOf<Data>(answer: DnsAnswer<Data>, write: (data: Data) => string): Records {
  if (answer.outcome !== 'found') return { outcome: answer.outcome };
  return { outcome: 'found', texts: answer.records.map(write) };
}

/** A type of which one name is asked, whose records are written by `write`. */
function plain<T extends RecordType>(
  type: T,
  write: (data: DataOf<T>, fieldSeparator: string | undefined) => string,
): Question {
  return async (name, separator, ask) => recordsOf(await ask(name, type), (data) => write(data, separator));
}

/** A type that is asked for at a name and, while there is nothing, at its parents. */
function climbing<T extends RecordType>(
  type: T,
  write: (data: DataOf<T>, fieldSeparator: string | undefined) => string,
): Question {
  return async (asked, separator, ask) => {
    for (let name = asked; ; name = name.slice(name.indexOf('.') + 1)) {
      const answer = await ask(name, type);
      if (answer.outcome !== 'nothing' || !name.includes('.')) {
        return recordsOf(answer, (data) => write(data, separator));
      }
    }
  };
}

const itself = (text: string): string => text;

const address: Question = plain('A', itself);
const sixAddress: Question = plain('AAAA', itself);

const fields =
  (...texts: readonly (string | number)[]) =>
  (separator: string | undefined): string =>
    texts.join(separator ?? ' ');

/** The strings of a TXT record. An empty one at the end is not counted. */
function strings(texts: readonly string[], separator: string): string {
  const last = texts.length > 1 && texts.at(-1) === '' ? -1 : undefined;
  return texts.slice(0, last).join(separator);
}

/** An address stands for the name that it has in the DNS. */
function pointerName(text: string): string {
  const octets = parseIp(text);
  return octets === undefined ? text : reverseName(octets);
}

const pointer: Question = (name, separator, ask, options) =>
  plain('PTR', itself)(isIp(name) ? pointerName(name) : name, separator, ask, options);

export const dnsdbTypes: ReadonlyMap<string, readonly Question[]> = new Map([
  ['a', [address]],
  ['aaaa', [sixAddress]],
  ['a+', [sixAddress, address]],
  ['cname', [plain('CNAME', itself)]],
  ['csa', [csaRecords]],
  ['mx', [plain('MX', ({ preference, exchange }, separator) => fields(preference, exchange)(separator))]],
  ['mxh', [plain('MX', ({ exchange }) => exchange)]],
  ['ns', [plain('NS', itself)]],
  ['ptr', [pointer]],
  [
    'soa',
    [
      climbing('SOA', (soa, separator) => {
        const { server, mailbox, serial, refresh, retry, expire, minimum } = soa;
        // nothing asks for the other fields but a separator to put between them
        return separator ? fields(server, mailbox, serial, refresh, retry, expire, minimum)(separator) : server;
      }),
    ],
  ],
  ['spf', [plain('SPF', (texts, separator) => strings(texts, separator ?? ''))]],
  [
    'srv',
    [
      plain('SRV', ({ priority, weight, port, target }, separator) =>
        fields(priority, weight, port, target)(separator),
      ),
    ],
  ],
  [
    'tlsa',
    [
      plain('TLSA', ({ usage, selector, matchingType, data }, separator) =>
        fields(usage, selector, matchingType, Buffer.from(data).toString('hex'))(separator),
      ),
    ],
  ],
  [
    'txt',
    [plain('TXT', (texts, separator) => (separator === undefined ? (texts[0] ?? '') : strings(texts, separator)))],
  ],
  ['zns', [climbing('NS', itself)]],
]);
