/**
 * POP3 with the whole server, and mailboxes that somebody else changes while they are open, that are very large, that
 * hold what is no mail, or that lie on a full disk: answers are clear, memory is bounded, and nothing is lost.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { after, describe, it } from 'node:test';
import { inOrder } from '../src/store/maildir-name.ts';
import { body, Pop3Server } from './pop3-server.ts';
import { account, isRoot, uncollected } from './server.ts';

const pop3 = await Pop3Server.start('pop3_accept_max_per_host = 50\n');
const { server } = pop3;
after(() => server.remove());

const fromLine = 'From a@b.example Tue Mar  3 10:00:00 2026\n';
const message = (name: string): string => `Subject: ${name}\n\n${name}\n`;
const mbox = (...names: readonly string[]): string => names.map((name) => `${fromLine}${message(name)}\n`).join('');
const gone = '-ERR [SYS/TEMP] the message was changed or removed by somebody else';

describe('A maildir that is changed while it is open', () => {
  const part = (name: string): string => server.path(`mail/ann/${name}`);

  it('gives what is still there, wherever it is now, and tells what is not', async () => {
    await pop3.deliverAndWait('ann', 'one\n', 'two\n', 'three\n', 'four\n');
    const client = await pop3.logIn('ann');
    // in the order of delivery: the microseconds in a name have no leading zeros
    const names = inOrder(readdirSync(part('new')).map((name) => ({ name }))).map(({ name }) => name);
    rmSync(part(`new/${names[0]}`));
    renameSync(part(`new/${names[1]}`), part(`cur/${names[1]}:2,FS`));
    appendFileSync(part(`new/${names[2]}`), 'more\n');
    assert.equal(await client.say('RETR 1'), gone);
    assert.equal(body(await client.lines('RETR 2')), 'two\r\n');
    assert.equal(await client.say('RETR 3'), gone);
    assert.equal(body(await client.lines('RETR 4')), 'four\r\n');
    await client.ok('DELE 1');
    await client.ok('DELE 2');
    assert.equal(await client.quit(), '+OK bye');
    const again = await pop3.logIn('ann');
    assert.match(await again.ok('STAT'), /^2 /);
    assert.equal(body(await again.lines('RETR 1')), 'three\r\nmore\r\n');
    await again.ok('DELE 1');
    await again.ok('DELE 2');
    await again.quit();
  });

  it('gives no link, pipe or directory as mail, and tells in the log what cannot be read', async () => {
    await pop3.deliverAndWait('ann', 'mail\n');
    symlinkSync('/etc/passwd', part('new/1.link'));
    symlinkSync(part('nowhere'), part('cur/2.link'));
    assert.equal(spawnSync('mkfifo', [part('new/3.pipe')]).status, 0);
    mkdirSync(part('cur/4.directory'));
    server.write('mail/ann/new/5.unreadable', 'secret\n', 0);
    const client = await pop3.logIn('ann');
    assert.match(await client.ok('STAT'), /^1 /);
    assert.equal(body(await client.lines('RETR 1')), 'mail\r\n');
    await client.ok('DELE 1');
    assert.equal(await client.quit(), '+OK bye');
    await server.logs(/pop3 error H=\S+ A=plain U=ann: 1 messages of \S+\/mail\/ann cannot be read/);
    chmodSync(part('new/5.unreadable'), 0o600);
    const next = await pop3.logIn('ann');
    assert.match(await next.ok('STAT'), /^1 /);
    await next.ok('DELE 1');
    await next.quit();
  });

  it('that may not be written to says at QUIT that messages are left', async () => {
    await pop3.deliverAndWait('ann', 'stays\n');
    const client = await pop3.logIn('ann');
    await client.ok('DELE 1');
    chmodSync(part('new'), 0o500);
    assert.equal(await client.quit(), '-ERR [SYS/TEMP] some deleted messages were not removed');
    chmodSync(part('new'), 0o700);
    await server.logs(/pop3 error .* U=ann: 1 messages could not be changed, the first \S+: permission denied/i);
    const next = await pop3.logIn('ann');
    assert.equal(body(await next.lines('RETR 1')), 'stays\r\n');
    await next.ok('DELE 1');
    assert.equal(await next.quit(), '+OK bye');
  });

  it('is refused when it cannot be opened, without a word about its place', async () => {
    await pop3.deliverAndWait('ann', 'x\n');
    chmodSync(part('cur'), 0);
    const client = await pop3.connect();
    await client.ok('USER ann');
    assert.equal(await client.say('PASS secret'), '-ERR [SYS/TEMP] please try again later');
    client.socket.destroy();
    chmodSync(part('cur'), 0o700);
    await server.logs(/pop3 login failed .* U=ann: maildir \S+\/mail\/ann: permission denied/i);
  });
});

describe('A mailbox file that is changed while it is open', () => {
  const path = (): string => server.path('mail/eve');

  it('gives what is there when mail was appended, and keeps that mail', async () => {
    server.write('mail/eve', mbox('one', 'two'), 0o600);
    const client = await pop3.logIn('eve');
    appendFileSync(path(), mbox('three'));
    assert.equal(body(await client.lines('RETR 1')), 'one\r\n');
    await client.ok('DELE 1');
    await client.ok('DELE 2');
    await client.quit();
    assert.equal(readFileSync(path(), 'latin1'), mbox('three'));
  });

  it('tells what is gone when it was cut short, and removes nothing that was not asked for', async () => {
    server.write('mail/eve', mbox('one', 'two', 'three'), 0o600);
    const client = await pop3.logIn('eve');
    server.write('mail/eve', mbox('two', 'other'), 0o600);
    assert.equal(await client.say('RETR 3'), gone);
    await client.ok('DELE 1');
    await client.ok('DELE 2');
    await client.ok('DELE 3');
    await client.quit();
    assert.equal(readFileSync(path(), 'latin1'), mbox('other'));
  });

  it('is refused when it is a link, or no mailbox', async () => {
    const client = await pop3.connect();
    rmSync(path());
    symlinkSync('/etc/passwd', path());
    await client.ok('USER eve');
    assert.equal(await client.say('PASS secret'), '-ERR [SYS/PERM] the mailbox cannot be opened');
    rmSync(path());
    server.write('mail/eve', 'no mail\n', 0o600);
    await client.ok('USER eve');
    assert.match(await client.say('PASS secret'), /^-ERR \[SYS\/(?:TEMP|PERM)\] /);
    client.socket.destroy();
    assert.equal(readFileSync(path(), 'latin1'), 'no mail\n');
    rmSync(path());
  });

  it('may have 2 GB: it is opened in bounded memory, and the next time without being read whole', async () => {
    const large = 2 * 1024 ** 3 + 12_345;
    server.write('mail/eve', `${mbox('first')}${fromLine}Subject: large\n\n`, 0o600);
    truncateSync(path(), large);
    const file = openSync(path(), 'a');
    writeSync(file, `\n\n${mbox('before', 'last')}`);
    closeSync(file);
    const { size } = statSync(path());
    const before = pop3.memory();
    const client = await pop3.logIn('eve');
    assert.match(await client.ok('STAT'), /^4 21474\d+$/);
    assert.equal(body(await client.lines('RETR 4')), 'last\r\n');
    await client.ok('DELE 4');
    assert.equal(await client.quit(), '+OK bye');
    assert.equal(statSync(path()).size, size - mbox('last').length);
    // nobody reads 2 GB in this time with an index that is not believed
    const read = (): number => Number(/^rchar: (\d+)/m.exec(readFileSync(`/proc/${server.pid}/io`, 'latin1'))?.[1]);
    const begun = read();
    const again = await pop3.logIn('eve');
    assert.equal(body(await again.lines('RETR 3')), 'before\r\n');
    assert.ok(read() - begun < 1_000_000);
    again.socket.pause();
    again.send('RETR 2\r\n');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    again.socket.destroy();
    const grown = pop3.memory() - before;
    assert.ok(grown < uncollected, `grown by ${grown} kB`);
    rmSync(path());
  });
});

describe('A full disk', () => {
  it('leaves a mailbox file as it is at QUIT, and says so', async () => {
    const room = 3_000_000;
    const mount = (directory: string): string =>
      `mount -t tmpfs -o size=${room},uid=${account.uid},gid=${account.gid},mode=775 none ${directory}/mail && exec "$@"`;
    const full = await Pop3Server.start('', (directory) =>
      isRoot ? ['unshare', '-m', 'sh', '-c', mount(directory), 'sh'] : ['prlimit', '--fsize=1500000'],
    );
    try {
      const place = isRoot ? `/proc/${full.server.pid}/root${full.server.directory}/mail` : full.server.path('mail');
      const long = `${'x'.repeat(70)}\n`.repeat(14_000);
      const text = `${mbox('one')}${fromLine}Subject: long\n\n${long}\n${mbox('three')}`;
      await full.deliverAndWait('eve', 'there must be a file\n');
      const file = openSync(`${place}/eve`, 'w');
      writeSync(file, text);
      if (isRoot) writeSync(openSync(`${place}/filler`, 'w'), 'x'.repeat(1_300_000));
      else writeSync(file, mbox('four').repeat(10_000));
      closeSync(file);
      const whole = readFileSync(`${place}/eve`, 'latin1');
      const client = await full.logIn('eve');
      await client.ok('DELE 1');
      assert.equal(await client.quit(), '-ERR [SYS/TEMP] some deleted messages were not removed');
      assert.equal(readFileSync(`${place}/eve`, 'latin1'), whole);
      await full.server.logs(/pop3 error .* U=eve: mailbox \S+: (?:no space left|file too large)/i);
      // to remove the last ones needs no room
      const next = await full.logIn('eve');
      await next.ok('DELE 3');
      assert.equal(await next.quit(), isRoot ? '+OK bye' : '-ERR [SYS/TEMP] some deleted messages were not removed');
      if (isRoot) assert.equal(readFileSync(`${place}/eve`, 'latin1'), text.slice(0, -mbox('three').length));
      assert.deepEqual(
        readdirSync(place).filter((name) => !['eve', 'filler', '.eve.tabella-index'].includes(name)),
        [],
      );
    } finally {
      await full.server.remove();
    }
  });
});
