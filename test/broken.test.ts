/**
 * What may be broken around the daemon: tables, mailboxes, its configuration, the disk. Senders are told to try again or
 * their mail waits, a line in a log says why, the daemon lives on, and when the damage is repaired the mail arrives.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { account, isRoot, root, run, TestServer, tableTransports, waitFor } from './server.ts';
import { SmtpClient } from './smtp-client.ts';

let server: TestServer;

/** Users found in tables of several kinds; the local part of the address says which. */
const routers = (directory: string): string =>
  [
    ['cdb', `cdb{${directory}/t.cdb}`],
    ['dbm', `dbm{${directory}/t.db}`],
    ['bdb', `dbm{${directory}/berkeley.db}`],
    ['lsearch', `lsearch{${directory}/t.ls}`],
    ['regex', `nwildlsearch{${directory}/t.nw}`],
  ]
    .map(
      ([name, lookup]) => `
${name}:
  driver = redirect
  local_parts = ${name}
  data = \${lookup{$local_part}${lookup}}
  directory_transport = maildir
`,
    )
    .join('') +
  `
users:
  driver = redirect
  data = \${lookup{$local_part}lsearch{${directory}/users}}
  directory_transport = maildir
`;

const acl = `  accept senders = unchecked@b.example
  require verify = recipient
  accept domains = x.example`;

before(async () => {
  server = await TestServer.make();
  server.configure({ routers: routers(server.directory), acl });
  await server.start();
});
after(() => server.remove());

let served = 0;

async function goesOn(): Promise<void> {
  const client = await SmtpClient.greet(server.port);
  const subject = `still there ${++served}`;
  assert.match(await client.message('a@b.example', ['eve@x.example'], `Subject: ${subject}\n\nyes\n`), /^250 OK id=/);
  await client.quit();
  await waitFor('the next client gets its mail through', () =>
    server.mail('eve').some((text) => text.includes(`Subject: ${subject}\n`)),
  );
}

const makeTable = (name: string, ...words: readonly string[]): void => {
  const source = server.write(
    'source',
    `${['cdb', 'dbm', 'lsearch', 'regex'].map((key) => `${key}: ${server.directory}/mail/ben/`).join('\n')}\n`,
  );
  rmSync(server.path(name), { force: true, recursive: true });
  const built = run('exim_dbmbuild', [...words, source, server.path(name)]);
  assert.equal(built.status, 0, built.stderr);
  chmodSync(server.path(name), 0o644);
};
const writeText = (name: string) => (): void => {
  rmSync(server.path(name), { force: true, recursive: true });
  server.write(name, `lsearch: ${server.directory}/mail/ben/\nregex: ${server.directory}/mail/ben/\n`);
};
const makeBerkeley = (): void => {
  rmSync(server.path('berkeley.db'), { force: true, recursive: true });
  const packed = Buffer.from(readFileSync(join(root, 'src/lib/fixtures/berkeley-many.b64'), 'latin1'), 'base64');
  server.write('berkeley.db', gunzipSync(packed));
};
const makers: Readonly<Record<string, () => void>> = {
  't.cdb': () => makeTable('t.cdb', '-nozero'),
  't.db': () => makeTable('t.db'),
  'berkeley.db': makeBerkeley,
  't.ls': writeText('t.ls'),
  't.nw': writeText('t.nw'),
};

const noise = Buffer.from(Array.from({ length: 80_000 }, (_, n) => (n * 7919 + (n >> 3) * 104729) & 0xff));

type Damage = (path: string) => void;
const cutTo =
  (size: number): Damage =>
  (path) =>
    truncateSync(path, size);
const overwrite =
  (from: number, size: number): Damage =>
  (path) => {
    const file = readFileSync(path);
    noise.copy(file, from, 0, size);
    writeFileSync(path, file);
  };
const beDirectory: Damage = (path) => {
  rmSync(path);
  mkdirSync(path);
};
const beUnreadable: Damage = (path) => chmodSync(path, 0);
const beMissing: Damage = (path) => rmSync(path);
const beFifo: Damage = (path) => {
  rmSync(path);
  assert.equal(spawnSync('mkfifo', ['-m', '666', path]).status, 0);
};

