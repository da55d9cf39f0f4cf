import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { test } from 'node:test';
import fc from 'fast-check';
import { stopClock } from '../lib/clock.ts';
import type { NameServer } from './resolv-conf.ts';
import { asked, resolverFor, serve, setUp } from './test-resolver.ts';

/** A server whose port nobody listens on. */
async function deadServer(): Promise<NameServer> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return { address: '127.0.0.1', port };
}

test('an answer that does not fit is fetched by TCP', async () => {
  const { dns, resolver } = await setUp(`
    big.test TXT ${'x'.repeat(3000)}
    cut.test TRUNCATE
    cut.test A 192.0.2.1
    ${Array.from({ length: 900 }, (_, i) => `many.test A 10.0.${i >> 8}.${i & 255}`).join('\n')}
  `);
  const big = await resolver.resolve('big.test', 'TXT');
  assert.equal(big.outcome === 'found' && big.records[0]?.join(''), 'x'.repeat(3000));
  const cut = await resolver.resolve('cut.test', 'A');
  assert.deepEqual(cut.outcome === 'found' && cut.records, ['192.0.2.1']);
  const many = await resolver.resolve('many.test', 'A');
  assert.equal(many.outcome === 'found' && many.records.length, 900);
  assert.equal(
    asked(dns),
    'big.test TXT udp, big.test TXT tcp, cut.test A udp, cut.test A tcp, many.test A udp, many.test A tcp',
  );
});

test('with use-vc nothing goes by UDP', async () => {
  const { dns, resolver } = await setUp('a.test A 192.0.2.1', { useTcp: true });
  assert.equal((await resolver.resolve('a.test', 'A')).outcome, 'found');
  assert.equal(asked(dns), 'a.test A tcp');
});

test('by TCP, silence, a foreign answer and a dead port are no answer', async () => {
  const { dns, resolver } = await setUp('silent.test DROP\nwrong.test WRONGID\ngarbage.test GARBAGE', { useTcp: true });
  for (const name of ['silent.test', 'wrong.test', 'garbage.test'])
    assert.equal((await resolver.resolve(name, 'A', { timeout: 50 })).outcome, 'again', name);
  dns.hijack = () => [Buffer.alloc(0), Buffer.alloc(65535)];
  assert.equal((await resolver.resolve('a.test', 'A')).outcome, 'again');
  const dead = resolverFor([await deadServer()], { useTcp: true });
  const answer = await dead.resolve('a.test', 'A');
  assert.match(answer.outcome === 'again' ? answer.message : '', /Connection refused$/);
});

test('a server where nobody listens is passed over at once, and asked last from then on', async () => {
  const dns = await serve('a.test A 192.0.2.1\nb.test A 192.0.2.2');
  const resolver = resolverFor([await deadServer(), dns.server], { timeout: 60_000 });
  assert.equal((await resolver.resolve('a.test', 'A')).outcome, 'found');
  assert.equal((await resolver.resolve('b.test', 'A')).outcome, 'found');
  const alone = resolverFor([await deadServer()], { timeout: 60_000, attempts: 2 });
  const answer = await alone.resolve('a.test', 'A');
  assert.equal(
    answer.outcome === 'again' && answer.message,
    'DNS lookup of a.test (A): name server 127.0.0.1: Connection refused',
  );
});

test('a silent server is given up after its time, and asked last until it has had time to recover', async () => {
  stopClock(1_000_000);
  const silent = await serve('a.test DROP\nb.test A 192.0.2.66\nc.test A 192.0.2.66');
  const good = await serve('a.test A 192.0.2.1\nb.test A 192.0.2.2\nc.test A 192.0.2.3');
  const resolver = resolverFor([silent.server, good.server], { timeout: 400 });
  const first = async (name: string) => {
    const answer = await resolver.resolve(name, 'A');
    return answer.outcome === 'found' ? answer.records[0] : answer.outcome;
  };
  assert.equal(await first('a.test'), '192.0.2.1');
  assert.equal(await first('b.test'), '192.0.2.2');
  stopClock(1_000_000 + 31_000);
  assert.equal(await first('c.test'), '192.0.2.66');
});

test('a server that cannot is asked once, a silent one as often as the settings say', async () => {
  const [failing, silent] = [await serve('a.test SERVFAIL'), await serve('a.test DROP')];
  const resolver = resolverFor([failing.server, silent.server], { timeout: 200, attempts: 3 });
  const answer = await resolver.resolve('a.test', 'A');
  assert.equal(answer.outcome === 'again' && answer.kind, 'refused');
  assert.deepEqual([failing.asked.length, silent.asked.length], [1, 3]);
  await resolver.resolve('a.test', 'MX', { attempts: 1, timeout: 20 });
  assert.deepEqual([failing.asked.length, silent.asked.length], [2, 4]);
});

test('rotate begins each question with the next server', async () => {
  const zone = 'a.test A 192.0.2.1\nb.test A 192.0.2.1\nc.test A 192.0.2.1\nd.test A 192.0.2.1';
  const [one, two] = [await serve(zone), await serve(zone)];
  const resolver = resolverFor([one.server, two.server], { rotate: true });
  for (const name of ['a', 'b', 'c', 'd']) await resolver.resolve(`${name}.test`, 'A');
  assert.deepEqual([one.asked.length, two.asked.length], [2, 2]);
});

