/**
 * Compares this program with a real Exim on generated expansions: random ones over the whole grammar, and lists. For
 * developers; it is no part of the tests, as it needs a real Exim.
 *
 *   EXIM=/path/to/exim [ROUNDS=20] [SEED=1] node scripts/compare-with-exim.ts
 *
 * EXIM is a program that takes `-be` and uses a configuration like test/expansions/expansions.conf (a script may run
 * the real one so); TABELLA names another build of ours. What differs is printed with the seed that made it.
 */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';

const root = fileURLToPath(new URL('..', import.meta.url));
const {
  EXIM: exim,
  TABELLA: ours = join(root, 'bin/exim'),
  ROUNDS = '20',
  SEED = String(Date.now() % 1_000_000),
} = process.env;
const linesOfRound = 400;

const operators = [
  'address addresses base32 base32d base62 base62d base64 base64d domain escape escape8bit eval eval10 from_utf8 hash_3',
  'hash_3_5 hex2b64 hexquote ipv6denorm lc length_3 l_2 listcount local_part mask mask_n md5 nhash_5 nhash_5_7 quote',
  'quote_local_part quote_lsearch reverse_ip rfc2047 rfc2047d rxquote sha1 sha256 sha2_512 sha3 str2b64 strlen substr_1_2',
  'substr_-2 s_-3_2 time_eval time_interval uc utf8clean utf8_domain_to_alabel utf8_localpart_to_alabel',
  'utf8_localpart_from_alabel expand',
].flatMap((line) => line.split(' '));

const literals = [
  'a',
  'b',
  'abc',
  'A.B@C.D',
  'x@y.z (c)',
  '0',
  '1',
  '42',
  '-1',
  '7K',
  '1+1',
  '(2*3)',
  '4d2h',
  '',
  ' ',
  '  x ',
  ':',
  'a:b:c',
  '<, a,b,c',
  ' : ',
  'a=1 b="x y"',
  '1.2.3.4',
  '1.2.3.4/24',
  '::1',
  '2001:db8::1/33',
  '"q r"@x.y',
  '\\n',

  '\\t',
  '\\xff',
  '\\xc3\\xa4',
  '\\x41',
  '\\101',
  '\\\\',
  '\\$',
  '\\{',
  '\\}',
  '=?utf-8?q?=c3=a4?=',
  'YWJj',
  '6a6b',
  '\\N$x\\N',
  '(a)',
  '^a',
  '.*',
  '[',
  'yes',
  'no',
  'false',
  ',',
  ';',
  '@',
  '<a@b>',
  "'",
  '%',
  '#',
  '&',
];
const variables = [
  '$primary_hostname',
  '$value',
  '$item',
  '$1',
  '$0',
  '${2}',
  '$h_subject:',
  '$acl_m0',
  '$nosuch',
  '$domain',
];
const binary = ['eq', 'eqi', 'lt', 'gti', 'ge', 'lei', '=', '==', '<', '<=', '>', '>=', 'match', 'inlist', 'inlisti'];
const unary = ['isip', 'isip4', 'isip6', 'bool', 'bool_lax', 'exists'];
const listed = ['match_domain', 'match_address', 'match_local_part'];
const plainLists = ['a:b', '*', '*.c', '+local_domains', '!a:*', '^a', 'a@b', '*@c', ':', ''];

