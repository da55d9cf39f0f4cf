import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import packet from 'dns-packet';
import fc from 'fast-check';
import { kept } from '../expand/kept.ts';
import type { TestDns } from '../net/test-dns.ts';
import { setUp } from '../net/test-resolver.ts';
import { Text } from '../safe/taint.ts';
import { dnsdb } from './dnsdb.ts';
import { Lookups } from './lookups.ts';
import { standardSurroundings } from './surroundings.ts';
import { testContext } from './test-context.ts';
import { answerTo, asked } from './test-query.ts';

const opened: Lookups[] = [];
afterEach(() => {
  for (const lookups of opened.splice(0)) lookups.close();
});

async function serve(
  zone: string,
  options: Partial<ReturnType<typeof standardSurroundings>['main']> = {},
): Promise<{ readonly lookups: Lookups; readonly dns: TestDns }> {
  const { dns, resolver } = await setUp(zone);
  const { main } = standardSurroundings();
  const lookups = new Lookups([dnsdb], 5, { resolver, main: { ...main, ...options } });
  opened.push(lookups);
  return { lookups, dns };
}

async function check(lookups: Lookups, expected: Readonly<Record<string, string>>): Promise<void> {
  for (const [query, value] of Object.entries(expected))
    assert.equal(await asked(lookups, 'dnsdb', query), value, query);
}

const numbers: Readonly<Record<string, number>> = { TXT: 16, SPF: 99 };
const strings = (...texts: readonly string[]): Buffer =>
  Buffer.concat(texts.map((text) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text, 'latin1')])));

/** Answers with these data, by name and type; what is not there is left to the zone. */
function answerWith(dns: TestDns, records: Readonly<Record<string, readonly Buffer[]>>): void {
  dns.hijack = (query) => {
    const question = packet.decode(query).questions?.[0];
    if (question === undefined) return undefined;
    const type = Object.keys(numbers).find(
      (name) => name === question.type || `UNKNOWN_${numbers[name]}` === question.type,
    );
    const data = records[`${question.name} ${type}`];
    if (data === undefined) return undefined;
    let end = 12;
    while (query[end] !== 0) end += (query[end] ?? 0) + 1;
    const head = Buffer.from(query.subarray(0, end + 5));
    head.writeUInt16BE(0x8580, 2);
    head.writeUInt16BE(data.length, 6);
    head.writeUInt16BE(0, 8);
    head.writeUInt16BE(0, 10);
    const answers = data.map((octets) => {
      const fixed = Buffer.from([0xc0, 12, 0, numbers[type ?? 'TXT'] ?? 0, 0, 1, 0, 0, 0, 60, 0, 0]);
      fixed.writeUInt16BE(octets.length, 10);
      return Buffer.concat([fixed, octets]);
    });
    return [Buffer.concat([head, ...answers])];
  };
}

const zone = `
a.test A 192.0.2.1
two.test A 192.0.2.1
two.test A 192.0.2.2
two.test AAAA 2001:db8::1
two.test AAAA 2001:db8:0::2
alias.test CNAME a.test
alias2.test CNAME alias.test
mx.test MX 10 mail1.test
mx.test MX 5 mail2.test
cmx.test CNAME mx.test
null.test MX 0 .
ns.test NS ns1.test
ns.test NS ns2.test
1.2.0.192.in-addr.arpa PTR host1.test
1.2.0.192.in-addr.arpa PTR host2.test
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR host6.test
soa.test SOA ns.soa.test hostmaster.soa.test 2024 3600 600 86400 60
srv.test SRV 1 2 25 host.test
srv.test SRV 0 0 0 .
tlsa.test TLSA 3 1 1 0aff10
short A 192.0.2.9
fail.test SERVFAIL
half.test SERVFAIL AAAA
half.test A 192.0.2.7
x.soaf.test SERVFAIL
`;