test('a forged answer from another port is not heard', async () => {
  const { dns, resolver } = await setUp('bank.test A 192.0.2.1\nbank.test OTHERPORT');
  const answer = await resolver.resolve('bank.test', 'A');
  assert.deepEqual(answer.outcome === 'found' && answer.records, ['192.0.2.1']);
  assert.equal(dns.asked.length, 1);
});

test('a storm of wrong ids ends the question, long before its time is up', async () => {
  const { dns, resolver } = await setUp('', { timeout: 600_000 });
  dns.hijack = (query) =>
    Array.from({ length: 150 }, (_, i) => {
      const guess = Buffer.from(query);
      guess.writeUInt16BE((query.readUInt16BE(0) + 1 + i) & 0xffff, 0);
      guess.writeUInt16BE(0x8180, 2);
      return guess;
    });
  const answer = await resolver.resolve('bank.test', 'A');
  assert.match(answer.outcome === 'again' ? answer.message : '', /too many wrong answers$/);
});

test('every question has its own port and a random id, and a hundred at once do not mix', async () => {
  const zone = Array.from({ length: 100 }, (_, i) => `n${i}.test A 192.0.2.${i}\nn${i}.test DELAY ${(i * 7) % 20}`);
  const { dns, resolver } = await setUp(zone.join('\n'));
  await Promise.all(
    zone.map(async (_, i) => {
      const answer = await resolver.resolve(`n${i}.test`, 'A');
      assert.deepEqual(answer.outcome === 'found' && answer.records, [`192.0.2.${i}`]);
    }),
  );
  assert.equal(dns.asked.length, 100);
  assert.equal(new Set(dns.asked.map(({ port }) => port)).size, 100);
  assert.ok(new Set(dns.asked.map(({ id }) => id)).size > 90);
});

test('more questions than there may be sockets wait their turn', async () => {
  const { dns, resolver } = await setUp('a.test A 192.0.2.1');
  const answers = await Promise.all(Array.from({ length: 1000 }, (_, i) => resolver.resolve(`n${i}.test`, 'A')));
  assert.ok(answers.every(({ outcome }) => outcome === 'nothing'));
  assert.equal(dns.asked.length, 1000);
});

test('a server that does not know EDNS is asked without it', async () => {
  const { dns, resolver } = await setUp('a.test NOEDNS\na.test A 192.0.2.1');
  assert.equal((await resolver.resolve('a.test', 'A')).outcome, 'found');
  assert.deepEqual(
    dns.asked.map(({ edns }) => edns),
    [true, false],
  );
  const plain = resolverFor([dns.server], { edns: false });
  await plain.resolve('a.test', 'A');
  assert.equal(dns.asked.at(-1)?.edns, false);
});

test('a server that is authoritative for other zones only is passed over', async () => {
  const { dns, resolver } = await setUp('');
  dns.hijack = (query) => {
    const reply = Buffer.from(query);
    reply.writeUInt16BE(0x8100, 2);
    return [reply];
  };
  const answer = await resolver.resolve('a.test', 'A');
  assert.equal(answer.outcome === 'again' && answer.kind, 'refused');
});

test('between questions there is no socket and no timer that would keep the process alive', async () => {
  const { dns, resolver } = await setUp('a.test A 192.0.2.1\nb.test DROP\nbig.test TRUNCATE', { timeout: 200 });
  for (const name of ['a.test', 'b.test', 'big.test']) await resolver.resolve(name, 'A');
  await dns.close();
  const left = () => process.getActiveResourcesInfo().filter((what) => /UDP|TCP|Timeout/.test(what));
  for (let turn = 0; turn < 100 && left().length > 0; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(left(), []);
});

test('whatever a server sends, the answer is one of three', async () => {
  const { dns, resolver } = await setUp('', { timeout: 20 });
  const octets = fc.uint8Array({ maxLength: 200 });
  let round = 0;
  await fc.assert(
    fc.asyncProperty(
      octets,
      fc.integer({ min: 0, max: 0xffff }),
      fc.integer({ min: 0, max: 3 }),
      async (tail, flags, answers) => {
        dns.hijack = (query, by) => {
          const head = Buffer.from(query.subarray(0, query.length - 11));
          head.writeUInt16BE((flags | 0x8000) & (by === 'tcp' ? 0xffff : 0xfdff) & 0x87ff, 2);
          head.writeUInt16BE(answers, 6);
          head.writeUInt16BE(0, 10);
          return [Buffer.concat([head, tail])];
        };
        const answer = await resolver.resolve(`n${round++}.test`, 'MX');
        assert.ok(['found', 'nothing', 'again'].includes(answer.outcome));
        // trailing octets are no record; records that were promised must be there
        if (answers > 0 && tail.length === 0) assert.equal(answer.outcome, 'again');
      },
    ),
    { numRuns: 300 },
  );
});
