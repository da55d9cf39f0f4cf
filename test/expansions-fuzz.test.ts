/** Hostile expansions: whatever the text, an expansion ends soon, with a value or with a clear error. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Context, Services, Settings } from '../src/expand/context.ts';
import { compileTemplate, type Expansion, expandText, freshResults } from '../src/expand/expand.ts';
import { emptyMessage } from '../src/expand/facts.ts';
import { matchIp, matchList } from '../src/lists/match.ts';
import { headerLine } from '../src/mail/header-line.ts';
import { nobody } from '../src/observe/decision.ts';
import { literal, Text } from '../src/safe/taint.ts';

const settings: Settings = {
  primaryHostname: 'mail.example',
  qualifyDomain: 'mail.example',
  qualifyRecipient: 'mail.example',
  spoolDirectory: '/nonexistent',
  configFile: '/nonexistent/configure',
  eximPath: '/nonexistent/exim',
  eximUid: 8,
  eximGid: 8,
  localhostNumber: '',
  bounceReturnSizeLimit: 100_000,
  headersCharset: 'UTF-8',
  printTopBitCharacters: false,
  allowUtf8Domains: false,
  checkRfc2047Length: true,
  strictAclVars: false,
  logsIncomingPort: false,
  messageBodyVisible: 500,
  messageBodyNewlines: false,
  logFileDirectory: undefined,
  spfGuess: '',
  environment: new Map([['PATH', '/bin']]),
};

/** What was looked up, run or opened; a tainted name among them is an escape. */
const reached: Text[] = [];

const services: Services = {
  lookupStyle: (type) =>
    type === 'lsearch' ? { style: 'single-key', name: type } : { error: `unknown lookup type "${type}"` },
  lookup: ({ fileOrQuery }) => {
    reached.push(fileOrQuery);
    return { outcome: 'not found' };
  },
  quote: (_, text) => ({ text }),
  matchList,
  matchIp,
  namedList: () => undefined,
  namedListItems: () => ({ error: 'no named lists here' }),
  hostAddresses: () => ({ outcome: 'unknown', message: 'no hosts here' }),
  mailExchangers: () => ({ outcome: 'unknown', message: 'no hosts here' }),
  localAddresses: () => ['127.0.0.1'],
  runAcl: () => ({ outcome: 'deny', message: '' }),
  run: (command) => {
    const [name] = command;
    if (name?.isClean === true) reached.push(name);
    return name?.isClean === true ? { status: 0, output: '' } : { error: 'tainted program' };
  },
  readSocket: () => ({ outcome: 'failed', message: 'no sockets here' }),
  callPerl: () => ({ outcome: 'undefined' }),
  authenticate: () => ({ accepted: false }),
  findHostName: () => undefined,
  queueSize: () => 0,
  log: () => undefined,
};

const secret = 'TAINTED/../../etc/passwd';

function newContext(): Context {
  const message = emptyMessage('sender@example', { uid: 8, gid: 8 });
  message.headers = [headerLine(`Subject: ${secret}\n`), headerLine('To: a@b, "c, d" <e@f>\n')];
  return {
    settings,
    services,
    decisions: nobody,
    connection: undefined,
    message,
    address: undefined,
    delivery: undefined,
    acl: undefined,
    results: freshResults(),
    found: new Map(),
    queueName: literal(''),
    depth: 0,
  };
}

async function expand(source: string): Promise<Expansion> {
  return compileTemplate(source).expand(newContext());
}

/** An expansion that must end within some seconds on the slowest machine, whatever it ends with. */
async function endsSoon(source: string, milliseconds = 4000): Promise<Expansion> {
  const start = performance.now();
  const expansion = await expand(source);
  const taken = performance.now() - start;
  assert.ok(taken < milliseconds, `${Math.round(taken)} ms for ${source.slice(0, 60)}`);
  if (!expansion.ok) assert.ok(expansion.message.length > 0, source.slice(0, 60));
  return expansion;
}

const fragments = [
  '${',
  '}',
  '{',
  '$',
  '\\',
  ':',
  '${if ',
  'eq',
  '{a}',
  '{b}',
  '${lc:',
  '${sg{',
  '${map{',
  '${expand:',
  '$h_subject:',

  '${lookup{x}lsearch{',
  '${run{',
  '${readfile{',
  '\\N',
  '\\x',
  '\\377',
  '$1',
  '$item',
  'fail',
  '${extract{',
  '1',
  '-',
  '_',

  '${perl{',
  '${filter{',
  '${sort{',
  '${prvscheck{',
  '${imapfolder{',
  'forany',
  'and',
  '{{',
  '}}',
  '!',
  ' ',
  '\n',
  '\0',

  '${reduce{',
  '${if match{',
  '(a+)+$',
  '\xff',
  '\xc3',
  '=?utf-8?q?',
  '?=',
  '9'.repeat(30),
  '${acl{',
  '${certextract{',
];

