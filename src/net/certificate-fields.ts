/**
 * What stands in a certificate, by the names that configurations have for it (Exim spec 11.5: certextract). Where Exim
 * leaves the form of a value to the library that it is built with, it is the form of OpenSSL.
 */

import { crypto } from '../lib/crypto.ts';
import { lower, upper } from '../lib/octets.ts';

interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

/** The elements of DER one after the other; none behind something broken. */
function elementsOf(der: Buffer): Element[] {
  const found: Element[] = [];
  let at = 0;
  while (at + 2 <= der.length) {
    const tag = der[at] ?? 0;
    const first = der[at + 1] ?? 0;
    const octets = first < 0x80 ? 0 : first & 0x7f;
    if (octets > 4 || at + 2 + octets > der.length) return found;
    const length = octets === 0 ? first : der.readUIntBE(at + 2, octets);
    const start = at + 2 + octets;
    if (start + length > der.length) return found;
    found.push({ tag, content: der.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}

const inside = (der: Buffer | undefined): Element[] => (der === undefined ? [] : elementsOf(der));

const tags = { objectIdentifier: 0x06, octetString: 0x04, version: 0xa0, extensions: 0xa3, uri: 0x86 } as const;
const crlDistributionPoints = Buffer.from('551d1f', 'hex');

/** All addresses below an element. */
function urisIn(der: Buffer, depth = 0): string[] {
  if (depth > 8) return [];
  return elementsOf(der).flatMap(({ tag, content }) =>
    tag === tags.uri ? [content.toString('latin1')] : (tag & 0x20) === 0 ? [] : urisIn(content, depth + 1),
  );
}

/** Whether a text is what a variable for certificates holds. */
export const isCertificate = (text: string): boolean => text.startsWith('-----BEGIN CERTIFICATE-----\n');

/** A certificate in parts; texts that stand in it may say anything. */
export class CertificateFields {
  readonly #certificate: import('node:crypto').X509Certificate;
  readonly #whole: Element[];
  readonly #body: Element[];

  /** @throws Error when it is no certificate */
  constructor(pem: string) {
    this.#certificate = new (crypto().X509Certificate)(pem);
    this.#whole = inside(elementsOf(this.#certificate.raw)[0]?.content);
    this.#body = inside(this.#whole[0]?.content);
  }

  /** From 1; 3 is usual. */
  get version(): number {
    const [first] = this.#body;
    return first?.tag === tags.version ? (inside(first.content)[0]?.content[0] ?? 0) + 1 : 1;
  }

  get serialNumber(): string {
    return lower(this.#certificate.serialNumber);
  }

  /** `CN=…` and so on, commas within them with a backslash. */
  get subject(): readonly string[] {
    return namesIn(this.#certificate.subject);
  }

  get issuer(): readonly string[] {
    return namesIn(this.#certificate.issuer);
  }

  /** `Dec  2 15:28:30 2026 GMT` */
  get notBefore(): string {
    return this.#certificate.validFrom;
  }

  get notAfter(): string {
    return this.#certificate.validTo;
  }

  get signatureAlgorithm(): string {
    return this.#certificate.signatureAlgorithm ?? '';
  }

  /** Octets in hexadecimal digits with blanks between them. */
  get signature(): string {
    // the first octet tells how many bits of the last are not used
    const octets = this.#whole[2]?.content.subarray(1).toString('hex') ?? '';
    return octets.replace(/..(?=.)/g, '$& ');
  }

  /** Other names: `MAIL=…`, `DNS=…`, `URI=…`. */
  get alternativeNames(): readonly string[] {
    const kinds = new Map([
      ['email', 'MAIL'],
      ['DNS', 'DNS'],
      ['URI', 'URI'],
    ]);
    // names with signs in them that could be taken for the next are quoted
    const items = (this.#certificate.subjectAltName ?? '').matchAll(/([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g);
    return [...items].flatMap(([, kind = '', value = '']) => {
      const known = kinds.get(kind);
      return known === undefined ? [] : [`${known}=${value.startsWith('"') ? String(JSON.parse(value)) : value}`];
    });
  }

  get ocspUris(): readonly string[] {
    const lines = (this.#certificate.infoAccess ?? '').split('\n');
    return lines.flatMap((line) => /^OCSP - URI:(.*)$/.exec(line)?.[1] ?? []);
  }

  get crlUris(): readonly string[] {
    const extensions = inside(this.#body.find(({ tag }) => tag === tags.extensions)?.content)[0]?.content;
    return inside(extensions).flatMap(({ content }) => {
      const [identifier, ...others] = elementsOf(content);
      if (identifier?.tag !== tags.objectIdentifier || !identifier.content.equals(crlDistributionPoints)) return [];
      const value = others.find(({ tag }) => tag === tags.octetString)?.content;
      return value === undefined ? [] : urisIn(value);
    });
  }

  /** Its digest by an algorithm, in hexadecimal capitals. */
  digest(algorithm: 'md5' | 'sha1' | 'sha256'): string {
    return upper(crypto().createHash(algorithm).update(this.#certificate.raw).digest('hex'));
  }
}

function namesIn(text: string): string[] {
  return text.split('\n').map((line) => line.replace(/^emailAddress=/, 'EMAIL='));
}
