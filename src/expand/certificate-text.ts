/** What `${certextract{field}{certificate}}` shows of a certificate, field by field (Exim spec 11.5). */

import { splitList } from '../lib/list-text.ts';
import { trim } from '../lib/octets.ts';
import { certificateDate } from '../mail/date.ts';
import {
  type CertificateFields,
  certificateFields,
  certificateOctets,
  type NamePart,
  nameText,
} from '../net/certificate-fields.ts';

/** Modifiers behind the name of a field, taken apart. */
interface Modifiers {
  readonly words: readonly string[];
  /** Of lists. */
  readonly separator: string;
  readonly hasSeparator: boolean;
}

type Field = (fields: CertificateFields, modifiers: Modifiers) => string | undefined;

function joined(items: readonly string[], separator: string): string | undefined {
  return items.length === 0
    ? undefined
    : items.map((item) => item.replaceAll(separator, separator + separator)).join(separator);
}

const name =
  (part: 'subject' | 'issuer'): Field =>
  (fields, { words, separator, hasSeparator }) => {
    const parts: readonly NamePart[] = fields[part];
    const type = words.at(-1);
    if (type !== undefined) {
      const values = parts.filter((each) => each.type === type).map(({ value }) => value);
      return joined(values, separator);
    }
    if (hasSeparator)
      return joined(
        parts.map((each) => `${each.type}=${each.value}`),
        separator,
      );
    return nameText(parts);
  };

const time =
  (which: 'notBefore' | 'notAfter'): Field =>
  (fields, { words }) => {
    const milliseconds = fields[which];
    if (!Number.isFinite(milliseconds)) return undefined;
    return words.includes('int') ? String(milliseconds / 1000) : certificateDate(milliseconds);
  };

const list =
  (which: 'ocspUris' | 'crlUris'): Field =>
  (fields, { separator }) =>
    joined(fields[which], separator);

const kinds: ReadonlyMap<string, string> = new Map([
  ['dns', 'DNS'],
  ['mail', 'MAIL'],
  ['uri', 'URI'],
]);

const fieldTable: ReadonlyMap<string, Field> = new Map<string, Field>([
  ['version', ({ version }) => String(version)],
  ['serial_number', ({ serialNumber }) => serialNumber],
  ['subject', name('subject')],
  ['issuer', name('issuer')],
  ['notbefore', time('notBefore')],
  ['notafter', time('notAfter')],
  ['sig_algorithm', ({ signatureAlgorithm }) => signatureAlgorithm],
  ['signature', ({ signature }) => signature],
  [
    'subj_altname',
    ({ alternativeNames }, { words, separator }) => {
      const wanted = words.map((word) => kinds.get(word)).find((kind) => kind !== undefined);
      const shown = alternativeNames.filter(({ kind }) => wanted === undefined || kind === wanted);
      return joined(
        shown.map(({ kind, value }) => (wanted === undefined ? `${kind}=${value}` : value)),
        separator,
      );
    },
  ],
  ['ocsp_uri', list('ocspUris')],
  ['crl_uri', list('crlUris')],
]);

/** The text of a field; nothing when the certificate has none; an error for a field that there is not. */
export function certificateText(pem: string, selector: string): string | undefined | { readonly error: string } {
  const [head = '', ...words] = splitList(trim(selector), ',').items;
  const field = fieldTable.get(trim(head));
  if (field === undefined) return { error: `bad field selector "${selector}" for certextract` };
  const octets = certificateOctets(pem);
  const fields = octets === undefined ? undefined : certificateFields(octets);
  if (fields === undefined) return undefined;
  const marks = words.filter((word) => word.startsWith('>') && word.length > 1);
  const separator = marks.at(-1)?.[1];
  return field(fields, {
    words: words.filter((word) => word !== '' && !word.startsWith('>')),
    separator: separator ?? '\n',
    hasSeparator: separator !== undefined,
  });
}