const damages: readonly [what: string, key: string, file: string, damage: Damage][] = [
  ['A cdb cut off in its head', 'cdb', 't.cdb', cutTo(100)],
  ['A cdb cut off behind its head', 'cdb', 't.cdb', cutTo(2048)],
  ['An empty cdb', 'cdb', 't.cdb', cutTo(0)],
  ['A cdb whose head is noise', 'cdb', 't.cdb', overwrite(0, 2048)],
  ['A dbm table cut off in its head', 'dbm', 't.db', cutTo(1000)],
  ['A dbm table that is noise', 'dbm', 't.db', overwrite(0, 2200)],
  ['An empty dbm table', 'dbm', 't.db', cutTo(0)],
  ['A Berkeley DB file cut off', 'bdb', 'berkeley.db', cutTo(5000)],
  ['A Berkeley DB file whose pages are noise', 'bdb', 'berkeley.db', overwrite(4096, 73_000)],
  ['A directory in the place of a dbm table', 'dbm', 't.db', beDirectory],
  ['A directory in the place of an lsearch file', 'lsearch', 't.ls', beDirectory],
  ['A directory in the place of an nwildlsearch file', 'regex', 't.nw', beDirectory],
  ['An unreadable lsearch file', 'lsearch', 't.ls', beUnreadable],
  ['An unreadable cdb', 'cdb', 't.cdb', beUnreadable],
  ['A missing lsearch file', 'lsearch', 't.ls', beMissing],
  ['A missing cdb', 'cdb', 't.cdb', beMissing],
  ['A missing dbm table', 'dbm', 't.db', beMissing],
  ['A named pipe in the place of an lsearch file', 'lsearch', 't.ls', beFifo],
  ['A named pipe in the place of a cdb', 'cdb', 't.cdb', beFifo],
];

for (const [what, key, file, damage] of damages) {
  test(`${what} makes senders try again and mail wait, and is told in the log`, async () => {
    makers[file]?.();
    damage(server.path(file));
    const client = await SmtpClient.greet(server.port);
    const before = server.log().length;
    await client.say('MAIL FROM:<a@b.example>', 250);
    assert.equal(await client.say(`RCPT TO:<${key}@x.example>`), '451 Temporary local problem - please try later\r\n');
    assert.match(server.log().slice(before), new RegExp(`temporarily rejected RCPT <${key}@x\\.example>: .`));
    await client.say('RSET', 250);
    const subject = `waits for ${what}`;
    await client.message('unchecked@b.example', [`${key}@x.example`], `Subject: ${subject}\n\nx\n`);
    await client.quit();
    await waitFor('the delivery is put off', () => / == .* defer \(-?\d+\): ./.test(server.log().slice(before)));
    assert.ok(server.log().slice(before).includes(file), 'the line names the file');
    await goesOn();
    makers[file]?.();
    server.run(['-qff']);
    if (file === 'berkeley.db') {
      // the table has no such key: that is an answer, too
      await server.logs(new RegExp(`\\*\\* ${key}@x\\.example: Unrouteable address`));
      return;
    }
    await waitFor('the mail arrives', () => server.mail('ben').some((text) => text.includes(`Subject: ${subject}\n`)));
  });
}

test('A maildir that cannot be written to puts the delivery off; when it can, the mail arrives', async () => {
  const maildir = server.makeDirectory('mail/ann');
  if (isRoot) chownSync(maildir, 0, 0);
  chmodSync(maildir, 0o555);
  const client = await SmtpClient.greet(server.port);
  assert.match(
    await client.message('a@b.example', ['ann@x.example', 'ben@x.example'], 'Subject: to both\n\nx\n'),
    /^250 /,
  );
  await client.quit();
  await server.logs(/ == .*\/mail\/ann\/ <ann@x\.example> R=users T=maildir defer \(13\): Permission denied/);
  await waitFor('the other has got it', () => server.mail('ben').some((text) => text.includes('Subject: to both\n')));
  await goesOn();
  const others = server.mail('ben').length;
  chmodSync(maildir, 0o755);
  if (isRoot) chownSync(maildir, account.uid, account.gid);
  server.run(['-qff']);
  assert.ok(server.mail('ann').some((text) => text.includes('Subject: to both\n')));
  assert.equal(server.mail('ben').length, others);
});