/** One line of the grammar; `depth` keeps it small. */
const { text } = fc.letrec<{ text: string; piece: string; item: string; condition: string; branches: string }>(
  (tie) => {
    const b = tie('text').map((part) => `{${part}}`);
    const list = (...parts: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
      fc.tuple(...parts).map((all) => all.join(''));
    const word = (...words: string[]): fc.Arbitrary<string> => fc.constantFrom(...words);
    return {
      text: fc.array(tie('piece'), { minLength: 0, maxLength: 3 }).map((parts) => parts.join('')),
      piece: fc.oneof(
        { maxDepth: 4, withCrossShrink: true },
        { weight: 5, arbitrary: word(...literals) },
        { weight: 1, arbitrary: word(...variables) },
        { weight: 3, arbitrary: list(word('${'), word(...operators), word(':'), tie('text'), word('}')) },
        { weight: 3, arbitrary: tie('item') },
      ),
      branches: fc.oneof(word('', ' '), b, list(b, b), list(b, word('fail', ' fail '))),
      item: fc.oneof(
        list(word('${if '), tie('condition'), tie('branches'), word('}')),
        list(word('${map', '${map '), b, b, word('}')),
        list(word('${filter'), b, word('{'), tie('condition'), word('}}')),
        list(word('${reduce'), b, b, b, word('}')),
        list(word('${sort'), b, word('{<}', '{lt}', '{>=}', '{gti}'), b, word('}')),
        list(word('${extract'), b, b, tie('branches'), word('}')),
        list(word('${extract{2}'), b, b, tie('branches'), word('}')),
        list(word('${listextract'), word('{1}', '{-1}', '{2}', '{x}'), b, tie('branches'), word('}')),
        list(word('${listquote'), word('{:}', '{,}'), b, word('}')),
        list(word('${sg'), b, b, b, word('}')),
        list(word('${tr'), b, b, b, word('}')),
        list(word('${substr{1}{2}', '${length{2}', '${hash{3}{62}', '${nhash{7}', '${hmac{md5}{k}'), b, word('}')),
        list(word('${imapfolder', '${srs_encode{s}{a@b}', '${prvscheck{a}'), b, word('}')),
      ),
      condition: fc.oneof(
        { maxDepth: 3 },
        list(word('', '!', '! '), word(...binary), b, b),
        list(word(...unary), b),
        list(word(...listed), b, word(...plainLists.map((each) => `{${each}}`))),
        list(word('match_ip'), b, word('{1.2.3.4}', '{*}', '{1.2.3.0/24}', '{<; ::1}')),
        list(word('def:'), word('domain', 'primary_hostname', 'h_subject:', 'nosuch')),
        list(word('and{{', 'or{{'), tie('condition'), word('}{'), tie('condition'), word('}}')),
        list(word('forany', 'forall'), b, word('{'), tie('condition'), word('}')),
      ),
    };
  },
);

/** What must differ, and why (docs/compatibility.md); `real` is what the real one printed. */
const accepted: readonly { readonly why: string; applies(line: string, real: string, our: string): boolean }[] = [
  {
    why: 'our failure is told more clearly',
    applies: (_, real, our) => /^Failed: (?:$|.*NULL)/.test(real) && our.startsWith('Failed:'),
  },
  {
    why: 'a mistake in text that is not needed is not seen',
    applies: (_, real) =>
      /^Failed: (?:unrecognised boolean|first argument of "|regular expression error|".*" is not a (?:positive )?number|unknown lookup|IMAP folder|integer expected|error in expression|string "|argument for base|.*inside ")/.test(
        real,
      ),
  },
  {
    why: 'values left behind by a failure',
    applies: (line) => /\$(?:item|value|\{?\d)/.test(line) || /reduce.*reduce/.test(line),
  },
  { why: 'commas within JSON strings', applies: (line) => line.includes('json') },
  { why: 'state of an earlier line', applies: (line) => /addresses:[^}]*;/.test(line) },
  { why: 'ipv6norm ends the line', applies: (line) => line.includes('ipv6norm') },
  { why: 'NUL ends a string in C', applies: (line, _, our) => /\\(?:0|x00|x$|N\\0)/.test(line) || our.includes('\0') },
];

/** What a program prints for each line; nothing for those it crashed on. */
function answers(program: string, lines: readonly string[]): (string | undefined)[] {
  const found: (string | undefined)[] = [];
  while (found.length < lines.length) {
    const input = Buffer.from(`${lines.slice(found.length).join('\n')}\n`, 'latin1');
    const { stdout } = spawnSync(program, ['-be'], { input, maxBuffer: 1 << 28 });
    const parts = stdout.toString('latin1').replace(/^> /, '').split('\n> ');
    const wanted = lines.length - found.length;
    found.push(...parts.slice(0, parts.length > wanted ? wanted : parts.length - 1));
    if (parts.length <= wanted) found.push(undefined);
  }
  return found;
}

function compare(seed: number): number {
  const lines = fc
    .sample(text, { numRuns: linesOfRound, seed })
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^[A-Z]|\\$/.test(line) && line.length < 4000);
  const [theirs, our] = [answers(exim ?? '', lines), answers(ours, lines)];
  let different = 0;
  for (const [i, line] of lines.entries()) {
    const [a, b] = [theirs[i], our[i]];
    if (b === undefined) process.stdout.write(`CRASH of ours, seed ${seed}: ${line}\n`);
    if (a === undefined || a === b || accepted.some((each) => each.applies(line, a, b ?? ''))) continue;
    different++;
    process.stdout.write(`seed ${seed}: ${line}\n  real ${JSON.stringify(a)}\n  ours ${JSON.stringify(b)}\n`);
  }
  return different;
}

if (exim === undefined) {
  process.stderr.write('EXIM must name a real exim; see the beginning of this file.\n');
  process.exitCode = 2;
} else {
  let different = 0;
  for (let round = 0; round < Number(ROUNDS); round++) different += compare(Number(SEED) + round);
  process.stdout.write(`${Number(ROUNDS) * linesOfRound} expansions from seed ${SEED}: ${different} differ\n`);
  process.exitCode = different > 0 ? 1 : 0;
}
