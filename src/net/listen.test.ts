/** Listening sockets. What connections there are waiting is what the system has, while this process does something else. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { listen } from './listen.ts';
import { closedPort } from './test-server.ts';

const connectAndEnd = `const net = require('node:net'); let left = Number(process.argv[2]);
for (let i = left; i > 0; i--) net.connect(Number(process.argv[1]), '127.0.0.1', () => --left || process.exit(0));`;

test('each connection knows how many had been waiting when it was taken', async () => {
  const port = await closedPort();
  const backlogs: (number | undefined)[] = [];
  const settings = { address: '127.0.0.1', port, backlog: 100, noDelay: true, keepAlive: true };
  let taken: (() => void) | undefined;
  const all = new Promise<void>((resolve) => {
    taken = resolve;
  });
  const listener = await listen(settings, (connection) => {
    backlogs.push(connection.backlog());
    connection.socket.destroy();
    if (backlogs.length === 5) taken?.();
  });
  try {
    // it connects while this process stands still
    execFileSync(process.execPath, ['-e', connectAndEnd, String(port), '5']);
    await all;
    assert.deepEqual(backlogs, [5, 4, 3, 2, 1]);
  } finally {
    listener.close();
  }
});