test('every type is written as the original writes it', async () => {
  const { lookups } = await serve(zone);
  await check(lookups, {
    'a=a.test': '192.0.2.1',
    'A=two.test': '192.0.2.1\n192.0.2.2',
    'a=a.test.': '192.0.2.1',
    'aaaa=two.test': '2001:db8::1\n2001:db8::2',
    'a+=two.test': '2001:db8::1\n2001:db8::2\n192.0.2.1\n192.0.2.2',
    'a=alias.test': '192.0.2.1',
    'cname=alias2.test': 'alias.test',
    'cname=a.test': 'not found',
    'mx=mx.test': '10 mail1.test\n5 mail2.test',
    'mx=cmx.test': '10 mail1.test\n5 mail2.test',
    'mxh=mx.test': 'mail1.test\nmail2.test',
    'mx=null.test': '0 ',
    'mxh=null.test': 'not found',
    'ns=ns.test': 'ns1.test\nns2.test',
    'zns=a.b.ns.test': 'ns1.test\nns2.test',
    'zns=a.test': 'not found',
    'soa=soa.test': 'ns.soa.test',
    'soa=x.y.soa.test': 'ns.soa.test',
    'srv=srv.test': '1 2 25 host.test\n0 0 0 ',
    'tlsa=tlsa.test': '3 1 1 0aff10',
    'a=none.test': 'not found',
  });
});

test('an address stands for its name in the reverse DNS', async () => {
  const { lookups, dns } = await serve(zone);
  await check(lookups, {
    'ptr=192.0.2.1': 'host1.test\nhost2.test',
    'ptr=1.2.0.192.in-addr.arpa': 'host1.test\nhost2.test',
    'ptr=2001:db8::1': 'host6.test',
    'ptr=<; 192.0.2.1;2001:db8::1': 'host1.test\nhost2.test\nhost6.test',
    'ptr=192.0.2.1:192.0.2.1': 'host1.test\nhost2.test\nhost1.test\nhost2.test',
    // the blank behind it makes it a list
    'ptr= 2001:db8::1 ': 'not found',
    'ptr=192.0.2': 'not found',
  });
  assert.deepEqual(
    dns.asked.slice(-3).map(({ name }) => name),
    ['2001', 'db8:1', '192.0.2'],
  );
});

test('separators of records and fields are chosen', async () => {
  const { lookups } = await serve(zone);
  await check(lookups, {
    '>: a=two.test': '192.0.2.1:192.0.2.2',
    '>  a=two.test': '192.0.2.1 192.0.2.2',
    '> a=two.test': '192.0.2.1 192.0.2.2',
    '>;a=two.test': '192.0.2.1;192.0.2.2',
    '  >:  a = two.test  ': '192.0.2.1:192.0.2.2',
    '>\xe9 a=two.test': '192.0.2.1\xe9192.0.2.2',
    '>:,/ mx=mx.test': '10/mail1.test:5/mail2.test',
    '>, mx=mx.test': '10 mail1.test,5 mail2.test',
    '>:; mx=mx.test': '10mail1.test:5mail2.test',
    '>:,/ srv=srv.test': '1/2/25/host.test:0/0/0/',
    '>:,/ tlsa=tlsa.test': '3/1/1/0aff10',
    '>:,; soa=x.soa.test': 'ns.soa.test;hostmaster.soa.test;2024;3600;600;86400;60',
    '>:,  soa=soa.test': 'ns.soa.test hostmaster.soa.test 2024 3600 600 86400 60',
    '>:; soa=x.soa.test': 'ns.soa.test',
    '>ab mx=mx.test': 'defer: unsupported DNS record type',
    '>': 'not found',
    '>;,': 'not found',
  });
});

