import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostNames } from './host-names.ts';
import { setUp } from './test-resolver.ts';

/** What is found out by the DNS alone. */
async function setUpNames(zone: string) {
  const { dns, resolver } = await setUp(zone);
  const names = async (address: string) => {
    const answer = await hostNames(resolver, address, { order: ['bydns'] });
    return answer.outcome === 'found' ? answer.names : [answer.outcome, answer.message];
  };
  return { dns, resolver, names };
}

test('names count whose own addresses confirm them, in lower case', async () => {
  const { names } = await setUpNames(`
    2.1.0.10.in-addr.arpa PTR wrong.test.
    2.1.0.10.in-addr.arpa PTR Right.Test.
    2.1.0.10.in-addr.arpa PTR right2.test.
    wrong.test A 10.0.1.99
    right.test A 10.0.1.1
    right.test A 10.0.1.2
    right2.test CNAME right.test.
    6.1.0.10.in-addr.arpa CNAME 6.sub.1.0.10.in-addr.arpa.
    6.sub.1.0.10.in-addr.arpa PTR six.test.
    six.test A 10.0.1.6
    1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR v6.test.
    v6.test AAAA 2001:db8::1
  `);
  assert.deepEqual(await names('10.0.1.2'), ['right.test', 'right2.test']);
  assert.deepEqual(await names('10.0.1.6'), ['six.test']);
  assert.deepEqual(await names('2001:DB8:0::1'), ['v6.test']);
});

test('a host without a confirmed name is unknown, with the words of Exim', async () => {
  const { names } = await setUpNames(`
    3.1.0.10.in-addr.arpa PTR nofwd.test.
    3.1.0.10.in-addr.arpa PTR wrong.test.
    wrong.test A 10.0.1.99
    19.1.0.10.in-addr.arpa PTR .
    18.1.0.10.in-addr.arpa PTR 10.0.1.18.
  `);
  assert.deepEqual(await names('10.0.1.3'), ['unknown', '10.0.1.3 does not match any IP address for nofwd.test']);
  assert.deepEqual(await names('10.0.1.18'), ['unknown', '10.0.1.18 does not match any IP address for 10.0.1.18']);
  assert.deepEqual(await names('10.0.1.4'), ['unknown', 'no host name found for IP address 10.0.1.4']);
  assert.deepEqual(await names('10.0.1.19'), ['unknown', 'no host name found for IP address 10.0.1.19']);
  assert.deepEqual(await names('junk'), ['unknown', 'no host name found for IP address junk']);
});

test('trouble with the address, or with any one of its names, defers', async () => {
  const { names } = await setUpNames(`
    5.1.0.10.in-addr.arpa SERVFAIL
    8.1.0.10.in-addr.arpa PTR broken.test.
    8.1.0.10.in-addr.arpa PTR eight.test.
    9.1.0.10.in-addr.arpa PTR nine.test.
    9.1.0.10.in-addr.arpa PTR broken.test.
    broken.test SERVFAIL
    eight.test A 10.0.1.8
    nine.test A 10.0.1.9
    14.1.0.10.in-addr.arpa PTR fourteen.test.
    fourteen.test A 10.0.1.14
    fourteen.test SERVFAIL AAAA
  `);
  for (const last of [5, 8, 9]) assert.equal((await names(`10.0.1.${last}`))[0], 'defer', String(last));
  assert.deepEqual(await names('10.0.1.14'), ['fourteen.test']);
});

test('of very many names only so many are checked', async () => {
  const claimed = Array.from({ length: 300 }, (_, i) => `1.1.0.10.in-addr.arpa PTR n${i}.test.`);
  const { dns, names } = await setUpNames(claimed.join('\n'));
  assert.equal((await names('10.0.1.1'))[0], 'unknown');
  assert.ok(dns.asked.filter(({ type }) => type === 'A').length <= 40);
});

test('a label with a dot in it is not taken for two', async () => {
  const { dns, names } = await setUpNames('bank.test A 10.0.1.7');
  dns.hijack = (query) => {
    if (query.readUInt16BE(query.length - 15) !== 12) return undefined;
    const head = Buffer.from(query.subarray(0, query.length - 11));
    head.writeUInt16BE(0x8180, 2);
    head.writeUInt16BE(1, 6);
    head.writeUInt16BE(0, 10);
    return [Buffer.concat([head, Buffer.from('\xc0\x0c\0\x0c\0\x01\0\0\0\x3c\0\x0b\x09bank.test\0', 'latin1')])];
  };
  assert.deepEqual(await names('10.0.1.7'), ['unknown', '10.0.1.7 does not match any IP address for bank\\.test']);
});

test('the system is asked in the order given, and its answer must be confirmed by the DNS, too', async () => {
  const { resolver } = await setUpNames('1.0.0.127.in-addr.arpa PTR dns.test.\ndns.test A 127.0.0.1');
  const bySystem = await hostNames(resolver, '127.0.0.1', { order: ['byaddr', 'bydns'] });
  assert.equal(bySystem.outcome, 'unknown');
  assert.match(
    bySystem.outcome === 'unknown' ? bySystem.message : '',
    /^127\.0\.0\.1 does not match any IP address for /,
  );
  const byDns = await hostNames(resolver, '127.0.0.1');
  assert.deepEqual(byDns, { outcome: 'found', names: ['dns.test'] });
});
