import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import fc from 'fast-check';
import * as files from '../safe/files.ts';
import { reviewed } from '../safe/taint.ts';
import { defaultSettings, parseResolvConf, ResolvConf } from './resolv-conf.ts';

test('an empty file means the name server on this machine', () => {
  assert.deepEqual(parseResolvConf(''), defaultSettings);
  assert.deepEqual(defaultSettings.servers, [{ address: '127.0.0.1', port: 53 }]);
  assert.equal(defaultSettings.trustAuthentic, false);
});

test('servers are addresses of both kinds, with a port if need be; three at most', () => {
  const text = [
    'nameserver 192.0.2.1',
    '# nameserver 192.0.2.9',
    ' nameserver 192.0.2.9',
    'nameserver\t[2001:db8::53]:5353 ; comment',
    'nameserver ns.example',
    'nameserver 192.0.2.300',
    'nameserver [192.0.2.2]:0',
    'nameserver',
    'nameserver fe80::1%eth0',
    'nameserver 192.0.2.4',
  ];
  assert.deepEqual(parseResolvConf(text.join('\n')).servers, [
    { address: '192.0.2.1', port: 53 },
    { address: '2001:db8::53', port: 5353 },
    { address: 'fe80::1%eth0', port: 53 },
  ]);
});

test('of search and domain the last counts; without either, the domain of the machine', () => {
  assert.deepEqual(parseResolvConf('domain a.example\nsearch b.example c.example.\r\n').search, [
    'b.example',
    'c.example',
  ]);
  assert.deepEqual(parseResolvConf('search b.example c.example\ndomain a.example x.example').search, ['a.example']);
  assert.deepEqual(parseResolvConf('search b..example caf\xe9.example d.example').search, ['d.example']);
  assert.deepEqual(parseResolvConf('', 'host.corp.example').search, ['corp.example']);
  assert.deepEqual(parseResolvConf('', 'host').search, []);
  assert.deepEqual(parseResolvConf('search b.example', 'host.corp.example').search, ['b.example']);
});

test('options are read within the limits of the C library', () => {
  const { timeout, attempts, ndots, rotate, useTcp, trustAuthentic } = parseResolvConf(
    'options timeout:2 attempts:4\noptions ndots:3 rotate edns0 use-vc trust-ad inet6 debug',
  );
  assert.deepEqual(
    { timeout, attempts, ndots, rotate, useTcp, trustAuthentic },
    {
      timeout: 2000,
      attempts: 4,
      ndots: 3,
      rotate: true,
      useTcp: true,
      trustAuthentic: true,
    },
  );
  const extreme = parseResolvConf('options timeout:999999999 attempts:77 ndots:16');
  assert.deepEqual([extreme.timeout, extreme.attempts, extreme.ndots], [30_000, 5, 15]);
  const least = parseResolvConf('options timeout:0 attempts:0 ndots:0');
  assert.deepEqual([least.timeout, least.attempts, least.ndots], [1000, 1, 0]);
  assert.deepEqual(
    parseResolvConf('options timeout:-1 attempts:x ndots: constructor toString:3 __proto__ __proto__:3 :5'),
    defaultSettings,
  );
});

test('any text gives settings that can be used', () => {
  const word = fc.constantFrom(
    'nameserver',
    'search',
    'options',
    'timeout:',
    '[',
    '::1',
    '1.2.3.4',
    ' ',
    '\n',
    '\0',
    ':53',
    '#',
  );
  const text = fc.array(fc.oneof(word, fc.string())).map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, (conf) => {
      const settings = parseResolvConf(conf);
      assert.ok(settings.servers.length >= 1 && settings.servers.length <= 3);
      assert.ok(settings.timeout >= 1000 && settings.attempts >= 1);
    }),
  );
});

test('the file is read again when it changes, and only then', () => {
  const path = reviewed(`${tmpdir()}/tabella-resolv-conf-${randomUUID()}`, 'a name of this test');
  const put = (text: string, time: number) => {
    files.removeIfPossible(path);
    const file = files.open(path, files.createNew);
    files.write(file, text);
    files.close(file);
    files.setTime(path, time);
  };
  try {
    const conf = new ResolvConf(path);
    assert.equal(conf.current().servers[0]?.address, '127.0.0.1');
    put('nameserver 192.0.2.1', 1_000_000);
    const first = conf.current();
    assert.equal(first.servers[0]?.address, '192.0.2.1');
    assert.equal(conf.current(), first);
    put('nameserver 192.0.2.2', 2_000_000);
    assert.equal(conf.current().servers[0]?.address, '192.0.2.2');
    put(`nameserver 192.0.2.3\n${'#'.repeat(70_000)}`, 3_000_000);
    assert.equal(conf.current().servers[0]?.address, '127.0.0.1', 'a huge file is not read');
    files.remove(path);
    assert.equal(conf.current().servers[0]?.address, '127.0.0.1');
  } finally {
    files.removeIfPossible(path);
  }
});
