/** POP3 with the whole server, killed at any moment. TABELLA_KILLS says how often. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { Pop3Server } from './pop3-server.ts';
import { waitFor } from './server.ts';

const kills = Number(process.env['TABELLA_KILLS'] ?? 8);

const pop3 = await Pop3Server.start('pop3_accept_max_per_host = 50');
const { server } = pop3;
after(() => server.remove());

describe('A server that is killed while it removes messages', () => {
  it('loses none that was to stay, and leaves none in part', async () => {
    const message = (number: number): string =>
      `From a@b.example Tue Mar  3 10:00:00 2026\nSubject: ${number}\n\n${`${number} `.repeat(3000)}\n\n`;
    const all = Array.from({ length: 1500 }, (_, number) => message(number));
    for (let round = 0; round < kills; round++) {
      rmSync(server.path('mail/eve.lock'), { force: true });
      server.write('mail/eve', all.join(''), 0o600);
      const client = await pop3.logIn('eve');
      for (let number = 1; number <= 1500; number += 2) client.send(`DELE ${number}\r\n`);
      for (let number = 1; number <= 1500; number += 2) await client.line();
      client.send('QUIT\r\n');
      await new Promise((resolve) => setTimeout(resolve, (60 * round) / kills));
      await server.stop('SIGKILL');
      const left = readFileSync(server.path('mail/eve'), 'latin1');
      const kept = all.filter((_, number) => number % 2 === 1).join('');
      assert.ok(
        left === all.join('') || left === kept,
        `neither the old mailbox nor the new one, killed in round ${round}`,
      );
      await server.start();
    }
    // what the lock file has kept out so far comes in, and nothing of the torn attempt is in the way
    await waitFor('the mailbox can be opened', async () => {
      const client = await pop3.connect();
      await client.ok('USER eve');
      const answer = await client.say('PASS secret');
      await client.quit();
      return answer.startsWith('+OK');
    });
    await pop3.deliverAndWait('eve', 'after\n');
    const client = await pop3.logIn('eve');
    const [count = 0] = (await client.ok('STAT')).split(' ').map(Number);
    for (let number = 1; number < count; number++) await client.ok(`DELE ${number}`);
    assert.match(await client.quit(), /^\+OK/);
    assert.match(readFileSync(server.path('mail/eve'), 'latin1'), /^From sender@b\.example [\s\S]*after\n\n$/);
    // a kill may leave the file that was to be linked to the lock; its name is nobody else's, so it holds up nothing
    assert.deepEqual(
      readdirSync(server.path('mail')).filter(
        (name) => name.startsWith('eve') && !/^eve\.lock\..+\.[0-9a-f]{8}\.[0-9a-f]{8}/.test(name),
      ),
      ['eve'],
    );
  });
});