test('of a TXT record the first string counts, or all with a separator; those of SPF are joined', async () => {
  const { lookups, dns } = await serve(zone);
  answerWith(dns, {
    'txt.test TXT': [strings('first', 'second', 'third'), strings('other')],
    'txt8.test TXT': [strings('tab\tnl\nend \xe9')],
    'gap.test TXT': [strings('a', '', 'b')],
    'some.test TXT': [strings(''), strings('', 'b'), strings('c', '')],
    'empty.test TXT': [strings('')],
    'spf.test SPF': [strings('v=spf1 ', '-all')],
  });
  await check(lookups, {
    'txt=txt.test': 'first\nother',
    'txt.test': 'first\nother',
    '>\n,: txt=txt.test': 'first:second:third\nother',
    '>;; txt=txt.test': 'firstsecondthird;other',
    '>; txt=txt.test': 'first;other',
    '>,txt=txt.test': 'first,other',
    'txt=txt8.test': 'tab\tnl\nend \xe9',
    '>:,/ txt=gap.test': 'a//b',
    'txt=some.test': 'c',
    '>:; txt=some.test': 'b:c',
    '>:,/ txt=some.test': '/b:c',
    '>:,/ txt=empty.test': 'not found',
    'spf=spf.test': 'v=spf1 -all',
    '>:,; spf=spf.test': 'v=spf1 ;-all',
  });
});

test('names are a list, and empty answers leave their mark only behind others', async () => {
  const { lookups } = await serve(zone);
  await check(lookups, {
    'a=  <; a.test ; two.test': '192.0.2.1\n192.0.2.1\n192.0.2.2',
    'a=a.test::two.test': 'not found',
    'mx=mx.test:none.test:null.test': '10 mail1.test\n5 mail2.test\n0 ',
    'mxh=null.test:mx.test': 'mail1.test\nmail2.test',
    'mxh=mx.test:null.test': 'mail1.test\nmail2.test\n',
    'a+=a.test:two.test': '192.0.2.1\n2001:db8::1\n2001:db8::2\n192.0.2.1\n192.0.2.2',
    '': 'not found',
    'a=': 'not found',
    'a=:': 'not found',
    'a=a b.test': 'not found',
    'a=a..test': 'not found',
  });
});

test('what a failure means is chosen; a name that is not there never defers', async () => {
  const { lookups } = await serve(zone);
  await check(lookups, {
    'a=fail.test': 'defer: ',
    'defer_never,a=fail.test': 'not found',
    'defer_lax,a=fail.test': 'defer: ',
    'defer_strict,a=fail.test': 'defer: ',
    'a=fail.test:a.test': '192.0.2.1',
    'defer_strict,a=a.test:fail.test': 'defer: ',
    'Defer_Never,a=fail.test:a.test': '192.0.2.1',
    'defer_strict,a=none.test': 'not found',
    'a+=half.test': '192.0.2.7',
    'defer_strict,a+=half.test': 'defer: ',
    'soa=q.x.soaf.test': 'defer: ',
    'zns=q.x.soaf.test': 'defer: ',
  });
});

test('mistakes in a query are told in the words of the original', async () => {
  const { lookups } = await serve(zone);
  const wrong = (message: string, queries: readonly string[]): Readonly<Record<string, string>> =>
    Object.fromEntries(queries.map((query) => [query, `defer: ${message}`]));
  await check(lookups, {
    ...wrong('unsupported DNS record type', ['foo=a.test', '=a.test', 'addrs=a.test', 'any=a.test', 'a  b=a.test']),
    ...wrong('unsupported DNS record type', ['defer,a=a.test', 'foo_bar,a=a.test', 'defer_never,, a=a.test']),
    ...wrong('unsupported DNS record type', ['defer_never,dnssec_lax,>: a=two.test', 'toString=a.test']),
    ...wrong('unsupported dnsdb defer behaviour', ['defer_foo,a=a.test', 'defer_,a=a.test']),
    ...wrong('unsupported dnsdb dnssec behaviour', ['dnssec_foo,a=a.test', 'dnssec_,a=a.test']),
    ...wrong('unsupported dnsdb timeout value', ['retrans_x,a=a.test', 'retrans_,a=a.test', 'retrans_0s,a=a.test']),
    ...wrong('unsupported dnsdb timeout value', ['retrans_1,a=a.test', 'retrans_1s a=a.test', 'retrans_2s ,a=a.test']),
    ...wrong('dnsdb modifier syntax error', ['defer_never a=a.test', 'defer_neverx,a=a.test', 'retry_1x,a=a.test']),
    ...wrong('dnsdb modifier syntax error', ['retry_x,a=a.test', 'retry_2 2,a=a.test', 'defer_strict']),
  });
});

