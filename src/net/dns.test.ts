import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Resolver } from './dns.ts';
import type { RecordType } from './dns-records.ts';
import { asked, resolverFor, setUp } from './test-resolver.ts';

test('records of every type are found', async () => {
  const { resolver } = await setUp(`
    a.test A 192.0.2.1
    a.test A 192.0.2.2
    a.test AAAA 2001:db8::1
    a.test MX 10 mx.test.
    a.test MX 0 .
    a.test NS ns.test.
    a.test TXT v=spf1 -all
    a.test SRV 1 2 25 srv.test.
    a.test SOA ns.test. h.test. 1 2 3 4 5
    _25._tcp.a.test TLSA 3 1 1 00ff
    1.2.0.192.in-addr.arpa PTR a.test.
    alias.test CNAME a.test.
  `);
  const expected: readonly (readonly [string, RecordType, readonly unknown[]])[] = [
    ['a.test', 'A', ['192.0.2.1', '192.0.2.2']],
    ['A.TEST.', 'AAAA', ['2001:db8::1']],
    [
      'a.test',
      'MX',
      [
        { preference: 10, exchange: 'mx.test' },
        { preference: 0, exchange: '' },
      ],
    ],
    ['a.test', 'NS', ['ns.test']],
    ['a.test', 'TXT', [['v=spf1 -all']]],
    ['a.test', 'SRV', [{ priority: 1, weight: 2, port: 25, target: 'srv.test' }]],
    [
      'a.test',
      'SOA',
      [{ server: 'ns.test', mailbox: 'h.test', serial: 1, refresh: 2, retry: 3, expire: 4, minimum: 5 }],
    ],
    ['_25._tcp.a.test', 'TLSA', [{ usage: 3, selector: 1, matchingType: 1, data: new Uint8Array([0, 255]) }]],
    ['1.2.0.192.in-addr.arpa', 'PTR', ['a.test']],
    ['alias.test', 'CNAME', ['a.test']],
  ];
  for (const [name, type, records] of expected) {
    const answer = await resolver.resolve(name, type);
    assert.deepEqual(answer.outcome === 'found' ? answer.records : answer, records, `${name} ${type}`);
  }
  const raw = await resolver.resolve('a.test', 1);
  assert.deepEqual(raw.outcome === 'found' && raw.records[0], new Uint8Array([192, 0, 2, 1]));
});

test('that there is nothing is told apart from that nobody can tell', async () => {
  const { resolver } = await setUp(`
    text.test TXT text
    deep.er.test A 192.0.2.1
    servfail.test SERVFAIL
    mx.test SERVFAIL MX
    mx.test A 192.0.2.1
    refused.test REFUSED
    notimp.test NOTIMP
    formerr.test FORMERR
    silent.test DROP
    garbage.test GARBAGE
    wrongid.test WRONGID
    wrongname.test WRONGNAME
    late.test DELAY 400
  `);
  const outcome = async (name: string, type: RecordType = 'A', timeout = 10_000) => {
    const answer = await resolver.resolve(name, type, { timeout });
    return answer.outcome === 'found' ? 'found' : `${answer.outcome} ${answer.kind}`;
  };
  assert.equal(await outcome('none.test'), 'nothing nxdomain');
  assert.equal(await outcome('text.test'), 'nothing nodata');
  assert.equal(await outcome('er.test'), 'nothing nodata');
  assert.equal(await outcome('mx.test'), 'found');
  assert.equal(await outcome('mx.test', 'MX'), 'again refused');
  for (const name of ['servfail', 'refused', 'notimp']) assert.equal(await outcome(`${name}.test`), 'again refused');
  assert.equal(await outcome('formerr.test'), 'again fault');
  for (const name of ['silent', 'garbage', 'wrongid', 'wrongname', 'late'])
    assert.equal(await outcome(`${name}.test`, 'A', 50), 'again silence', name);
  const answer = await resolver.resolve('servfail.test', 'MX');
  assert.equal(
    answer.outcome === 'again' && answer.message,
    'DNS lookup of servfail.test (MX): name server 127.0.0.1: SERVFAIL',
  );
});

test('a name that cannot be in the DNS does not exist, and nobody is asked', async () => {
  const { dns, resolver } = await setUp('');
  for (const name of [
    '',
    'a..test',
    'a.test..',
    '..',
    '.test',
    'caf\xe9.test',
    'a b.test',
    `${'a'.repeat(64)}.test`,
    'a.'.repeat(128),
  ]) {
    const answer = await resolver.resolve(name, 'A', { qualifySingle: true });
    assert.deepEqual(answer, { outcome: 'nothing', kind: 'nxdomain', secure: false }, name);
  }
  assert.deepEqual(dns.asked, []);
});

