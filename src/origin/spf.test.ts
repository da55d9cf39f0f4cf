/** SPF with records that are made to cost a lot; what the real Exim says of usual ones is recorded in test/golden. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Resolver } from '../net/dns.ts';
import { checkSpf } from './spf.ts';

type Records = Readonly<Record<string, readonly unknown[] | 'again'>>;

async function check(records: Records, changed: { readonly sender?: string; readonly helo?: string } = {}) {
  let questions = 0;
  const resolver = {
    async resolve(name: string, type: string) {
      questions++;
      const found = records[`${name} ${type}`] ?? records[`* ${type}`];
      if (found === 'again') return { outcome: 'again', kind: 'silence', message: '' };
      if (found === undefined) return { outcome: 'nothing', kind: 'nxdomain', secure: false };
      return { outcome: 'found', records: found, asked: name, aliases: [], name, ttl: 1, secure: false };
    },
  } as unknown as Pick<Resolver, 'resolve'>;
  const question = { ip: '192.0.2.1', sender: 'a@b.example', helo: 'h.example', hostname: 'me.example' };
  const answer = await checkSpf({ ...question, commentTemplate: 'no', ...changed }, resolver);
  return { ...answer, questions };
}

const texts = (...each: readonly string[]): readonly (readonly string[])[] => each.map((text) => [text]);

test('records that lead on and on end in an error after a few questions', async () => {
  const loop = await check({ '* TXT': texts('v=spf1 include:%{d1r}.b.example include:c.example -all') });
  assert.equal(loop.result, 'permerror');
  assert.ok(loop.questions <= 12, String(loop.questions));
  const wide = await check({
    'b.example TXT': texts(`v=spf1 ${'a:x.example '.repeat(300)}-all`),
    '* A': ['198.51.100.1'],
  });
  assert.equal(wide.result, 'permerror');
  assert.ok(wide.questions <= 30, String(wide.questions));
  const exchangers = Array.from({ length: 1000 }, (_, i) => ({ preference: i, exchange: `m${i}.example` }));
  const many = await check({ 'b.example TXT': texts('v=spf1 mx -all'), 'b.example MX': exchangers });
  assert.ok(many.questions <= 30, String(many.questions));
});

test('names from PTR records are looked at only so far', async () => {
  const names = Array.from({ length: 1000 }, (_, i) => `p${i}.b.example`);
  const { result, questions } = await check({ 'b.example TXT': texts('v=spf1 ptr -all'), '* PTR': names });
  assert.equal(result, 'fail');
  assert.ok(questions <= 30, String(questions));
});

test('a record that is too long is no record, and one that cannot be read in time is told from none', async () => {
  assert.equal((await check({ 'b.example TXT': texts(`v=spf1 ${'x'.repeat(10_000)} +all`) })).result, 'none');
  assert.equal((await check({ 'b.example TXT': 'again' })).result, '(invalid)');
  assert.equal((await check({})).result, 'none');
});

test('senders and names that make no sense have no record and are no error', async () => {
  for (const sender of [
    'a@',
    'a@b..example',
    `a@${'x'.repeat(300)}.example`,
    'a@[192.0.2.1]',
    'a@b\xe9.example',
    '@',
    'a b',
  ]) {
    const { result } = await check({ '* TXT': texts('v=spf1 +all') }, { sender });
    assert.ok(['none', 'pass', 'permerror'].includes(result), `${sender}: ${result}`);
  }
  assert.equal((await check({}, { sender: '', helo: '' })).result, 'none');
  assert.equal((await check({ 'h.example TXT': texts('v=spf1 +all') }, { sender: '' })).identity, 'helo');
});
