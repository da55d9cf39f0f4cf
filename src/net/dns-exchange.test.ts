import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Exchanges } from './dns-exchange.ts';

const exchanges = new Exchanges();
after(() => exchanges.close());

test('a name server that there is no way to is silent, by UDP and TCP', async () => {
  // the system refuses to connect to a broadcast address
  const server = { address: '255.255.255.255', port: 53 };
  for (const reply of [
    await exchanges.udp(server, Buffer.alloc(12), 2000),
    await exchanges.tcp(server, Buffer.alloc(12), 2000),
  ]) {
    assert.equal(reply.outcome, 'silent');
    assert.match('message' in reply ? reply.message : '', /^name server 255\.255\.255\.255: (?!no answer)/);
  }
});
