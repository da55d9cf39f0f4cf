/** POP3 with the whole server, and clients that mean no good, or do not know what they do. */

import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { Pop3Server } from './pop3-server.ts';

const pop3 = await Pop3Server.start('pop3_accept_max_per_host = 50');
const { server } = pop3;
after(() => server.remove());

describe('Hostile clients of POP3', () => {
  it('answers a thousand commands that are sent at once', async () => {
    await pop3.deliverAndWait('ann', 'x\n');
    const client = await pop3.logIn('ann');
    client.send('RETR 1\r\n'.repeat(1000));
    for (let count = 0; count < 1000; count++) {
      while ((await client.line()) !== '.');
    }
    await client.ok('DELE 1');
    await client.quit();
  });

  it('lives on whatever it is sent', async () => {
    const commands = [
      'USER ann',
      'PASS secret',
      'AUTH PLAIN',
      'AUTH CRAM-MD5',
      'CAPA',
      'RETR 1',
      'TOP 1 1',
      'QUIT',
      '*',
    ];
    const piece = fc.oneof(
      fc.constantFrom(...commands.map((each) => `${each}\r\n`)),
      fc.string({ unit: 'binary-ascii', maxLength: 40 }),
      fc.constantFrom('\0', '\n', '\r', '+ \r\n', 'A'.repeat(20_000), 'AGFubgBzZWNyZXQ=\r\n'),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        const client = await pop3.connect();
        for (const each of pieces) client.send(each);
        client.socket.end();
        await client.closed();
      }),
      { numRuns: 40 },
    );
    const client = await pop3.logIn('ann');
    await client.quit();
    assert.equal(server.log('panic'), '');
  });

  it('keeps a slow reader of a large message from filling its memory', async () => {
    const large = `${'x'.repeat(75)}\n`.repeat(400_000);
    mkdirSync(server.path('mail/ann/cur'), { recursive: true });
    server.write('mail/ann/cur/1.large', `a: b\n\n${large}`, 0o600);
    const before = server.memory('VmRSS');
    const client = await pop3.logIn('ann');
    client.socket.pause();
    client.send('RETR 1\r\n'.repeat(5));
    await new Promise((resolve) => setTimeout(resolve, 500));
    const grown = server.memory('VmRSS') - before;
    assert.ok(grown < 20_000, `grown by ${grown} kB`);
    client.socket.destroy();
    rmSync(server.path('mail/ann/cur/1.large'));
    await server.logs(/pop3 logout \(connection lost\) .* U=ann retr=0/);
  });
});
