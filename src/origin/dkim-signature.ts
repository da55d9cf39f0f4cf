/**
 * One DKIM-Signature: header line, read (RFC 6376 §3.5) as leniently as Exim reads it; those of ARC have the same tags.
 */

import { decodeBase64 } from '../lib/base64.ts';
import { headerBody } from '../mail/header-line.ts';
import type { Canonicalization, HashName } from './canonical-body.ts';
import { decodeQuotedPrintable, parseTags, withoutBlanks } from './tags.ts';

export type KeyType = 'rsa' | 'ed25519';

export interface DkimSignature {
  /** The whole header line. */
  readonly line: string;
  readonly keyType: KeyType;
  readonly hash: HashName;
  readonly headerForm: Canonicalization;
  readonly bodyForm: Canonicalization;
  readonly domain: string;
  readonly selector: string;
  /** Empty when it names none. */
  readonly identity: string;
  /** Names with colons between them. */
  readonly headerNames: string;
  /** Header lines as they were when it was made (tag z). */
  readonly copiedHeaders: string;
  /** Octets of the body that it covers; all of it when nothing is said. */
  readonly bodyLength: number | undefined;
  /** Seconds since 1970. */
  readonly created: number | undefined;
  readonly expires: number | undefined;
  readonly bodyHash: Buffer;
  readonly signature: Buffer;
  /** Why it cannot be right, whatever the message: a tag is missing or makes no sense, or the version is unknown. */
  readonly fault: 'tag' | 'version' | undefined;
}

const keyTypes: ReadonlySet<string> = new Set<KeyType>(['rsa', 'ed25519']);
const hashes: ReadonlySet<string> = new Set<HashName>(['sha1', 'sha256', 'sha512']);
const isKeyType = (word: string): word is KeyType => keyTypes.has(word);
const isHash = (word: string): word is HashName => hashes.has(word);

/** `relaxed/simple`; what is not understood is simple. */
function forms(text: string): readonly [Canonicalization, Canonicalization] {
  const [header, body = 'simple', ...more] = text.split('/');
  const known = ['simple', 'relaxed'].includes(header ?? '') && ['simple', 'relaxed'].includes(body);
  if (!known || more.length > 0) return ['simple', 'simple'];
  return [header === 'relaxed' ? 'relaxed' : 'simple', body === 'relaxed' ? 'relaxed' : 'simple'];
}

/** A number that begins the text, or 0. */
function numberOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return Number(/^\d{1,15}/.exec(text)?.[0] ?? '0');
}

const octetsOf = (text: string): Buffer => Buffer.from(decodeBase64(text) ?? '', 'latin1');

export function isSignature(line: string): boolean {
  return /^dkim-signature:/i.test(line);
}

/**
 * Nothing when it is no signature, or one by a method that nobody knows: it is then as if it were not there. `required`
 * are the tags that it must have beside `a` and `b`.
 */
export function readSignature(
  line: string,
  required: readonly string[] = ['v', 'd', 's', 'h'],
): DkimSignature | undefined {
  const tags = parseTags(headerBody(line));
  const value = (name: string): string => withoutBlanks(tags?.get(name) ?? '');
  const [keyType = '', hash = '', ...more] = value('a').split('-');
  if (tags === undefined || !isKeyType(keyType) || !isHash(hash) || more.length > 0) return undefined;
  const [headerForm, bodyForm] = forms(value('c'));
  const signature = octetsOf(value('b'));
  const isWhole = required.every((name) => value(name) !== '') && signature.length > 0;
  const isKnown = !required.includes('v') || value('v') === '1';
  return {
    line,
    keyType,
    hash,
    headerForm,
    bodyForm,
    domain: value('d'),
    selector: value('s'),
    identity: decodeQuotedPrintable(tags.get('i') ?? ''),
    headerNames: value('h'),
    copiedHeaders: decodeQuotedPrintable(tags.get('z') ?? ''),
    bodyLength: numberOf(tags.get('l')),
    created: numberOf(tags.get('t')),
    expires: tags.has('x') && /^\d/.test(value('x')) ? numberOf(value('x')) : undefined,
    bodyHash: octetsOf(value('bh')),
    signature,
    fault: !isWhole ? 'tag' : isKnown ? undefined : 'version',
  };
}