test('After SIGHUP with mistakes in the configuration the old one goes on, the log says so, and a right one is taken over', async () => {
  const good = server.configuration({ routers: routers(server.directory), acl });
  const mistakes: readonly [string, RegExp][] = [
    [good.replace('begin routers', 'no_such_option = 3\nbegin routers'), /no_such_option|begin routers/],
    [good.replace('primary_hostname', 'primary_hostnam'), /primary_hostnam/],
    [good.replace('driver = appendfile', 'driver = appendfil'), /appendfil/],
    [`${good}\n.include /nowhere/at/all\n`, /\/nowhere\/at\/all/],
    ['\0\x01\xff{{{${', /./],
  ];
  for (const [text, told] of mistakes) {
    const before = server.log('panic').length;
    server.write('config', text);
    if (isRoot) chownSync(server.path('config'), 0, 0);
    server.signal('SIGHUP');
    const refused = /the configuration was not taken over: ./;
    await waitFor('a refusal in the panic log', () => refused.test(server.log('panic').slice(before)));
    assert.match(server.log('panic').slice(before), told);
    await goesOn();
  }
  rmSync(server.path('config'));
  const before = server.log('panic').length;
  server.signal('SIGHUP');
  await waitFor('a line in the panic log', () => server.log('panic').length > before);
  await goesOn();
  server.configure({ main: 'smtp_banner = another one', routers: routers(server.directory), acl });
  server.signal('SIGHUP');
  server.signal('SIGHUP');
  await waitFor('the new configuration', async () => {
    const client = await SmtpClient.open(server.port);
    const banner = await client.expect(220);
    await client.quit();
    return banner === '220 another one\r\n';
  });
  await goesOn();
});

test('A connection that was open at SIGHUP is served to its end with the configuration it began with', async () => {
  const client = await SmtpClient.greet(server.port);
  const before = server.log().length;
  server.signal('SIGHUP');
  await waitFor('the daemon has read it again', () => server.log().slice(before).includes('daemon started'));
  assert.match(await client.message('a@b.example', ['eve@x.example'], 'Subject: over\n\nx\n'), /^250 /);
  await client.quit();
  await waitFor('delivery', () => server.mail('eve').some((text) => text.includes('Subject: over\n')));
});

/** A spool without much room: for root a small file system, for others a limit on the size of files. */
const room = 3_000_000;
const narrow = (directory: string): readonly string[] =>
  isRoot
    ? [
        'unshare',
        '-m',
        'sh',
        '-c',
        `mount -t tmpfs -o size=${room},uid=${account.uid},gid=${account.gid},mode=755 none ${directory}/spool && exec "$@"`,
        'sh',
      ]
    : ['prlimit', `--fsize=${room}`];

