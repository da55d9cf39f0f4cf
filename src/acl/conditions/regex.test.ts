/** The condition `regex`; what matches, and what is told, is what Exim 4.96 did. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testMessage } from '../test-message.ts';
import { testRun } from '../test-run.ts';
import { regex } from './regex.ts';

async function ask(text: string, message = testMessage(undefined, 7)): Promise<{ said: string; log: string[] }> {
  const { run, log } = testRun({ phase: 'DATA', message });
  const answer = await regex.test(text, run);
  return { said: answer === 'true' ? `<${run.context.acl?.regexMatch?.join('><')}>` : String(answer), log };
}

const recorded: readonly (readonly [text: string, said: string])[] = [
  ['', 'false'],
  ['foo', 'false'],
  ['hello', '<hello>'],
  ['<;foo;hel+o', '<hel+o>'],
  ['Subject', '<Subject>'],
  ['^hello', '<^hello>'],
  ['foo : : hello', '<>'],
  ['a:(b', '<a>'],
  ['(?i)HELLO', '<(?i)HELLO>'],
  ['hello::x', 'false'],
  ['h(el)(l)o', '<h(el)(l)o><el><l>'],
  ['X-Envelope', '<X-Envelope>'],
  ['^From', '<^From>'],
  ['world$', '<world$>'],
  ['world.', 'false'],
  ['^$', '<^$>'],
  ['Message-Id', 'false'],
];

for (const [text, said] of recorded) test(`regex = ${text}`, async () => assert.equal((await ask(text)).said, said));

test('an expression that is none is told of and passed over', async () => {
  const { said, log } = await ask('( : hello');
  assert.equal(said, '<hello>');
  assert.deepEqual(log, [
    "regex acl condition warning - error in regex '(': missing closing parenthesis at offset 1, skipped.",
  ]);
});

test('of a long line only the beginning is looked at, and what follows is no line of its own', async () => {
  const long = testMessage(`a: b\n\n${'x'.repeat(40_000)}END${'y'.repeat(40_000)}\nnext\n`, 1000);
  assert.equal((await ask('END', long)).said, 'false');
  assert.equal((await ask('^y', long)).said, 'false');
  assert.equal((await ask('^next', long)).said, '<^next>');
});

test('an expression that runs wild is stopped, matches nothing and is told of', async () => {
  const message = testMessage(`${'a'.repeat(5000)}\nhello\n`);
  const { said, log } = await ask('^(a+)+$(?<=b) : hello', message);
  assert.equal(said, '<hello>');
  assert.match(log[0] ?? '', /^regex acl condition warning - .*limit exceeded/);
});

test('without a message nothing matches', async () => {
  const { run } = testRun({ phase: 'DATA' });
  assert.equal(await regex.test('.', run), 'false');
});
