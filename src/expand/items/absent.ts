/** Items for what this version has not: certificates to take apart, functions in C. They are read, and fail clearly. */

import { Text } from '../../safe/taint.ts';
import { compileBranches, type Item, plainItem } from '../evaluate.ts';
import { fail } from '../failure.ts';
import { ParseProblem, type Reader } from '../reader.ts';
import { variableReader } from '../variables.ts';

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

const certificateExtract: Item = {
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
    const branches = compileBranches(node, compiler);
    return (context) => {
      if (certificates.has(variable)) return branches({ success: false }, context);
      return variableReader(variable) === undefined
        ? fail(`no variable named "${variable}"`)
        : fail(`"${variable}" is not a certificate`);
    };
  },
};

const dlfunc: Item = plainItem({
  name: 'dlfunc',
  doc: 'what a function in C returns (not in this program)',
  minimum: 2,
  maximum: 10,
  evaluate: ([file = Text.empty]) =>
    fail(`dlopen "${file.value}" failed: this program loads no functions in C; use perl or readsocket`),
});

export const absentItems: readonly Item[] = [certificateExtract, dlfunc];
