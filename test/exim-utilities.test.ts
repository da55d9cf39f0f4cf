/** The utilities of Debian's exim4-base on our queue and logs: those that can work do. Nothing of them is part of this program. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { oracleRoot } from './oracle/room.ts';
import { bin, TestServer, waitFor } from './server.ts';
import { SmtpClient } from './smtp-client.ts';

let server: TestServer;

before(async () => {
  server = await TestServer.make();
  server.configure({ main: 'queue_only' });
  await server.start();
  for (const user of ['ann', 'ben']) await send(user);
});
after(() => server.remove());

async function send(user: string): Promise<void> {
  const client = await SmtpClient.greet(server.port);
  await client.say(`MAIL FROM:<${user}@y.example>`, 250);
  await client.say(`RCPT TO:<${user}@x.example>`, 250);
  await client.say('DATA', 354);
  await client.say('Subject: x\r\n\r\nx\r\n.', 250);
  await client.say('QUIT', 221);
}

/** Runs a utility; answers what it prints. */
function run(interpreter: 'perl' | 'sh', name: string, words: readonly string[], input = ''): string {
  const path = join(oracleRoot, 'usr/sbin', name);
  const { stdout, stderr, error } = spawnSync(interpreter, [path, ...words], { input, encoding: 'latin1' });
  assert.equal(error, undefined);
  return `${stdout}${stderr}`;
}

const queueList = (): string =>
  spawnSync(join(bin, 'exim'), ['-C', server.path('config'), '-bp'], { encoding: 'latin1' }).stdout;

test('exiqsumm sums up what -bp lists', () => {
  const summary = run('perl', 'exiqsumm', [], queueList());
  assert.match(summary, /^ +2 +\d+ +\dm +\dm +x\.example$/m);
  assert.match(summary, /^ +2 +\d+ +\dm +\dm +TOTAL$/m);
});

test('exicyclog keeps our logs, and the server goes on in a new file', async () => {
  run('sh', 'exicyclog', ['-l', server.path('log/%slog'), '-k', '3']);
  const kept = readFileSync(server.path('log/mainlog.01'), 'latin1');
  assert.match(kept, /<= ann@y\.example/);
  // for a moment lines may still go to the old file
  await waitFor('the new file', async () => {
    await send('eve');
    return /<= eve@y\.example/.test(server.log());
  });
  assert.doesNotMatch(server.log(), /<= ann@y\.example/);
  assert.ok(readFileSync(server.path('log/mainlog.01'), 'latin1').startsWith(kept));
});

test('eximstats and exiqgrep of 4.96 know the ids of that version alone', () => {
  const log = server.path('log/mainlog.01');
  assert.match(run('perl', 'eximstats', [log]), /No valid log lines read/);
  const exim = server.write('exim', `#!/bin/sh\nexec ${bin}/exim -C ${server.path('config')} "$@"\n`, 0o755);
  assert.match(run('perl', 'exiqgrep', ['-E', exim, '-c']), /^Line mismatch: /);
});

test('with ids of that form they understand our lines: only the ids are in their way', () => {
  const older = (text: string): string => text.replace(/\b(\w{6})-\w{5}(\w{6})-\w{2}(\w{2})\b/g, '$1-$2-$3');
  const log = server.write('older', older(readFileSync(server.path('log/mainlog.01'), 'latin1')));
  assert.match(run('perl', 'exigrep', ['ann', log]), /<= ann@y\.example H=\(client\.example\)/);
  assert.match(run('perl', 'eximstats', [log]), /^ +Received +\d+ +(?:[2-9]|\d\d) /m);
  const list = server.write('list', older(queueList()));
  const exim = server.write('exim', `#!/bin/sh\ncat ${list}\n`, 0o755);
  assert.match(run('perl', 'exiqgrep', ['-E', exim, '-f', 'ben@y', '-c']), /^1 matches out of \d+ messages/m);
});
