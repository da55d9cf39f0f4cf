/**
 * Maps of NIS with an RPC server of the test, which is portmapper, ypbind and ypserv. What is sent and understood was
 * tried with Debian's rpcbind, ypbind and ypserv, beside Exim 4.96 on the same maps.
 */

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { xdr } from '../net/rpc.ts';
import { TestRpc } from '../net/test-rpc.ts';
import { NisMaps } from './nis.ts';

const ypserv = 100_004;
const ypbind = 100_007;
const maps: ReadonlyMap<string, string> = new Map([
  ['passwd ann', 'ann:x:1'],
  ['passwd empty', ''],
  ['aliases zed\0', 'with NUL'],
  ['passwd long', 'x'.repeat(1000)],
]);

const signed = (status: number): Buffer => xdr(status >>> 0);

let server: TestRpc;
afterEach(() => server.close());

/** Has a server for the domain `dom` alone. */
async function start(
  match: (map: string, key: string) => Buffer | undefined,
  spoil?: (reply: Buffer) => Buffer,
): Promise<NisMaps> {
  server = await TestRpc.start((program, procedure, args) => {
    const domain = args.string();
    if (program === ypbind) {
      if (domain !== 'dom') return xdr(2, 1);
      const port = Buffer.alloc(4);
      port.writeUInt16BE(server.place.port);
      return Buffer.concat([xdr(1), Buffer.from([127, 0, 0, 1]), port]);
    }
    if (program !== ypserv || procedure !== 3 || domain !== 'dom') return undefined;
    return match(args.string() ?? '?', args.string() ?? '?');
  }, spoil);
  return new NisMaps('dom', server.place);
}

function answer(map: string, key: string): Buffer {
  const value = maps.get(`${map} ${key}`);
  if (value !== undefined) return Buffer.concat([xdr(1), xdr(value)]);
  return signed(map === 'nomap' ? -1 : map === 'broken' ? -5 : -3);
}

test('a key is found with its value, the same with a NUL, or not at all', async () => {
  const nis = await start(answer);
  assert.deepEqual(await nis.find('passwd', 'ann'), { outcome: 'found', value: 'ann:x:1' });
  assert.deepEqual(await nis.find('passwd', 'empty'), { outcome: 'found', value: '' });
  assert.deepEqual(await nis.find('passwd', 'long'), { outcome: 'found', value: 'x'.repeat(1000) });
  assert.deepEqual(await nis.find('passwd', 'nobody'), { outcome: 'not found' });
  assert.deepEqual(await nis.find('aliases', 'zed'), { outcome: 'not found' });
  assert.deepEqual(await nis.find('aliases', 'zed\0'), { outcome: 'found', value: 'with NUL' });
  assert.deepEqual(await nis.find('nomap', 'ann'), { outcome: 'not found' });
  assert.deepEqual(await nis.find('broken', 'ann'), { outcome: 'defer', message: 'NIS map broken: the map is broken' });
});

test('the server is asked for once', async () => {
  const nis = await start(answer);
  for (let i = 0; i < 5; i++) await nis.find('passwd', 'ann');
  assert.equal(server.calls, 2 + 5);
});

test('a domain without a server makes the lookup wait', async () => {
  await start(answer);
  const found = await new NisMaps('other', server.place).find('passwd', 'ann');
  assert.deepEqual(found, { outcome: 'defer', message: 'no NIS server is known for the domain other' });
});

test('nobody at all makes it wait, too, and at once', async () => {
  await start(answer);
  const { place } = server;
  server.close();
  const found = await new NisMaps('dom', place).find('passwd', 'ann');
  assert.equal(found.outcome, 'defer');
  server = await TestRpc.start(() => undefined);
});

for (const [what, spoil] of [
  ['to another call', (reply) => Buffer.concat([xdr(1), reply.subarray(4)])],
  ['that is cut off', (reply) => reply.subarray(0, 20)],
  ['that refuses the call', (reply) => Buffer.concat([reply.subarray(0, 8), xdr(1), reply.subarray(12)])],
  ['with a length beyond its end', (reply) => Buffer.concat([reply.subarray(0, 16), xdr(2 ** 32 - 1), xdr(0)])],
] as readonly (readonly [string, (reply: Buffer) => Buffer])[]) {
  test(`a reply ${what} is none`, async () => {
    const nis = await start(answer, spoil);
    assert.equal((await nis.find('passwd', 'ann')).outcome, 'defer');
  });
}

test('a value that is longer than its packet is no value', async () => {
  const nis = await start(() => xdr(1, 5000));
  assert.deepEqual(await nis.find('passwd', 'ann'), {
    outcome: 'defer',
    message: 'NIS map passwd: the answer is broken',
  });
});