test('aliases are followed, whether the server does it or not', async () => {
  const { dns, resolver } = await setUp(`
    $TTL 100
    one.test CNAME Two.test.
    two.test CNAME end.test.
    $TTL 50
    end.test A 192.0.2.1
    $TTL 100
    first.test CNAME second.test.
    first.test UNFOLLOWED
    second.test CNAME end.test.
    second.test UNFOLLOWED
    nowhere.test CNAME none.test.
    nowhere.test UNFOLLOWED
    nothing.test CNAME none.test.
    nodata.test CNAME two.test.
    $TTL 30
    short.test CNAME end.test.
  `);
  const followed = await resolver.resolve('one.test', 'A');
  assert.deepEqual(followed, {
    outcome: 'found',
    records: ['192.0.2.1'],
    asked: 'one.test',
    aliases: ['one.test', 'Two.test'],
    name: 'end.test',
    ttl: 50,
    secure: false,
  });
  assert.equal(asked(dns), 'one.test A udp');
  const led = await resolver.resolve('first.test', 'A');
  assert.deepEqual(led, { ...followed, asked: 'first.test', aliases: ['first.test', 'second.test'] });
  assert.equal(asked(dns), 'one.test A udp, first.test A udp, second.test A udp, end.test A udp');
  const short = await resolver.resolve('short.test', 'A');
  assert.equal(short.outcome === 'found' && short.ttl, 30);
  for (const [name, kind] of [
    ['nowhere.test', 'nxdomain'],
    ['nothing.test', 'nxdomain'],
    ['nodata.test', 'nodata'],
  ] as const) {
    const answer = await resolver.resolve(name, 'MX');
    assert.equal(answer.outcome === 'nothing' && answer.kind, kind, name);
  }
});

test('a loop of aliases, or a chain of too many, is a fault', async () => {
  const chain = (name: string, length: number) =>
    Array.from({ length }, (_, i) => `${name}${i}.test CNAME ${name}${i + 1}.test.\n${name}${i}.test UNFOLLOWED`).join(
      '\n',
    );
  const { dns, resolver } = await setUp(`
    self.test CNAME self.test.
    one.test CNAME two.test.
    two.test CNAME ONE.test.
    un.test CNAME deux.test.
    un.test UNFOLLOWED
    deux.test CNAME un.test.
    deux.test UNFOLLOWED
    ${chain('ten', 10)}
    ten10.test A 192.0.2.1
    ${chain('more', 11)}
    more11.test A 192.0.2.1
  `);
  for (const name of ['self.test', 'one.test', 'un.test', 'more0.test']) {
    const message = `CNAME loop for ${name} encountered`;
    assert.deepEqual(await resolver.resolve(name, 'A'), { outcome: 'again', kind: 'fault', message });
  }
  assert.equal(dns.asked.filter(({ name }) => name === 'un.test').length, 1);
  assert.equal((await resolver.resolve('ten0.test', 'A')).outcome, 'found');
});

test('records that do not lie on the way from the name asked for are no answer', async () => {
  const { dns, resolver } = await setUp('other.test A 192.0.2.66');
  dns.hijack = (query) => {
    // the answer for other.test, put under a question for good.test
    const head = Buffer.from(query.subarray(0, 12 + 11 + 4));
    head.writeUInt16BE(0x8180, 2);
    head.writeUInt16BE(1, 6);
    head.writeUInt16BE(0, 10);
    const record = Buffer.from('\x05other\x04test\0\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x42', 'latin1');
    return [Buffer.concat([head, record])];
  };
  const answer = await resolver.resolve('good.test', 'A');
  assert.equal(answer.outcome === 'nothing' && answer.kind, 'nodata');
});

test('that an answer is authentic counts only where the way to the server is trusted', async () => {
  const zone = 'a.test SECURE\na.test A 192.0.2.1\nb.test A 192.0.2.1\nc.test CNAME a.test.\nc.test UNFOLLOWED';
  const { dns, resolver } = await setUp(zone);
  const secure = async (from: Resolver, name: string, type: RecordType = 'A') => {
    const answer = await from.resolve(name, type, { dnssec: true });
    return answer.outcome === 'again' ? 'again' : answer.secure;
  };
  assert.equal(await secure(resolver, 'a.test'), true);
  assert.equal(await secure(resolver, 'a.test', 'TLSA'), true, 'a denial, too');
  assert.equal(await secure(resolver, 'b.test'), false);
  assert.equal(await secure(resolver, 'c.test'), false, 'every step counts');
  assert.equal(await secure(resolverFor([dns.server], { trustAuthentic: false }), 'a.test'), false);
});

test('the zone that a server is authoritative for is told', async () => {
  const { resolver } = await setUp('a.test A 192.0.2.1');
  const denied = await resolver.resolve('a.test', 'MX');
  assert.equal(denied.outcome === 'nothing' && denied.authority, '');
});

test('the configuration may trust a zone, take failures for absence, and see how long questions take', async () => {
  const { dns } = await setUp('a.test A 192.0.2.1\nbad.test SERVFAIL');
  const took: string[] = [];
  const resolver = resolverFor(
    [dns.server],
    {},
    {
      isTrusted: async (zone) => zone === '',
      isMissing: async (name) => name === 'bad.test',
      onAnswer: (name, type) => took.push(`${name} ${type}`),
    },
  );
  const denied = await resolver.resolve('a.test', 'MX');
  assert.equal(denied.outcome === 'nothing' && denied.secure, true);
  assert.equal((await resolver.resolve('bad.test', 'A')).outcome, 'nothing');
  assert.equal((await resolver.resolve('bad.test', 'TLSA')).outcome, 'again');
  assert.deepEqual(took, ['a.test MX', 'bad.test A', 'bad.test TLSA']);
});

test('short names are completed as qualify_single and search_parents say', async () => {
  const { dns, resolver } = await setUp('a.corp.test A 192.0.2.1', { search: ['corp.test'] });
  const answer = await resolver.resolve('a', 'A', { qualifySingle: true });
  assert.equal(answer.outcome === 'found' && answer.asked, 'a.corp.test');
  assert.equal((await resolver.resolve('a', 'A')).outcome, 'nothing');
  assert.equal((await resolver.resolve('a.', 'A', { qualifySingle: true })).outcome, 'nothing');
  assert.equal(asked(dns), 'a.corp.test A udp, a A udp');
});
