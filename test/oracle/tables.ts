/**
 * Random table files: text with odd syntax for the lsearch family and iplsearch, and the same text built to DBM by each
 * side's exim_dbmbuild; searched with partial matching, defaults and options.
 */

import fc from 'fast-check';
import type { Pair, Subject } from './compare.ts';
import { compareLines, usable } from './lines.ts';
import { type Files, type Job, runBoth } from './room.ts';
import { many, oneOf, oneOfWords, sample, sequence } from './words.ts';

const key = oneOfWords('a b.c x.b.c *.b.c *.c * *@b.c ann@b.c .b.c A 1.2.3.4 1.2.3.0/24 k-1 x#y a:b ^a \\\\x');
const data = oneOf(
  '',
  'one',
  'two  words',
  ' x ',
  'a:b',
  '"quoted"',
  '# no comment',
  'back\\slash',
  'tab\tx',
  '8bit\xe9',
  ',',
);
const separator = oneOf(': ', ':', ' : ', '  ', '\t', '', ' :: ');
const quotedKey = oneOf(
  '"a"',
  '"b c"',
  '"q\\"r"',
  '"x\\\\y"',
  '"a:b"',
  '"',
  '"open',
  '"n\\nl"',
  '"1.2.3.0/24"',
  '"::1"',
  '"\\x41"',
);
const line = fc.oneof(
  { weight: 6, arbitrary: sequence(key, separator, data) },
  { weight: 2, arbitrary: sequence(quotedKey, separator, data) },
  oneOf(
    '',
    ' ',
    '#comment',
    '# a: comment',
    ' continued',
    '\tcontinued # not',
    '   ',
    ' # comment after blanks',
    ':',
    ': x',
  ),
);
const text = many(line, '\n', { most: 14 }).chain((lines) =>
  oneOf('\n', '', '\n\n', '\n more').map((end) => lines + end),
);

const wanted = fc.oneof(
  key,
  oneOf('b c', 'q"r', 'x\\\\y', 'zz', 'y.x.b.c', 'bob@b.c', 'A.', '1.2.3.9', '::1', 'a', 'ANN@B.C', '8'),
);
const affixes = oneOf(
  '',
  '',
  '',
  'partial-',
  'partial1-',
  'partial3-',
  'partial0-',
  'partial(.)',
  'partial2()',
  'partial-x',
);
const ends = oneOf('', '', '', '*', '*@', '*x');
const options = oneOf('', '', '', ',ret=full', ',ret=key', ',cache=no_rd', ',ret=x', ',', ',filter=dir');
const textType = oneOfWords('lsearch lsearch lsearch wildlsearch nwildlsearch iplsearch lsearch;x');

const lookup = (type: fc.Arbitrary<string>, file: string): fc.Arbitrary<string> =>
  sequence('${lookup{', wanted, '}', affixes, type, ends, options, `{${file}}{[$value] $1 $2}{none}}`);

const tablesOfRound = 12;
const searchesOfTable = 30;

/** Builds each table on both sides; what they say of it is compared, too. */
async function compareBuilds(files: Files, count: number): Promise<Pair[]> {
  const jobs = Array.from({ length: count }, (_, i): Job[] => [
    { tool: 'exim_dbmbuild', words: [`/mnt/t${i}`, `/mnt/d${i}`] },
    { tool: 'exim_dbmbuild', words: ['-nolc', '-nowarn', '-noduperr', `/mnt/t${i}`, `/mnt/n${i}`] },
    { tool: 'exim_dbmbuild', words: ['-lastdup', '-nozero', `/mnt/t${i}`, `/mnt/z${i}`] },
  ]).flat();
  const searches = Array.from({ length: count }, (_, i) =>
    ['d', 'n', 'z'].flatMap((name) =>
      ['a', 'A', 'b.c', 'b c', '*', 'zz'].map(
        (each) => `\${lookup{${each}}dbm${name === 'z' ? 'nz' : ''}{/mnt/${name}${i}}}`,
      ),
    ),
  ).flat();
  const probe: Job = { words: ['-C', '/mnt/conf', '-be'], input: `${searches.join('\n')}\n` };
  const { real, ours } = await runBoth(files, [...jobs, probe]);
  return real.map((outcome, i) => ({
    input: `${jobs[i]?.words.join(' ') ?? 'searches in what was built'} with ${JSON.stringify(files.get(`t${Math.floor(i / 3)}`))}`,
    real: shown(outcome),
    ours: shown(ours[i]),
  }));
}

const shown = (
  outcome: { readonly stdout: string; readonly stderr: string; readonly status: number } | undefined,
): string =>
  `${outcome?.stdout}${outcome?.stderr}status ${outcome?.status}`.replace(/Berkeley DB error: .*/, 'Berkeley DB error');

export const tables: Subject = {
  name: 'tables',
  async round(seed: number): Promise<readonly Pair[]> {
    const texts = sample(text, tablesOfRound, seed);
    const files = new Map([
      ['conf', 'primary_hostname = mail.example\nkeep_environment = PATH\n'],
      ...texts.map((table, i): [string, string] => [`t${i}`, table]),
    ]);
    const lines = texts.flatMap((_, i) => sample(lookup(textType, `/mnt/t${i}`), searchesOfTable, seed * 100 + i));
    const found = await compareLines(files, ['-C', '/mnt/conf'], usable(lines));
    const withTable = found.map((pair) => {
      const [, number = ''] = /\/mnt\/t(\d+)/.exec(pair.input) ?? [];
      return { ...pair, input: `${pair.input} with ${JSON.stringify(texts[Number(number)])}` };
    });
    return [...withTable, ...(await compareBuilds(files, tablesOfRound))];
  },
};
