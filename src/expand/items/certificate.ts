/** `${certextract{field}{$tls_in_peercert}…}`: a field of a certificate (Exim spec 11.5). */

import { then } from '../../lib/eventual.ts';
import { CertificateFields } from '../../net/certificate-fields.ts';
import { Text } from '../../safe/taint.ts';
import { compileBranches, evaluateAll, type Item } from '../evaluate.ts';
import { fail } from '../failure.ts';
import { ParseProblem, type Reader } from '../reader.ts';
import { variableReader } from '../variables.ts';
import { keepResults } from './choices.ts';

/** Variables that hold a certificate. */
const certificates: ReadonlySet<string> = new Set([
  'tls_in_ourcert',
  'tls_in_peercert',
  'tls_out_ourcert',
  'tls_out_peercert',
]);

/** What stands behind the name of a field. */
interface Modifiers {
  /** `CN`, `mail`, `int` … */
  readonly word: string | undefined;
  /** `>x` */
  readonly separator: string | undefined;
}

/** Items of a list; a separator within one is doubled. */
const listed = (items: readonly string[], separator = '\n'): string | undefined =>
  items.length === 0
    ? undefined
    : items.map((item) => item.replaceAll(separator, separator + separator)).join(separator);

const withoutEscape = (text: string): string => text.replaceAll('\\,', ',');

/** A name as it is written, or a list of its parts, or of those of one type. */
function nameField(parts: readonly string[], { word, separator }: Modifiers): string | undefined {
  if (word !== undefined) {
    const own = parts.filter((part) => part.startsWith(`${word}=`)).map((part) => part.slice(word.length + 1));
    return listed(own.map(withoutEscape), separator);
  }
  return separator === undefined ? parts.join(',') : listed(parts.map(withoutEscape), separator);
}

const timeField = (text: string, { word }: Modifiers): string =>
  word === 'int' ? String(Date.parse(text) / 1000) : text;

const kindsOfNames = new Map([
  ['mail', 'MAIL='],
  ['dns', 'DNS='],
  ['uri', 'URI='],
]);

function alternativeNames(names: readonly string[], { word, separator }: Modifiers): string | undefined {
  const kind = kindsOfNames.get(word ?? '');
  if (kind === undefined) return listed(names, separator);
  return listed(
    names.filter((name) => name.startsWith(kind)).map((name) => name.slice(kind.length)),
    separator,
  );
}

const fields: ReadonlyMap<string, (certificate: CertificateFields, modifiers: Modifiers) => string | undefined> =
  new Map(
    Object.entries({
      version: ({ version }: CertificateFields) => String(version),
      serial_number: ({ serialNumber }: CertificateFields) => serialNumber,
      subject: ({ subject }: CertificateFields, modifiers: Modifiers) => nameField(subject, modifiers),
      issuer: ({ issuer }: CertificateFields, modifiers: Modifiers) => nameField(issuer, modifiers),
      notbefore: ({ notBefore }: CertificateFields, modifiers: Modifiers) => timeField(notBefore, modifiers),
      notafter: ({ notAfter }: CertificateFields, modifiers: Modifiers) => timeField(notAfter, modifiers),
      sig_algorithm: ({ signatureAlgorithm }: CertificateFields) => signatureAlgorithm,
      signature: ({ signature }: CertificateFields) => signature,
      subj_altname: (certificate: CertificateFields, modifiers: Modifiers) =>
        alternativeNames(certificate.alternativeNames, modifiers),
      ocsp_uri: ({ ocspUris }: CertificateFields, { separator }: Modifiers) => listed(ocspUris, separator),
      crl_uri: ({ crlUris }: CertificateFields, { separator }: Modifiers) => listed(crlUris, separator),
    }),
  );

/** The value of `subj_altname,mail,>:`. */
function fieldOf(selector: string, pem: string): string | undefined {
  const [name = '', ...words] = selector.split(',').map((word) => word.replace(/^[ \t\n]+|[ \t\n]+$/g, ''));
  const find = fields.get(name);
  if (find === undefined) return fail(`bad field selector "${name}" for certextract`);
  const separator = words.find((word) => word.startsWith('>'))?.[1];
  return find(new CertificateFields(pem), { word: words.find((word) => !word.startsWith('>')), separator });
}

/** The name behind `{$`, up to the closing brace. */
function readCertificate(reader: Reader): string {
  reader.skipBlanks();
  if (!reader.accept('{')) throw new ParseProblem("missing '{' for cert variable arg of certextract");
  const source = reader.take(/[^}]*/y);
  if (!reader.accept('}')) throw new ParseProblem('missing } at end of string');
  if (!source.startsWith('$'))
    throw new ParseProblem('second argument of "certextract" must be a certificate variable');
  return source.slice(1);
}

export const certificateItems: readonly Item[] = [
  {
    name: 'certextract',
    doc: 'a field of a certificate',
    parse(reader) {
      reader.skipBlanks();
      if (!reader.accept('{')) throw new ParseProblem("missing '{' for field arg of certextract");
      const field = [reader.inBraces()];
      const variable = reader.within(field, () => readCertificate(reader));
      return { words: [variable], arguments: field, ...reader.within(field, () => reader.branches('certextract')) };
    },
    compile(node, compiler) {
      const [variable = ''] = node.words;
      const parts = node.arguments.map((argument) => compiler.text(argument));
      const branches = compileBranches(node, compiler);
      const read = variableReader(variable);
      return (context) =>
        keepResults(context, () => {
          if (read === undefined) return fail(`no variable named "${variable}"`);
          if (!certificates.has(variable)) return fail(`"${variable}" is not a certificate`);
          return then(evaluateAll(parts, context), ([selector = Text.empty]) =>
            then(read(context), (certificate) => {
              if (certificate === undefined || certificate.value === '') return branches({ success: false }, context);
              const value = fieldOf(selector.value, certificate.value);
              return branches(
                {
                  success: value !== undefined,
                  value: value === undefined ? undefined : Text.derived(value, certificate),
                },
                context,
              );
            }),
          );
        });
    },
  },
];
