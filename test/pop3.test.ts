/** POP3 with the whole server: mailboxes found by routing and opened in a process of their owner while mail comes in. */

import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { Pop3Client } from './pop3-client.ts';
import { body, other, Pop3Server } from './pop3-server.ts';
import { isRoot, waitFor } from './server.ts';

const pop3 = await Pop3Server.start('pop3_accept_max_per_host = 50');
const { server } = pop3;
after(() => server.remove());

describe('POP3', () => {
  it('is told of in the log when it is there', async () => {
    await server.logs(new RegExp(`listening for POP3 on \\[127\\.0\\.0\\.1\\]:\\{${pop3.port},${pop3.tlsPort}\\}`));
  });

  for (const user of ['ann', 'ben', 'cat', 'eve']) {
    it(`gives ${user} mail, and keeps what was not deleted`, async () => {
      await pop3.deliverAndWait(user, 'one\n', '.two\n..\n\nFrom here\n', 'three\n');
      const client = await pop3.logIn(user);
      assert.match(await client.ok('STAT'), /^3 \d+$/);
      const ids = await client.lines('UIDL');
      const whole = await client.lines('RETR 2');
      assert.equal(body(whole).replace('>From', 'From'), '.two\r\n..\r\n\r\nFrom here\r\n');
      assert.equal(Number((await client.ok('LIST 2')).split(' ')[1]), whole.length);
      assert.equal(await client.lines('TOP 2 1'), whole.slice(0, whole.indexOf('..\r\n')));
      await client.ok('DELE 1');
      await client.ok('DELE 3');
      await client.quit();
      const again = await pop3.logIn(`${user}@x.example`);
      assert.equal(await again.lines('UIDL'), ids.split('\r\n')[1]?.replace(/^2/, '1').concat('\r\n'));
      await again.ok('DELE 1');
      await again.quit();
      await server.logs(
        new RegExp(`pop3 logout H=\\[127\\.0\\.0\\.1\\] A=plain U=${user} retr=1 top=1 octets=\\d+ dele=2 left=1`),
      );
    });
  }

  it('opens mailboxes in a process of their owner, which is never root', async () => {
    await pop3.deliverAndWait('cat', 'mine\n');
    const client = await pop3.logIn('cat');
    assert.equal(body(await client.lines('RETR 1')), 'mine\r\n');
    const children = pop3.mailboxProcesses();
    if (isRoot) assert.ok(children.some((pid) => statSync(`/proc/${pid}`).uid === other.uid));
    else assert.deepEqual(children, []);
    await client.quit();
    const refused = await pop3.connect();
    await refused.ok('USER root');
    assert.equal(await refused.say('PASS secret'), '-ERR [AUTH] authentication failed');
    refused.socket.destroy();
  });

  it('goes on with other sessions when a process of an owner dies', async () => {
    if (!isRoot) return;
    const client = await pop3.logIn('cat');
    for (const pid of pop3.mailboxProcesses()) process.kill(pid, 'SIGKILL');
    await waitFor('the process is missed', async () => /^-ERR/.test(await client.say('RETR 1')));
    assert.equal(await client.quit(), '-ERR [SYS/TEMP] some deleted messages were not removed');
    const again = await pop3.logIn('cat');
    assert.equal(body(await again.lines('RETR 1')), 'mine\r\n');
    await again.quit();
  });

  it('gives one reader at a time a mailbox, while mail goes on coming in', async () => {
    for (const user of ['dora', 'eve']) {
      await pop3.deliverAndWait(user, 'before\n');
      const client = await pop3.logIn(user);
      const second = await pop3.connect();
      await second.ok(`USER ${user}`);
      assert.equal(await second.say('PASS secret'), '-ERR [IN-USE] the mailbox is in use');
      second.socket.destroy();
      await pop3.deliverAndWait(user, 'meanwhile\n');
      assert.match(await client.ok('STAT'), /^1 /);
      assert.equal(body(await client.lines('RETR 1')), 'before\r\n');
      await client.ok('DELE 1');
      await client.quit();
      const next = await pop3.logIn(user);
      assert.match(await next.ok('STAT'), /^1 /);
      assert.equal(body(await next.lines('RETR 1')), 'meanwhile\r\n');
      await next.ok('DELE 1');
      await next.quit();
    }
  });

  it('changes nothing without QUIT', async () => {
    await pop3.deliverAndWait('eve', 'stays\n');
    const client = await pop3.logIn('eve');
    await client.ok('DELE 1');
    client.socket.destroy();
    await server.logs(/pop3 logout \(connection lost\) .* U=eve .*left=1/);
    const next = await pop3.logIn('eve');
    assert.match(await next.ok('STAT'), /^1 /);
    await next.ok('DELE 1');
    await next.quit();
  });

  it('tells nobody whether there is such a user: the same words, after as long', async () => {
    const times: number[] = [];
    let host = 1;
    for (const [user, password] of [
      ['ann', 'wrong'],
      ['nobody', 'wrong'],
      ['nobody', 'secret'],
      ['list', 'secret'],
      ['alias', 'secret'],
      ['pipe', 'secret'],
      ['someone@elsewhere.example', 'secret'],
      ['ann', ''],
    ] as const) {
      // failures of one host are answered later and later
      const client = await pop3.connect(`127.0.1.${host++}`);
      await client.ok(`USER ${user}`);
      const begun = performance.now();
      assert.equal(await client.say(`PASS ${password}`), '-ERR [AUTH] authentication failed');
      times.push(performance.now() - begun);
      client.socket.destroy();
    }
    for (const time of times) assert.ok(time > 990 && time < 1500, `${Math.round(time)} ms`);
    assert.match(
      server.log(),
      /pop3 login failed H=\[127\.0\.1\.4\] U=list: no mailbox: the table router redirects its mail elsewhere/,
    );
    assert.match(server.log(), /U=pipe: no mailbox: the table router gives its mail to a program/);
    assert.match(
      server.log(),
      /U=someone@elsewhere\.example: no mailbox: the smtp transport \(smtp\) keeps no mailbox/,
    );
  });

  it('lets authenticators of all kinds decide', async () => {
    const plain = await pop3.connect();
    await plain.ok(`AUTH PLAIN ${Buffer.from('\0ann\0secret').toString('base64')}`);
    await plain.quit();
    const login = await pop3.connect();
    assert.equal(await login.say('AUTH LOGIN'), '+ VXNlcjo=');
    assert.equal(await login.say(Buffer.from('ann').toString('base64')), '+ UGFzc3dvcmQ6');
    assert.match(await login.say(Buffer.from('secret').toString('base64')), /^\+OK/);
    await login.quit();
  });

  it('speaks TLS, from the beginning or after STLS', async () => {
    const whole = await new Promise<Pop3Client>((resolve, reject) => {
      const socket = connectTls({ port: pop3.tlsPort, host: '127.0.0.1', rejectUnauthorized: false }, () =>
        resolve(new Pop3Client(socket)),
      );
      socket.on('error', reject);
    });
    assert.match(await whole.line(), /^\+OK/);
    await whole.ok('USER ann');
    await whole.ok('PASS secret');
    await whole.quit();
    const plain = await pop3.connect();
    await plain.ok('STLS');
    plain.socket.removeAllListeners('data');
    const secured = await new Promise<Pop3Client>((resolve, reject) => {
      const socket = connectTls({ socket: plain.socket, rejectUnauthorized: false }, () =>
        resolve(new Pop3Client(socket)),
      );
      socket.on('error', reject);
    });
    assert.doesNotMatch(await secured.lines('CAPA'), /STLS/);
    await secured.ok('USER ann');
    await secured.ok('PASS secret');
    await secured.quit();
    await server.logs(/pop3 login H=\[127\.0\.0\.1\] X=TLS\S+ .*A=plain U=ann/);
  });
});
