import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stopClock } from '../lib/clock.ts';
import { asked, setUp } from './test-resolver.ts';

test('one question is asked once, however many want to know', async () => {
  const { dns, resolver } = await setUp('a.test A 192.0.2.1\na.test DELAY 20');
  const answers = await Promise.all(['a.test', 'A.test', 'a.test.'].map((name) => resolver.resolve(name, 'A')));
  assert.ok(answers.every(({ outcome }) => outcome === 'found'));
  assert.equal((await resolver.resolve('a.TEST', 'A')).outcome, 'found');
  assert.equal(dns.asked.length, 1);
  await resolver.resolve('a.test', 'AAAA');
  await resolver.resolve('a.test', 'A', { dnssec: true });
  assert.equal(dns.asked.length, 3);
  assert.deepEqual(
    dns.asked.map(({ dnssec }) => dnssec),
    [false, false, true],
  );
});

test('an answer is kept for as long as its records live, at most a day', async () => {
  stopClock(1_000_000_000);
  const { dns, resolver } = await setUp(
    '$TTL 100\na.test A 192.0.2.1\n$TTL 0\nb.test A 192.0.2.1\n$TTL 999999\nc.test A 192.0.2.1',
  );
  const ttl = async (name: string) => {
    const answer = await resolver.resolve(name, 'A');
    return answer.outcome === 'found' ? answer.ttl : answer.outcome;
  };
  assert.equal(await ttl('a.test'), 100);
  stopClock(1_000_000_000 + 99_000);
  assert.equal(await ttl('a.test'), 1);
  assert.equal(dns.asked.length, 1);
  dns.zone = '';
  stopClock(1_000_000_000 + 100_000);
  assert.equal(await ttl('a.test'), 'nothing');
  dns.zone = '$TTL 0\nb.test A 192.0.2.1\n$TTL 999999\nc.test A 192.0.2.1';
  assert.equal(await ttl('b.test'), 0);
  assert.equal(await ttl('b.test'), 0);
  assert.equal(asked(dns), 'a.test A udp, a.test A udp, b.test A udp, b.test A udp');
  assert.equal(await ttl('c.test'), 86_400);
});

test('a denial is kept for the SOA minimum, at most a quarter of an hour', async () => {
  stopClock(1_000_000_000);
  const { dns, resolver } = await setUp('$NEGATIVE 60');
  const ask = async (at: number) => {
    stopClock(1_000_000_000 + at * 1000);
    await resolver.resolve('a.test', 'A');
    return dns.asked.length;
  };
  assert.deepEqual([await ask(0), await ask(59), await ask(60)], [1, 1, 2]);
  dns.zone = '$NEGATIVE 86400';
  assert.deepEqual([await ask(200), await ask(1099), await ask(1100)], [3, 3, 4]);
});

test('trouble is remembered for a few seconds only', async () => {
  stopClock(1_000_000_000);
  const { dns, resolver } = await setUp('a.test SERVFAIL');
  assert.equal((await resolver.resolve('a.test', 'A')).outcome, 'again');
  dns.zone = 'a.test A 192.0.2.1';
  stopClock(1_000_004_999);
  assert.equal((await resolver.resolve('a.test', 'A')).outcome, 'again');
  assert.equal(dns.asked.length, 1);
  stopClock(1_000_005_000);
  assert.equal((await resolver.resolve('a.test', 'A')).outcome, 'found');
});

test('a very large answer is not kept', async () => {
  const { dns, resolver } = await setUp(`big.test TXT ${'x'.repeat(5000)}`, { useTcp: true });
  await resolver.resolve('big.test', 'TXT');
  await resolver.resolve('big.test', 'TXT');
  assert.equal(dns.asked.length, 2);
});

test('whoever stops waiting gets an answer at once, and others still get theirs', async () => {
  const { dns, resolver } = await setUp('a.test A 192.0.2.1\na.test DELAY 50');
  const stop = new AbortController();
  const [impatient, patient] = [
    resolver.resolve('a.test', 'A', { signal: stop.signal }),
    resolver.resolve('a.test', 'A'),
  ];
  stop.abort();
  assert.equal((await impatient).outcome, 'again');
  assert.equal((await resolver.resolve('b.test', 'A', { signal: stop.signal })).outcome, 'again');
  assert.equal((await patient).outcome, 'found');
  assert.equal(dns.asked.length, 1);
});

test('a closed resolver gives up what it waits for and asks nothing more', async () => {
  const { dns, resolver } = await setUp('a.test DROP', { timeout: 60_000 });
  const waiting = Promise.all([
    resolver.resolve('a.test', 'A'),
    ...Array.from({ length: 300 }, (_, i) => resolver.resolve(`a.test`, 1000 + i)),
  ]);
  resolver.close();
  assert.ok((await waiting).every(({ outcome }) => outcome === 'again'));
  const before = dns.asked.length;
  assert.equal((await resolver.resolve('b.test', 'A')).outcome, 'again');
  assert.equal(dns.asked.length, before);
});
