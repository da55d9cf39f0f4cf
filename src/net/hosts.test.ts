import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIp } from './address.ts';
import { hostAddresses, localAddresses, mailExchangers, systemAddresses } from './hosts.ts';
import { setUp } from './test-resolver.ts';

const search = { search: ['corp.test'] };

test('a host has its IPv6 addresses first, each family in random order and each address once', async () => {
  const { resolver } = await setUp(`
    a.test A 192.0.2.1
    a.test A 192.0.2.2
    a.test A 192.0.2.1
    a.test AAAA 2001:db8::1
    a.test AAAA 2001:db8::2
  `);
  const orders = new Set<string>();
  for (let i = 0; i < 200; i++) {
    const found = await hostAddresses(resolver, 'a.test');
    orders.add(found.outcome === 'found' ? found.addresses.join(' ') : found.outcome);
  }
  assert.deepEqual([...orders].sort(), [
    '2001:db8::1 2001:db8::2 192.0.2.1 192.0.2.2',
    '2001:db8::1 2001:db8::2 192.0.2.2 192.0.2.1',
    '2001:db8::2 2001:db8::1 192.0.2.1 192.0.2.2',
    '2001:db8::2 2001:db8::1 192.0.2.2 192.0.2.1',
  ]);
});

test('one family of addresses can be asked for alone', async () => {
  const { dns, resolver } = await setUp('a.test A 192.0.2.1\na.test AAAA 2001:db8::1');
  for (const [options, addresses] of [
    [{ ipv4Only: true }, ['192.0.2.1']],
    [{ family: 4 }, ['192.0.2.1']],
    [{ family: 6 }, ['2001:db8::1']],
  ] as const) {
    const found = await hostAddresses(resolver, 'a.test', options);
    assert.deepEqual(found.outcome === 'found' && found.addresses, addresses);
  }
  assert.equal(dns.asked.map(({ type }) => type).join(' '), 'A AAAA');
});

test('one family is enough when the other cannot be told; without either the host is unknown only if both are', async () => {
  const { resolver } = await setUp(`
    four.test A 192.0.2.1
    four.test SERVFAIL AAAA
    six.test AAAA 2001:db8::1
    six.test SERVFAIL A
    half.test TXT text
    half.test SERVFAIL AAAA
    other.test TXT text
    other.test SERVFAIL A
    text.test TXT text
  `);
  const outcome = async (name: string) => (await hostAddresses(resolver, name)).outcome;
  assert.deepEqual(await Promise.all(['four.test', 'six.test'].map(outcome)), ['found', 'found']);
  assert.deepEqual(await Promise.all(['half.test', 'other.test'].map(outcome)), ['defer', 'defer']);
  assert.deepEqual(
    await Promise.all(['text.test', 'none.test', 'caf\xe9.test', ''].map(outcome)),
    Array(4).fill('unknown'),
  );
});

test('the full and the canonical name of a host are told, and whether its addresses are authentic', async () => {
  const { resolver } = await setUp(
    `
    alias.corp.test CNAME real.test.
    real.test A 192.0.2.1
    real.test SECURE
    alias.corp.test SECURE
    alias.corp.test AAAA 2001:db8::1
  `,
    search,
  );
  const found = await hostAddresses(resolver, 'alias', { qualifySingle: true });
  assert.ok(found.outcome === 'found');
  assert.deepEqual([found.domain, found.canonicalName, found.secure], ['alias.corp.test', 'real.test', true]);
  const { resolver: other } = await setUp('a.test A 192.0.2.1\na.test AAAA 2001:db8::1\na.test SECURE A');
  const mixed = await hostAddresses(other, 'a.test');
  assert.equal(mixed.outcome === 'found' && mixed.secure, false);
});

test('mail exchangers come in order of preference, equals in random order, each host once', async () => {
  const { resolver } = await setUp(`
    a.test MX 20 c.test.
    a.test MX 10 a.test.
    a.test MX 30 A.test.
    a.test MX 20 b.test.
  `);
  const orders = new Set<string>();
  for (let i = 0; i < 200; i++) {
    const found = await mailExchangers(resolver, 'a.test');
    assert.ok(found.outcome === 'found');
    orders.add(found.hosts.map(({ name, preference }) => `${name} ${preference}`).join(' '));
  }
  assert.deepEqual([...orders].sort(), ['a.test 10 b.test 20 c.test 20', 'a.test 10 c.test 20 b.test 20']);
});

test('a domain without MX records, one that does not exist, one that takes no mail, and trouble are four things', async () => {
  const { resolver } = await setUp(`
    plain.test A 192.0.2.1
    none.example MX 0 .
    odd.test MX 0 .
    odd.test MX 10 mx.test.
    broken.test A 192.0.2.1
    broken.test SERVFAIL MX
  `);
  const plain = await mailExchangers(resolver, 'plain.test');
  assert.deepEqual([plain.outcome, plain.outcome === 'unknown' && plain.exists], ['unknown', true]);
  const absent = await mailExchangers(resolver, 'absent.test');
  assert.deepEqual([absent.outcome, absent.outcome === 'unknown' && absent.exists], ['unknown', false]);
  assert.equal((await mailExchangers(resolver, 'none.example')).outcome, 'refuses');
  const odd = await mailExchangers(resolver, 'odd.test');
  assert.deepEqual(odd.outcome === 'found' && odd.hosts.map(({ name }) => name), ['', 'mx.test']);
  assert.equal((await mailExchangers(resolver, 'broken.test')).outcome, 'defer');
});

test('the full name of a domain is the one with its search domain, or the last of several aliases', async () => {
  const { resolver } = await setUp(
    `
    m.corp.test MX 1 mx.test.
    one.test CNAME m.corp.test.
    first.test CNAME one.test.
  `,
    search,
  );
  const domain = async (name: string) => {
    const found = await mailExchangers(resolver, name, { qualifySingle: true });
    return found.outcome === 'found' ? found.domain : found.outcome;
  };
  assert.equal(await domain('m'), 'm.corp.test');
  assert.equal(await domain('one.test'), 'one.test');
  assert.equal(await domain('first.test'), 'one.test');
});

test('the system knows this machine by name, and refuses what is no name', async () => {
  const found = await systemAddresses('localhost', 4);
  assert.deepEqual(found, { outcome: 'found', addresses: ['127.0.0.1'] });
  for (const name of ['', 'a..b', 'caf\xe9', 'a b', 'a\0b']) {
    assert.equal((await systemAddresses(name)).outcome, 'unknown', JSON.stringify(name));
  }
});

test('the addresses of this machine include the loopback and those that are added, each once, in their usual form', () => {
  const addresses = localAddresses(['2001:DB8:0::1', '127.0.0.1', 'junk']);
  assert.ok(addresses.includes('127.0.0.1') && addresses.includes('2001:db8::1') && !addresses.includes('junk'));
  assert.equal(new Set(addresses).size, addresses.length);
  assert.ok(addresses.every((address) => parseIp(address) !== undefined));
});