test('texts made of pieces of the grammar end soon, with a value or an error, and no taint gets out', async () => {
  const until = performance.now() + 5000;
  reached.length = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...fragments), { maxLength: 40 }), async (parts) => {
      if (performance.now() > until) return;
      const expansion = await endsSoon(parts.join(''));
      if (expansion.ok && expansion.text.value.includes('TAINTED')) assert.equal(expansion.text.isClean, false);
    }),
    { numRuns: 3000 },
  );
  for (const name of reached) assert.ok(!(name.isClean && name.value.includes('TAINTED')), name.value);
});

test('any octets end soon', async () => {
  const until = performance.now() + 5000;
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (octets) => {
      if (performance.now() <= until) await endsSoon(Buffer.from(octets).toString('latin1'));
    }),
    { numRuns: 2000 },
  );
});

test('tainted text is not taken for a source, however it is wrapped', async () => {
  for (const source of ['${expand:$h_subject:}', '${expand:${lc:$h_subject:}}', '${expand:x${substr_1:$h_subject:}}']) {
    const expansion = await expand(source);
    assert.ok(!expansion.ok && expansion.message.includes('attempt to expand tainted'), source);
  }
  const expansion = await expandText(Text.tainted('$primary_hostname'), newContext());
  assert.equal(expansion.ok, false);
});

for (const [open, close] of [
  ['${lc:', '}'],
  ['${if eq{a}{a}{', '}}'],
  ['${map{a}{', '}}'],
  ['${if and{{', '}}}'],
  ['${if !', '}'],
  ['${sg{a}{a}{', '}}'],
  ['${expand:', '}'],
] as const) {
  test(`ten thousand times ${open} ends with an error`, async () => {
    const deep = await endsSoon(`${open.repeat(10_000)}x${close.repeat(10_000)}`);
    assert.equal(deep.ok, false);
    const unclosed = await endsSoon(open.repeat(10_000));
    assert.equal(unclosed.ok, false);
  });
}

const operators =
  'address addresses base32 base62 base62d base64 base64d domain escape escape8bit eval eval10 from_utf8 hash_3 hex2b64 ' +
  'hexquote lc length_3 listcount local_part mask md5 nhash_5_7 quote quote_local_part reverse_ip rfc2047 rfc2047d rxquote ' +
  'sha1 sha3 strlen substr_1_2 time_eval time_interval uc utf8clean utf8_domain_to_alabel utf8_localpart_to_alabel';

const megabyte = 1024 * 1024;
const long = 10 * megabyte;

for (const [what, unit, megabytes] of [
  ['letters', 'a', 10],
  ['digits', '9', 1],
  ['blanks', ' ', 1],
  ['colons', ':', 1],
  ['opening parentheses', '(', 1],
  ['quotes', '"', 1],
  ['broken characters', '\xe2\x82', 1],
  ['encoded words', '=?utf-8?q?=c3?=', 1],
  ['addresses', '<a@b>,', 1],
] as const) {
  test(`no operator takes long for ${megabytes} megabytes of ${what}`, { timeout: 300_000 }, async () => {
    const subject = unit.repeat(Math.floor((megabytes * megabyte) / unit.length));
    for (const operator of operators.split(' ')) await endsSoon(`\${${operator}:${subject}}`, 8000);
  });
}

test('items go through ten megabytes in bounded time', { timeout: 300_000 }, async () => {
  const items = 'ab:'.repeat(300_000);
  const text = 'a'.repeat(1024 * 1024);
  const sources = [
    `\${map{${items}}{$item}}`,
    `\${filter{${items}}{eq{$item}{ab}}}`,
    `\${sort{${items}}{lt}{$item}}`,
    `\${listextract{-1}{${items}}}`,
    `\${sg{${text}}{a}{b}}`,
    `\${tr{${'a'.repeat(long)}}{a}{b}}`,
    `\${extract{zz}{${'a=b '.repeat(500_000)}}}`,
    `\${extract{-1}{:}{${items}}}`,
    `\${extract json{1}{[${'1,'.repeat(500_000)}1]}}`,
    `\${if inlist{x}{${items}}}`,
    `\${if match_domain{x}{${items}}}`,
    `\${imapfolder{${'/a'.repeat(500_000)}}}`,
    `\${if bool{${'1'.repeat(long)}}}`,
    `\${if >{${'1'.repeat(long)}}{1}}`,
    `\${if eq{${' '.repeat(long)}}{a}}`,
  ];
  for (const source of sources) await endsSoon(source, 10_000);
});

test('patterns that never end are ended', async () => {
  for (const pattern of ['^(a+)+\\$', '^(a|aa)+\\$', '(?:a*)*b', '(.*)(.*)(.*)(.*)(.*)x']) {
    await endsSoon(`\${if match{${'a'.repeat(60)}!}{${pattern}}}`);
    await endsSoon(`\${sg{${'a'.repeat(60)}!}{${pattern}}{b}}`);
  }
});
