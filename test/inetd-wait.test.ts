/** `-bw`: a daemon gets its listening socket from somebody else, as inetd hands it over, and ends after a while of quiet. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { bin, TestServer } from './server.ts';
import { SmtpClient } from './smtp-client.ts';

const server = await TestServer.make();
after(() => server.remove());

test('A daemon with a listening socket as standard input serves those who come, and ends when nobody does', async () => {
  server.configure({});
  const listening = createServer();
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const place = listening.address();
  assert.ok(typeof place === 'object' && place !== null);
  const { fd } = (listening as unknown as { _handle: { fd: number } })._handle;
  const child = spawn(join(bin, 'exim'), ['-C', server.path('config'), '-bw2s'], { stdio: [fd, 'ignore', 'inherit'] });
  const ended = once(child, 'exit');
  listening.close();
  const client = await SmtpClient.greet(place.port);
  await client.quit();
  assert.deepEqual(await ended, [0, null]);
  const log = server.log('main').replace(/^\S+ \S+ /gm, '');
  assert.match(log, /daemon started: pid=\d+, launched with listening socket, terminating after 2 seconds\n/);
  assert.match(log, /daemon terminating, inetd wait timeout reached\.\n$/);
});
