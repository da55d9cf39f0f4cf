/** `${certextract{field}{$tls_in_peercert}…}`: a field of a certificate (Exim spec 11.5). */

import { then } from '../../lib/eventual.ts';
import { Text } from '../../safe/taint.ts';
import { certificateText } from '../certificate-text.ts';
import { compileBranches, type Item } from '../evaluate.ts';
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

export const certificateExtract: Item = {
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
    const [fieldNode] = node.arguments;
    if (fieldNode === undefined) throw new Error('certextract without its field');
    const field = compiler.text(fieldNode);
    const branches = compileBranches(node, compiler);
    const read = variableReader(variable);
    return (context) => {
      if (read === undefined) return fail(`no variable named "${variable}"`);
      if (!certificates.has(variable)) return fail(`"${variable}" is not a certificate`);
      return keepResults(context, () =>
        then(read(context), (certificate) => {
          if (certificate === undefined || certificate.value === '') return branches({ success: false }, context);
          return then(field(context), (selector) => {
            const text = certificateText(certificate.value, selector.value);
            if (typeof text === 'object') return fail(text.error);
            if (text === undefined) return branches({ success: false }, context);
            return branches({ success: true, value: Text.derived(text, certificate) }, context);
          });
        }),
      );
    };
  },
};
