import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Context } from '../expand/context.ts';
import { TestDirectory } from '../lib/test-directory.ts';
import { Text } from '../safe/taint.ts';
import { Lookups } from './lookups.ts';
import { lsearch } from './lsearch.ts';
import { testContext } from './test-context.ts';
import { answerTo, asked } from './test-query.ts';
import { counts, testdb } from './test-testdb.ts';

const lookups = new Lookups([testdb, lsearch], 5);
const directory = new TestDirectory();
after(() => {
  lookups.close();
  directory.remove();
});

test('a query is answered now or later, and problems are told as such', async () => {
  assert.equal(await asked(lookups, 'testdb', 'some text'), 'some text');
  assert.equal(await asked(lookups, 'testdb', 'fail'), 'not found');
  assert.equal(await asked(lookups, 'testdb', 'defer'), 'defer: testdb lookup forced DEFER');
  assert.equal(await asked(lookups, 'testdb', 'problem'), 'error: testdb cannot be asked');
  assert.equal(await asked(lookups, 'testdb', 'later'), 'came later');
  assert.equal(await asked(lookups, 'testdb', 'later problem'), 'error: testdb cannot be asked any more');
});

test('blanks before a query do not belong to it', async () => {
  assert.equal(await asked(lookups, 'testdb', ' \t\n fail'), 'not found');
});

test('a driver that does not vouch gives tainted answers', async () => {
  const answer = await answerTo(lookups, 'testdb', 'some text');
  assert.equal(answer.outcome === 'found' && answer.value.isClean, false);
});

test('ret=key answers the query, as tainted as it was', async () => {
  assert.equal(await asked(lookups, 'testdb,ret=key', 'later'), 'later');
  const answer = await answerTo(lookups, 'testdb,ret=key', Text.tainted('later'));
  assert.equal(answer.outcome === 'found' && answer.value.isClean, false);
  assert.equal(await asked(lookups, 'testdb,ret=key', 'fail'), 'not found');
});

test('a query is asked once in a line of work, unless the cache is not to be read', async () => {
  const context = testContext(lookups);
  const before = counts.asked;
  await asked(lookups, 'testdb', 'once', context);
  await asked(lookups, 'testdb', 'once', context);
  assert.equal(counts.asked, before + 1);
  await asked(lookups, 'testdb,cache=no_rd', 'once', context);
  assert.equal(counts.asked, before + 2);
  await asked(lookups, 'testdb', 'defer', context);
  await asked(lookups, 'testdb', 'defer', context);
  assert.equal(counts.asked, before + 4);
});

test('a driver is opened at its first query and again after all was closed', async () => {
  const own = new Lookups([testdb], 5);
  const { opened, closed } = counts;
  assert.deepEqual(own.style('testdb'), { style: 'query', name: 'testdb' });
  assert.equal(counts.opened, opened);
  await asked(own, 'testdb', 'a');
  await asked(own, 'testdb', 'b');
  assert.equal(counts.opened, opened + 1);
  own.close();
  assert.equal(counts.closed, closed + 1);
  await asked(own, 'testdb', 'c');
  assert.equal(counts.opened, opened + 2);
  own.close();
});

test('query-style types have neither partial keys nor defaults', () => {
  assert.deepEqual(lookups.style('partial-testdb'), {
    error: '"partial" is not permitted for lookup type "testdb"',
  });
  assert.deepEqual(lookups.style('testdb*@'), {
    error: 'defaults using "*" or "*@" are not permitted for lookup type "testdb*@"',
  });
});

test('the quoting operator knows every type, and no option', () => {
  assert.deepEqual(lookups.quote('testdb', "a'b", ''), { text: "<a'b>" });
  assert.deepEqual(lookups.quote('lsearch', "a'b", ''), { text: "a'b" });
  assert.deepEqual(lookups.quote('testdb', 'a', 'x'), { error: '"x" unrecognized after "${quote_testdb"' });
  assert.deepEqual(lookups.quote('lsearch', 'a', 'x'), { error: '"x" unrecognized after "${quote_lsearch"' });
});

test('a line of work that asks for very many keys keeps a bounded number of answers', async () => {
  const context = testContext(lookups);
  for (let n = 0; n < 25_000; n++) await asked(lookups, 'testdb', `key ${n}`, context);
  assert.ok(context.found.size <= 10_000);
  const before = counts.asked;
  await asked(lookups, 'testdb', 'key 24999', context);
  assert.equal(counts.asked, before);
  await asked(lookups, 'testdb', 'key 1', context);
  assert.equal(counts.asked, before + 1);
});

test('a changed file is seen at once by the next line of work, and soon by one that had looked at it', async () => {
  const write = (value: string) => directory.write('changing', `a: ${value}\nb: ${value}\n`);
  const read = async (key: string, context: Context): Promise<string> => {
    const fileOrQuery = Text.configured(directory.file('changing'));
    const answer = await lookups.find({ type: 'lsearch', key: Text.configured(key), fileOrQuery }, context);
    return answer.outcome === 'found' ? answer.value.value : answer.outcome;
  };
  const context = testContext(lookups);
  write('first');
  assert.equal(await read('a', context), 'first');
  write('second');
  assert.equal(await read('a', testContext(lookups)), 'second');
  write('third');
  await new Promise((resolve) => setTimeout(resolve, 600));
  assert.equal(await read('b', context), 'third');
});