test('modifiers stand before the type, with blanks between', async () => {
  const { lookups } = await serve(zone);
  await check(lookups, {
    '  defer_never ,  dnssec_never,retrans_1s,retry_ 2 ,a =  a.test': '192.0.2.1',
    '>: defer_never,a=two.test': '192.0.2.1:192.0.2.2',
    'DEFER_NEVER,retry_,retry_0,retry_99,a=a.test': '192.0.2.1',
    'defer_strict,': 'not found',
  });
});

test('the patience of a query is its own', async () => {
  const { lookups, dns } = await serve('slow.test DROP');
  assert.equal(await asked(lookups, 'dnsdb', 'retrans_1s,retry_2,a=slow.test'), 'defer: ');
  assert.equal(dns.asked.length, 2);
});

test('records that are not verified are none when they must be', async () => {
  const { lookups, dns } = await serve('signed.test A 192.0.2.3\nsigned.test SECURE\nplain.test A 192.0.2.4\n');
  const status = async (query: string): Promise<string> => {
    const context = testContext(lookups);
    return `${await asked(lookups, 'dnsdb', query, context)} [${kept(context, 'lookup_dnssec_authenticated')?.value}]`;
  };
  const context = testContext(lookups);
  for (const query of ['a=signed.test', 'a=plain.test', 'a=signed.test']) await asked(lookups, 'dnsdb', query, context);
  assert.equal(kept(context, 'lookup_dnssec_authenticated')?.value, 'yes', 'from the cache as at first');
  assert.equal(await status('dnssec_strict,a=signed.test'), '192.0.2.3 [yes]');
  assert.equal(await status('dnssec_lax,a=signed.test'), '192.0.2.3 [yes]');
  assert.equal(await status('a=plain.test'), '192.0.2.4 [no]');
  assert.equal(await status('dnssec_strict,a=plain.test'), 'defer:  [no]');
  assert.equal(await status('dnssec_strict,defer_never,a=plain.test'), 'not found [no]');
  assert.equal(await status('dnssec_strict,a=signed.test:plain.test'), '192.0.2.3 [no]');
  assert.equal(await status('a=plain.test:signed.test'), '192.0.2.4\n192.0.2.3 [yes]');
  assert.equal(await status('dnssec_strict,a=none.test'), 'not found [no]');
  assert.equal(await status('dnssec_never,a=signed.test'), '192.0.2.3 []');
  assert.deepEqual(
    dns.asked.map(({ name, dnssec }) => `${name} ${dnssec}`),
    ['signed.test true', 'plain.test true', 'none.test true', 'signed.test false'],
  );
});

const csaZone = `
_client._smtp.w0.test SRV 1 0 0 t.test
_client._smtp.w1.test SRV 1 1 1 t.test
_client._smtp.w2.test SRV 1 2 0 t.test
_client._smtp.w3.test SRV 1 3 2 t.test
_client._smtp.w4.test SRV 1 4 0 t.test
_client._smtp.old.test SRV 2 2 1 t.test
_client._smtp.mid.test SRV 1 2 1 good.test
_client._smtp.mid.test SRV 2 2 1 bad.test
_client._smtp.mid.test SRV 1 1 1 second.test
_client._smtp.fail.test SERVFAIL
_client._smtp.n.w1.test TXT there
_client._smtp.n.w2.test TXT there
_client._smtp.two.test SRV 1 1 0 t0.test
_client._smtp.two.test SRV 1 2 1 t1.test
_client._smtp.n.two.test TXT there
_client._smtp.n.fail.test TXT there
_client._smtp.c.b.a.org SRV 1 2 1 t.test
_client._smtp.y.x.c.b.a.org TXT there
_client._smtp.7.6.5.4.3.2.1.org TXT there
_client._smtp.1.2.0.192.in-addr.arpa SRV 1 2 1 reverse.test
_client._smtp.2.2.0.192.in-addr.arpa TXT there
`;