test('A full disk is answered with 452 and a line in the panic log; what was accepted before is delivered', async () => {
  const full = await TestServer.make();
  try {
    // a user whose mail waits, so that there is something to be written when there is no room
    full.write(
      'users',
      `ann: ${full.directory}/mail/ann/\nben: ${full.directory}/ben/\neve: ${full.directory}/mail/eve/\n`,
    );
    mkdirSync(full.path('ben'), { mode: 0o555 });
    if (isRoot) chownSync(full.path('ben'), 0, 0);
    // the space is not looked at before, so that it ends within a message
    const main = 'check_spool_space = 0\ncheck_log_space = 0\n';
    full.configure({ main, retry: '* * F,1h,1s', transports: tableTransports });
    await full.start(['-q1s'], narrow(full.directory));
    const spool = isRoot ? `/proc/${full.pid}/root${full.directory}/spool` : full.path('spool');
    const bodies = (): string[] => readdirSync(join(spool, 'input'));

    const client = await SmtpClient.greet(full.port);
    assert.match(
      await client.message('a@b.example', ['ann@x.example', 'ben@x.example'], 'Subject: waits\n\nx\n'),
      /^250 /,
    );
    await full.logs(/defer \(13\)/);
    const waiting = bodies()
      .filter((name) => /-[HD]$/.test(name))
      .sort();
    assert.equal(waiting.length, 2);
    const left = (): string[] =>
      bodies()
        .filter((name) => /^hdr|-[HD]$/.test(name))
        .sort();

    const big = `Subject: too big\n\n${'0123456789abcde\n'.repeat(500_000)}`;
    assert.match(await client.message('a@b.example', ['eve@x.example'], big), /^452 space shortage, please try later/);
    await full.logs(
      /error while receiving a message from H=\(client\.example\) \[127\.0\.0\.1\]: (?:no space left|file too large)/i,
      'panic',
    );
    assert.deepEqual(left(), waiting);
    assert.match(await client.message('a@b.example', ['eve@x.example'], 'Subject: small\n\nx\n'), /^250 /);
    await waitFor('it is delivered', () => left().length === waiting.length);

    if (isRoot) {
      // from no room at all to room for the body alone
      const taken: string[] = [];
      for (const pages of [0, 1, 2, 3]) {
        fill(join(spool, 'filler'), pages);
        // a message for one mailbox needs no room on the spool when it can be delivered at once
        for (const to of [['eve@x.example'], ['eve@x.example', 'ann@x.example']]) {
          const answer = await client.message('a@b.example', to, `Subject: ${pages} ${to.length}\n\nx\n`);
          assert.match(answer, pages === 0 && to.length > 1 ? /^452 / : /^(?:250|452) /);
          if (answer.startsWith('250'))
            taken.push(...to.map((address) => `${address.slice(0, 3)} ${pages} ${to.length}`));
        }
        // what was taken may wait for room for its journal
        rmSync(join(spool, 'filler'));
        await waitFor('nothing of it is left', () => left().length <= waiting.length);
        assert.deepEqual(left(), waiting);
      }
      for (const copy of taken) {
        const [user = '', ...subject] = copy.split(' ');
        assert.ok(
          full.mail(user).some((text) => text.includes(`Subject: ${subject.join(' ')}\n`)),
          copy,
        );
      }
      // queue runs that cannot write anything
      fill(join(spool, 'filler'), 0);
      const before = full.log().length;
      await waitFor(
        'two queue runs',
        () =>
          (
            full
              .log()
              .slice(before)
              .match(/End queue run/g) ?? []
          ).length > 1,
      );
      assert.deepEqual(left(), waiting);
      rmSync(join(spool, 'filler'));
    }
    assert.match(await client.message('a@b.example', ['eve@x.example'], 'Subject: room again\n\nx\n'), /^250 /);
    await client.quit();
    await waitFor('delivery', () => full.mail('eve').some((text) => text.includes('Subject: room again\n')));
    chmodSync(full.path('ben'), 0o755);
    if (isRoot) chownSync(full.path('ben'), account.uid, account.gid);
    const waits = (): string[] =>
      readdirSync(full.path('ben')).includes('new') ? readdirSync(full.path('ben/new')) : [];
    await waitFor('what waited is delivered', () => waits().length > 0);
    assert.equal(waits().length, 1);
    assert.equal(full.mail('ann').filter((text) => text.includes('Subject: waits\n')).length, 1);
    assert.doesNotMatch(full.log('panic'), /unexpected error/);
  } finally {
    await full.remove();
  }
});

/** Takes all the room of a file system but so many pages. */
function fill(path: string, pages: number): void {
  const page = Buffer.alloc(4096, 'f');
  rmSync(path, { force: true });
  try {
    for (;;) writeFileSync(path, page, { flag: 'a' });
  } catch {
    const { size } = { size: readFileSync(path).length };
    truncateSync(path, Math.max(size - (size % 4096) - pages * 4096, 0));
  }
}
