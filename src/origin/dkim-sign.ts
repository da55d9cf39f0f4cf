/** Makes DKIM-Signature: header lines (RFC 6376 §5; Exim spec 58.2), folded as Exim folds them. */

import type { KeyObject } from 'node:crypto';
import { crypto } from '../lib/crypto.ts';
import { lower, trim } from '../lib/octets.ts';
import { headerName } from '../mail/header-line.ts';
import type { Canonicalization, HashName } from './canonical-body.ts';
import { canonicalHeader, signedHeaders, withoutSignature } from './canonical-header.ts';
import { Folded } from './folded-line.ts';

export interface SigningOrder {
  readonly domain: string;
  readonly selector: string;
  /** Empty for none. */
  readonly identity: string;
  readonly key: KeyObject;
  readonly hash: HashName;
  /** Of header lines and body alike. */
  readonly form: Canonicalization;
  /** Names of header lines, as `dkim_sign_headers` has them. */
  readonly names: readonly string[];
  /** Seconds since 1970. */
  readonly times: { readonly created: number; readonly expires: number } | undefined;
}

/** The value of `dkim_sign_headers` when it is not set: what RFC 4871 names, whether it is there or not. */
export const standardNames =
  'From:Sender:Reply-To:Subject:Date:Message-ID:To:Cc:MIME-Version:Content-Type:Content-Transfer-Encoding:Content-ID:' +
  'Content-Description:Resent-Date:Resent-From:Resent-Sender:Resent-To:Resent-Cc:Resent-Message-ID:In-Reply-To:' +
  'References:List-Id:List-Help:List-Unsubscribe:List-Subscribe:List-Post:List-Owner:List-Archive';

/** The kind of key as signatures call it, or nothing when it is none that can sign. */
export function signingType(key: KeyObject): 'rsa' | 'ed25519' | undefined {
  const { asymmetricKeyType: type } = key;
  return type === 'rsa' || type === 'ed25519' ? type : undefined;
}

/**
 * The names that a signature lists: header lines that are there, the last one first, then names that no line has. A name
 * covers one line; with `=` in front all there are, with `+` all and one that is missing.
 */
export function namesToSign(headers: readonly string[], wanted: readonly string[]): readonly string[] {
  interface Want {
    readonly name: string;
    readonly mark: string;
    used: boolean;
  }
  const wants = wanted.map((item): Want => {
    const mark = /^[=+]/.exec(item)?.[0] ?? '';
    return { name: trim(item.slice(mark.length)), mark, used: false };
  });
  const byName = new Map<string, Want[]>();
  for (const want of wants) {
    const key = lower(want.name);
    byName.set(key, [...(byName.get(key) ?? []), want]);
  }
  const names: string[] = [];
  for (let i = headers.length - 1; i >= 0; i--) {
    const name = headerName(headers[i] ?? '');
    const want = byName.get(lower(name))?.find(({ mark, used }) => mark !== '' || !used);
    if (want === undefined) continue;
    want.used = true;
    names.push(name);
  }
  const missing = wants.filter(({ mark, used }) => mark === '+' || (mark === '' && !used)).map(({ name }) => name);
  return [...names, ...missing];
}

/**
 * Ends a header line with the tag `b`, which signs what `textOf` makes of the line with an empty one. Answers it with LF at its end.
 * @throws Error when the key cannot sign
 */
export function signedLine(
  begun: () => Folded,
  { key, hash }: Pick<SigningOrder, 'key' | 'hash'>,
  textOf: (unsigned: string) => string,
): string {
  const withValue = (value: string): string => {
    const line = begun();
    line.tag(`b=${value}`);
    return line.text;
  };
  const { createHash, sign } = crypto();
  // where lines are broken depends on how long the signature is
  const length = signingType(key) === 'rsa' ? Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8) : 64;
  const data = Buffer.from(textOf(withoutSignature(withValue(Buffer.alloc(length).toString('base64')))), 'latin1');
  const signature =
    signingType(key) === 'rsa' ? sign(hash, data, key) : sign(undefined, createHash(hash).update(data).digest(), key);
  return `${withValue(signature.toString('base64'))}\n`;
}

/** The whole header line, with LF at its end. @throws Error when the key cannot sign */
export function signatureLine(order: SigningOrder, headers: readonly string[], bodyHash: Buffer): string {
  const { key, hash, form, domain, selector, identity, times } = order;
  const names = namesToSign(headers, order.names);
  const begun = (): Folded => {
    const line = new Folded('DKIM-Signature: v=1;');
    for (const word of [`a=${signingType(key)}-${hash}`, 'q=dns/txt', `c=${form}/${form}`]) line.tag(word);
    line.tag(`d=${domain}`);
    line.tag(`s=${selector}`);
    line.names(names);
    line.tag(`bh=${bodyHash.toString('base64')}`);
    if (identity !== '') line.tag(`i=${identity}`);
    if (times !== undefined) {
      line.tag(`t=${times.created}`);
      line.tag(`x=${times.expires}`);
    }
    return line;
  };
  return signedLine(begun, order, (line) => signedHeaders(headers, names, form) + canonicalHeader(line, form));
}