test('CSA tells what the owner of a name says of a host', async () => {
  const { lookups } = await serve(csaZone);
  await check(lookups, {
    'csa=w0.test': 'N t.test',
    'csa=w1.test': 'N t.test',
    'csa=w2.test': 'Y t.test',
    'csa=w3.test': '? t.test',
    'csa=w4.test': 'not found',
    'csa=w3.test:w4.test': '? t.test\n',
    'csa=old.test': 'not found',
    'csa=mid.test': 'Y good.test\n\nN second.test',
    '>:,/ csa=w2.test': 'Y t.test',
    'csa=fail.test': 'defer: ',
    'csa=192.0.2.1': 'Y reverse.test',
    'csa=[192.0.2.1]': 'not found',
  });
});

test('CSA looks at parents when the name of the record exists without one, from the top downwards', async () => {
  const { lookups, dns } = await serve(csaZone);
  const parents = async (name: string, expected: string, names: readonly string[]): Promise<void> => {
    const before = dns.asked.length;
    assert.equal(await asked(lookups, 'dnsdb', `csa=${name}`), expected, name);
    assert.deepEqual(
      dns.asked.slice(before + 1).map((question) => question.name.replace('_client._smtp.', '')),
      names,
    );
  };
  await parents('n.w1.test', 'X t.test', ['w1.test']);
  await parents('n.w2.test', 'not found', ['w2.test']);
  await parents('n.two.test', '? t0.test\nX t1.test', ['two.test']);
  await parents('n.fail.test', 'defer: ', ['fail.test']);
  await parents('absent.w1.test', 'not found', []);
  await parents('y.x.c.b.a.org', 'X t.test', ['a.org', 'b.a.org', 'c.b.a.org']);
  const five = ['1.org', '2.1.org', '3.2.1.org', '4.3.2.1.org', '5.4.3.2.1.org'];
  await parents('7.6.5.4.3.2.1.org', 'not found', five);
  const numbered = ['192.in-addr.arpa', '0.192.in-addr.arpa', '2.0.192.in-addr.arpa'];
  await parents('192.0.2.2', 'not found', numbered);
});

test('how far CSA looks, and whether in the reverse DNS, is set in the main section', async () => {
  const { lookups, dns } = await serve(csaZone, { dns_csa_search_limit: 1, dns_csa_use_reverse: false });
  assert.equal(await asked(lookups, 'dnsdb', 'csa=y.x.c.b.a.org'), 'not found');
  assert.equal(dns.asked.length, 2);
  assert.equal(await asked(lookups, 'dnsdb', 'csa=192.0.2.1'), 'not found');
  assert.equal(dns.asked[2]?.name, '_client._smtp.192.0.2.1');
});

test('what is found is tainted', async () => {
  const { lookups } = await serve('path.test TXT /etc/passwd');
  const answer = await answerTo(lookups, 'dnsdb', 'txt=path.test');
  assert.equal(answer.outcome === 'found' && answer.value.taint, 'tainted');
});

test('a list of names from outside is bounded', async () => {
  const { lookups, dns } = await serve('');
  const query = Text.tainted(`a=${'x.test:'.repeat(501)}`);
  assert.equal(await asked(lookups, 'dnsdb', query), 'defer: more than 500 names in a dnsdb query');
  assert.equal(dns.asked.length, 0);
});

test('no text makes it throw', async () => {
  const { lookups } = await serve('');
  const words = fc.constantFrom(
    'defer_',
    'dnssec_',
    'retry_',
    'retrans_',
    'never',
    '>',
    ',',
    ';',
    '=',
    'ptr',
    'zns',
    ':',
    '.',
  );
  const query = fc.array(fc.oneof(words, fc.string({ maxLength: 6 })), { maxLength: 8 }).map((parts) => parts.join(''));
  await fc.assert(
    fc.asyncProperty(query, async (text) => {
      assert.match(await asked(lookups, 'dnsdb', text), /^(?:not found$|defer: )/);
    }),
    { numRuns: 300 },
  );
});
