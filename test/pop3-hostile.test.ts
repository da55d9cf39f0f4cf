/**
 * POP3 with the whole server, and clients that mean no good, or do not know what they do. TABELLA_SEED says which random
 * exchanges are tried.
 */

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { truncateSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { authentication, negotiation, readChallenge } from '../src/authenticators/ntlm.ts';
import { Pop3Client } from './pop3-client.ts';
import { other, Pop3Server } from './pop3-server.ts';
import { chownTo, uncollected } from './server.ts';

const seed = Number(process.env['TABELLA_SEED'] ?? randomInt(1 << 30));

const pop3 = await Pop3Server.start('pop3_accept_max_per_host = 20\npop3_login_timeout = 5s\n');
const { server } = pop3;
after(() => server.remove());

const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');
const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Another client is served. */
async function goesOn(): Promise<void> {
  const client = await pop3.logIn('ann');
  assert.match(await client.quit(), /^\+OK/);
  assert.equal(server.log('panic'), '');
}

describe('Hostile clients of POP3', () => {
  it('may send a thousand commands at once', async () => {
    await pop3.deliverAndWait('ann', 'x\n');
    const client = await pop3.logIn('ann');
    client.send('RETR 1\r\n'.repeat(1000));
    for (let count = 0; count < 1000; count++) {
      while ((await client.line()) !== '.');
    }
    await client.ok('DELE 1');
    await client.quit();
  });

  it(`may send anything at all (TABELLA_SEED=${seed})`, async () => {
    await pop3.deliverAndWait('dora', 'x\n');
    const words = [
      'USER',
      'PASS',
      'AUTH',
      'CAPA',
      'STAT',
      'LIST',
      'UIDL',
      'RETR',
      'TOP',
      'DELE',
      'RSET',
      'LAST',
      'NOOP',
    ];
    const argument = fc.constantFrom(
      '',
      ' ',
      ' 1',
      ' 1 1',
      ' 0',
      ' -1',
      ' 99999999999',
      ' 1 1 1',
      ' ann',
      ' \0',
      ' PLAIN',
    );
    const piece = fc.oneof(
      fc
        .tuple(fc.constantFrom(...words), argument, fc.constantFrom('\r\n', '\n', '\r', ''))
        .map((parts) => parts.join('')),
      fc.string({ unit: 'binary-ascii', maxLength: 40 }),
      fc.constantFrom('USER dora\r\nPASS secret\r\n', 'AUTH CRAM-MD5\r\n*\r\n', '\0', '+ \r\n', 'A'.repeat(20_000)),
      fc.constantFrom(`AUTH PLAIN ${base64('\0dora\0secret')}\r\n`, 'AUTH PLAIN =\r\n', 'STLS\r\nNOOP\r\n', 'QUIT\r\n'),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        const client = await pop3.connect();
        for (const each of pieces) client.send(each);
        client.socket.end();
        await client.closed();
      }),
      { numRuns: 60, seed },
    );
    await goesOn();
  });

  it('that send half a command, octet by octet, are closed when the time to log in is over', async () => {
    const client = await pop3.connect('127.0.3.1');
    const begun = performance.now();
    const dripping = setInterval(() => client.send('U'), 500);
    assert.equal(await client.line(), '-ERR no login');
    await client.closed();
    clearInterval(dripping);
    assert.ok(performance.now() - begun < 15_000);
    await goesOn();
  });

  it('that send lines without end cost no memory, and are told', async () => {
    const before = pop3.memory();
    const client = await pop3.connect();
    for (let count = 0; count < 256; count++) client.send('A'.repeat(1024 * 1024));
    client.send('\r\n');
    assert.equal(await client.line(), '-ERR line too long');
    const grown = pop3.memory() - before;
    assert.ok(grown < uncollected, `grown by ${grown} kB`);
    await client.quit();
  });

  it('get in without a password by no way, even where a lookup made it an empty one', async () => {
    const refused = '-ERR [AUTH] authentication failed';
    const plain = await pop3.connect('127.0.4.1');
    await plain.ok('USER nopassword');
    assert.equal(await plain.say('PASS '), refused);
    assert.equal(await plain.say(`AUTH PLAIN ${base64('\0nopassword\0')}`), refused);
    plain.socket.destroy();
    const login = await pop3.connect('127.0.4.2');
    assert.match(await login.say('AUTH LOGIN'), /^\+ /);
    assert.match(await login.say(base64('nopassword')), /^\+ /);
    assert.equal(await login.say(''), refused);
    login.socket.destroy();
    const cram = await pop3.connect('127.0.4.3');
    const challenge = Buffer.from((await cram.say('AUTH CRAM-MD5')).slice(2), 'base64');
    const { createHmac } = await import('node:crypto');
    const digest = (key: string): string => createHmac('md5', key).update(challenge).digest('hex');
    assert.equal(await cram.say(base64(`nopassword ${digest('')}`)), refused);
    const spa = await pop3.connect('127.0.4.4');
    assert.equal(await spa.say('AUTH NTLM'), '+ NTLM supported');
    const asked = readChallenge(
      Buffer.from((await spa.say(base64(negotiation('nopassword', '')))).slice(2), 'base64').toString('latin1'),
    );
    assert.ok(asked);
    assert.equal(await spa.say(base64(authentication('nopassword', '', '', asked))), refused);
    assert.equal(server.log().split(/ U=nopassword: empty password/).length - 1, 5);
  });

  it('that come in a flood are refused in a line of the log for many, and keep nobody else out', async () => {
    const clients: Pop3Client[] = [];
    for (let count = 0; count < 20; count++) clients.push(await pop3.connect('127.0.5.1'));
    for (let count = 0; count < 100; count++) {
      const client = await Pop3Client.open(pop3.port, '127.0.5.1');
      assert.equal(client.greeting, '-ERR [SYS/TEMP] too many connections from that IP address');
      await client.closed();
    }
    await goesOn();
    for (const client of clients) client.socket.destroy();
    const told = server.log().match(/pop3 connection from \[127\.0\.5\.1\] refused: [^\n]*/g) ?? [];
    assert.ok(told.length >= 1 && told.length < 10, `${told.length} lines`);
  });

  for (const [user, owner] of [
    ['ann', undefined],
    ['cat', other.uid],
  ] as const) {
    it(`that take none of 100 MB cost no memory (${user})`, async () => {
      await pop3.deliverAndWait(user, 'first\n');
      const path = server.write(`mail/${user}/cur/1.large`, 'a: b\n\n', 0o600);
      truncateSync(path, 100 * 1024 * 1024);
      if (owner !== undefined) chownTo(path, owner);
      const warm = await pop3.logIn(user);
      assert.match(await warm.ok('STAT'), /^2 /);
      await warm.quit();
      const before = pop3.memory();
      const client = await pop3.logIn(user);
      client.socket.pause();
      client.send('RETR 1\r\n'.repeat(5));
      let grown = 0;
      for (let count = 0; count < 10; count++) {
        await sleep(100);
        grown = Math.max(grown, pop3.memory() - before);
      }
      assert.ok(grown < uncollected, `grown by ${grown} kB`);
      client.socket.destroy();
      await server.logs(new RegExp(`pop3 logout \\(connection lost\\) .* U=${user} retr=0`));
    });
  }

  it('that ask for lists again and again, and take none, cost no memory', async () => {
    const before = pop3.memory();
    const client = await pop3.logIn('dora');
    client.socket.pause();
    client.send('UIDL\r\nLIST\r\nCAPA\r\n'.repeat(500_000));
    await sleep(1000);
    const grown = pop3.memory() - before;
    assert.ok(grown < uncollected, `grown by ${grown} kB`);
    client.socket.destroy();
    await goesOn();
  });
});
