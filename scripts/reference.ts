// Writes docs/reference/ and the generated part of docs/compatibility.md. With --check it writes nothing, names the pages
// that differ, and exits with 1 if there are any.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandLineOptions } from '../src/cli/options.ts';
import { pageWithMarks, withGeneratedPart } from '../src/options/document.ts';
import { compatibilityPart } from '../src/tools/compatibility.ts';
import { referencePages } from '../src/tools/reference.ts';

const docs = join(dirname(dirname(fileURLToPath(import.meta.url))), 'docs');
const reference = join(docs, 'reference');
const textOf = (path: string): string | undefined => (existsSync(path) ? readFileSync(path, 'utf8') : undefined);

const wanted = new Map([...referencePages(commandLineOptions)].map(([file, text]) => [join(reference, file), text]));
const compatibility = join(docs, 'compatibility.md');
const written = textOf(compatibility) ?? pageWithMarks('Compatibility with Exim');
const completed = withGeneratedPart(written, compatibilityPart());
if (completed === undefined) throw new Error(`${compatibility} has lost the marks around its generated part`);
wanted.set(compatibility, completed);

const present = existsSync(reference) ? readdirSync(reference).map((file) => join(reference, file)) : [];
const left = present.filter((path) => path.endsWith('.md') && !wanted.has(path));
const different = [...wanted].filter(([path, text]) => textOf(path) !== text);

if (process.argv.includes('--check')) {
  for (const path of [...different.map(([path]) => path), ...left]) console.error(`${path} is not what the tables say`);
  if (different.length + left.length > 0) process.exitCode = 1;
} else {
  mkdirSync(reference, { recursive: true });
  for (const [path, text] of different) writeFileSync(path, text);
  for (const path of left) rmSync(path);
}
