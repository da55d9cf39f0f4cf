import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { tellComsat } from './comsat.ts';

test('the daemon is told user and offset as the real Exim tells them', async (t) => {
  const daemon = createSocket('udp4');
  t.after(() => daemon.close());
  daemon.bind(0, '127.0.0.1');
  await once(daemon, 'listening');
  const told = once(daemon, 'message');
  await tellComsat('joe+x', 308, daemon.address().port);
  const [octets] = (await told) as [Buffer];
  assert.equal(octets.toString('latin1'), 'joe+x@308\n\0');
});
