import assert from 'node:assert/strict';
import { test } from 'node:test';
import { searched, type Widening } from './dns-search.ts';
import { defaultSettings } from './resolv-conf.ts';

type Outcome = { readonly outcome: 'found' | 'nothing' | 'again'; readonly kind?: string };

const outcomes: Readonly<Record<string, Outcome>> = {
  found: { outcome: 'found' },
  nodata: { outcome: 'nothing', kind: 'nodata' },
  nxdomain: { outcome: 'nothing', kind: 'nxdomain' },
  servfail: { outcome: 'again', kind: 'refused' },
  silence: { outcome: 'again', kind: 'silence' },
};

const settings = { ...defaultSettings, search: ['corp.example', 'dept.example'] };

/** What is asked, in order, and how it ends; `zone` maps names to outcomes, all others do not exist. */
async function run(name: string, widening: Widening, zone: Readonly<Record<string, string>>, ndots = 1) {
  const asked: string[] = [];
  const answer = await searched(name, { ...settings, ndots }, widening, async (full) => {
    asked.push(full);
    return outcomes[zone[full] ?? 'nxdomain'] ?? { outcome: 'nothing', kind: 'nxdomain' };
  });
  return [asked.join(' '), answer.kind ?? answer.outcome];
}

const qualify: Widening = { qualifySingle: true };
const parents: Widening = { searchParents: true };
const both: Widening = { qualifySingle: true, searchParents: true };

test('qualify_single completes a name without a dot with the first domain, before it is tried as it is', async () => {
  assert.deepEqual(await run('a', qualify, { 'a.corp.example': 'found' }), ['a.corp.example', 'found']);
  assert.deepEqual(await run('a', qualify, { 'a.dept.example': 'found' }), ['a.corp.example a', 'nxdomain']);
  assert.deepEqual(await run('a', qualify, { a: 'found' }), ['a.corp.example a', 'found']);
  assert.deepEqual(await run('a.test', qualify, {}), ['a.test', 'nxdomain']);
  assert.deepEqual(await run('a', parents, { 'a.corp.example': 'found' }), ['a', 'nxdomain']);
});

test('search_parents tries every domain, for a name with dots after the name itself', async () => {
  assert.deepEqual(await run('a', both, { 'a.dept.example': 'found' }), ['a.corp.example a.dept.example', 'found']);
  assert.deepEqual(await run('a.test', both, { 'a.test': 'found' }), ['a.test', 'found']);
  assert.deepEqual(await run('a.test', parents, { 'a.test.corp.example': 'found' }), [
    'a.test a.test.corp.example',
    'found',
  ]);
  assert.deepEqual(await run('a.test', parents, {}), ['a.test a.test.corp.example a.test.dept.example', 'nxdomain']);
});

test('a final dot and ndots say what is tried first', async () => {
  assert.deepEqual(await run('a.', both, { 'a.corp.example': 'found' }), ['a.', 'nxdomain']);
  assert.deepEqual(await run('a.b', both, { 'a.b': 'found' }, 2), ['a.b.corp.example a.b.dept.example a.b', 'found']);
  assert.deepEqual(await run('a', both, { a: 'found' }, 0), ['a', 'found']);
});

test('a name with enough dots fails as it failed itself, whatever the completions say', async () => {
  assert.deepEqual((await run('a.test', both, { 'a.test.corp.example': 'nodata' }))[1], 'nxdomain');
  assert.deepEqual((await run('a.test', both, { 'a.test': 'nodata' }))[1], 'nodata');
  assert.deepEqual(await run('a.test', both, { 'a.test': 'servfail' }), [
    'a.test a.test.corp.example a.test.dept.example',
    'refused',
  ]);
});

test('of a short name, that it may come right later counts more than that it exists, and that more than that it does not', async () => {
  assert.equal((await run('a', qualify, { 'a.corp.example': 'nodata' }))[1], 'nodata');
  assert.equal((await run('a', both, { 'a.corp.example': 'nodata', 'a.dept.example': 'servfail' }))[1], 'refused');
  assert.equal((await run('a', both, { 'a.dept.example': 'nodata' }))[1], 'nodata');
});

test('after a server failure the next domain is tried, after silence none is', async () => {
  const zone = { 'a.dept.example': 'found' };
  assert.deepEqual((await run('a', both, { ...zone, 'a.corp.example': 'servfail' }))[1], 'found');
  assert.deepEqual(await run('a', both, { ...zone, 'a.corp.example': 'silence' }), ['a.corp.example a', 'silence']);
  assert.deepEqual(await run('a.test', both, { 'a.test': 'silence' }), ['a.test', 'silence']);
});
