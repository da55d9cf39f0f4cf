/**
 * POP3 with the whole server: mailboxes found by routing, read by clients of all kinds while mail comes in, opened in a
 * process of their owner, and left whole when the server is killed. TABELLA_KILLS says how often it is killed.
 */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import fc from 'fast-check';
import { Pop3Client } from './pop3-client.ts';
import { account, isRoot, TestServer, waitFor } from './server.ts';
import { SmtpClient } from './smtp-client.ts';

const kills = Number(process.env['TABELLA_KILLS'] ?? 8);

/** Somebody whose mailbox is opened in another process, when we are root. */
const other = isRoot ? { user: 'bin', uid: 2 } : { user: account.user, uid: account.uid };

const server = await TestServer.make();
const port = server.port + 1;
const tlsPort = server.port + 2;

/** The users: ann, cat and dora have maildirs, ben and eve mailbox files; ben and cat are somebody else. */
function configure(main = ''): void {
  const { directory } = server;
  server.write(
    'users',
    ['ann', 'cat', 'dora'].map((user) => `${user}: ${directory}/mail/${user}/\n`).join('') +
      ['ben', 'eve'].map((user) => `${user}: ${directory}/mail/${user}\n`).join('') +
      'list: ann@x.example, ben@x.example\npipe: |/bin/cat\nalias: ann@x.example\n',
  );
  const owner = `\${if inlist{$local_part}{ben:cat}{${other.user}}{${account.user}}}`;
  server.configure({
    main: `pop3_ports = ${port}
pop3_tls_on_connect_ports = ${tlsPort}
pop3_interfaces = 127.0.0.1
qualify_domain = x.example
pop3_accept_max_per_host = 50
${main}`,
    routers: `
table:
  driver = redirect
  domains = x.example
  local_parts = !root
  data = \${lookup{$local_part}lsearch{${directory}/users}}
  directory_transport = maildir
  file_transport = mbox
  pipe_transport = pipe
root:
  driver = accept
  local_parts = root
  transport = roots
remote:
  driver = manualroute
  domains = elsewhere.example
  route_list = * 127.0.0.1
  self = send
  transport = smtp
`,
    transports: `
maildir:
  driver = appendfile
  user = ${owner}
  group = ${isRoot ? 'mail' : account.gid}
  maildir_format
mbox:
  driver = appendfile
  user = ${owner}
  group = ${isRoot ? 'mail' : account.gid}
  lockfile_timeout = 2s
roots:
  driver = appendfile
  user = root
  file = ${directory}/mail/root
pipe:
  driver = pipe
smtp:
  driver = smtp
`,
    retry: `* * F,2h,15m
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if eq{$auth3}{secret}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = User:: : Password::
  server_condition = \${if eq{$auth2}{secret}}
  server_set_id = $auth1
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = secret
  server_set_id = $auth1
`,
  });
}

async function deliver(user: string, ...bodies: readonly string[]): Promise<void> {
  const client = await SmtpClient.greet(server.port);
  for (const body of bodies) {
    const answer = await client.message('sender@b.example', [`${user}@x.example`], `Subject: ${user}\n\n${body}`);
    assert.match(answer, /^250/);
  }
  await client.quit();
}

/** How many deliveries to a user the log tells of. */
const delivered = (user: string): number => server.log().split(`<${user}@x.example> R=table`).length - 1;

async function deliverAndWait(user: string, ...bodies: readonly string[]): Promise<void> {
  const before = delivered(user);
  await deliver(user, ...bodies);
  await waitFor(`${bodies.length} messages for ${user}`, () => delivered(user) >= before + bodies.length);
}

const body = (text: string): string => text.slice(text.indexOf('\r\n\r\n') + 4);

before(async () => {
  configure();
  if (isRoot) {
    // whoever owns a mailbox file must be able to make a lock file beside it
    chownSync(server.path('mail'), account.uid, account.gid);
    spawnSync('chmod', ['775', server.path('mail')]);
    chownSync(server.path('mail'), account.uid, 8);
  }
  await server.start();
});
after(() => server.remove());

describe('POP3', () => {
  it('is told of in the log when it is there', async () => {
    await server.logs(new RegExp(`listening for POP3 on \\[127\\.0\\.0\\.1\\]:\\{${port},${tlsPort}\\}`));
  });

  for (const user of ['ann', 'ben', 'cat', 'eve']) {
    it(`gives ${user} mail, and keeps what was not deleted`, async () => {
      await deliverAndWait(user, 'one\n', '.two\n..\n\nFrom here\n', 'three\n');
      const client = await Pop3Client.logIn(port, user);
      assert.match(await client.ok('STAT'), /^3 \d+$/);
      const ids = await client.lines('UIDL');
      const whole = await client.lines('RETR 2');
      assert.equal(body(whole).replace('>From', 'From'), '.two\r\n..\r\n\r\nFrom here\r\n');
      assert.equal(Number((await client.ok('LIST 2')).split(' ')[1]), whole.length);
      assert.equal(await client.lines('TOP 2 1'), whole.slice(0, whole.indexOf('..\r\n')));
      await client.ok('DELE 1');
      await client.ok('DELE 3');
      await client.quit();
      const again = await Pop3Client.logIn(port, `${user}@x.example`);
      assert.equal(await again.lines('UIDL'), ids.split('\r\n')[1]?.replace(/^2/, '1').concat('\r\n'));
      await again.ok('DELE 1');
      await again.quit();
      await server.logs(
        new RegExp(`pop3 logout H=\\[127\\.0\\.0\\.1\\] A=plain U=${user} retr=1 top=1 octets=\\d+ dele=2 left=1`),
      );
    });
  }

  it('opens mailboxes in a process of their owner, which is never root', async () => {
    await deliverAndWait('cat', 'mine\n');
    const client = await Pop3Client.logIn(port, 'cat');
    assert.equal(body(await client.lines('RETR 1')), 'mine\r\n');
    const children = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter(
        (pid) =>
          existsSync(`/proc/${pid}/cmdline`) &&
          readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('--mailboxes-as'),
      )
      .filter((pid) => readFileSync(`/proc/${pid}/status`, 'latin1').includes(`\nPPid:\t${server.pid}\n`));
    if (isRoot) assert.ok(children.some((pid) => statSync(`/proc/${pid}`).uid === other.uid));
    else assert.deepEqual(children, []);
    await client.quit();
    const refused = await Pop3Client.open(port);
    await refused.ok('USER root');
    assert.equal(await refused.say('PASS secret'), '-ERR [AUTH] authentication failed');
    refused.socket.destroy();
  });

  it('goes on with other sessions when a process of an owner dies', async () => {
    if (!isRoot) return;
    const client = await Pop3Client.logIn(port, 'cat');
    spawnSync('pkill', ['-9', '-P', String(server.pid), '-f', 'mailboxes-as']);
    await waitFor('the process is missed', async () => /^-ERR/.test(await client.say('RETR 1')));
    assert.equal(await client.quit(), '-ERR [SYS/TEMP] some deleted messages were not removed');
    const again = await Pop3Client.logIn(port, 'cat');
    assert.equal(body(await again.lines('RETR 1')), 'mine\r\n');
    await again.quit();
  });

  it('gives one reader at a time a mailbox, while mail goes on coming in', async () => {
    for (const user of ['dora', 'eve']) {
      await deliverAndWait(user, 'before\n');
      const client = await Pop3Client.logIn(port, user);
      const second = await Pop3Client.open(port);
      await second.ok(`USER ${user}`);
      assert.equal(await second.say('PASS secret'), '-ERR [IN-USE] the mailbox is in use');
      second.socket.destroy();
      await deliverAndWait(user, 'meanwhile\n');
      assert.match(await client.ok('STAT'), /^1 /);
      assert.equal(body(await client.lines('RETR 1')), 'before\r\n');
      await client.ok('DELE 1');
      await client.quit();
      const next = await Pop3Client.logIn(port, user);
      assert.match(await next.ok('STAT'), /^1 /);
      assert.equal(body(await next.lines('RETR 1')), 'meanwhile\r\n');
      await next.ok('DELE 1');
      await next.quit();
    }
  });

  it('changes nothing without QUIT', async () => {
    await deliverAndWait('eve', 'stays\n');
    const client = await Pop3Client.logIn(port, 'eve');
    await client.ok('DELE 1');
    client.socket.destroy();
    await server.logs(/pop3 logout \(connection lost\) .* U=eve .*left=1/);
    const next = await Pop3Client.logIn(port, 'eve');
    assert.match(await next.ok('STAT'), /^1 /);
    await next.ok('DELE 1');
    await next.quit();
  });

  it('tells nobody whether there is such a user: the same words, after as long', async () => {
    const times: number[] = [];
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
      const client = await Pop3Client.open(port);
      await client.ok(`USER ${user}`);
      const begun = performance.now();
      assert.equal(await client.say(`PASS ${password}`), '-ERR [AUTH] authentication failed');
      times.push(performance.now() - begun);
      client.socket.destroy();
    }
    for (const time of times) assert.ok(time > 990 && time < 1500, `${Math.round(time)} ms`);
    assert.match(
      server.log(),
      /pop3 login failed H=\[127\.0\.0\.1\] U=list: no mailbox: the table router redirects its mail elsewhere/,
    );
    assert.match(server.log(), /U=pipe: no mailbox: the table router gives its mail to a program/);
    assert.match(
      server.log(),
      /U=someone@elsewhere\.example: no mailbox: the smtp transport \(smtp\) keeps no mailbox/,
    );
  });

  it('lets authenticators of all kinds decide', async () => {
    const plain = await Pop3Client.open(port);
    await plain.ok(`AUTH PLAIN ${Buffer.from('\0ann\0secret').toString('base64')}`);
    await plain.quit();
    const login = await Pop3Client.open(port);
    assert.equal(await login.say('AUTH LOGIN'), '+ VXNlcjo=');
    assert.equal(await login.say(Buffer.from('ann').toString('base64')), '+ UGFzc3dvcmQ6');
    assert.match(await login.say(Buffer.from('secret').toString('base64')), /^\+OK/);
    await login.quit();
  });

  it('speaks TLS, from the beginning or after STLS', async () => {
    const whole = await new Promise<Pop3Client>((resolve, reject) => {
      const socket = connectTls({ port: tlsPort, host: '127.0.0.1', rejectUnauthorized: false }, () =>
        resolve(new Pop3Client(socket)),
      );
      socket.on('error', reject);
    });
    assert.match(await whole.line(), /^\+OK/);
    await whole.ok('USER ann');
    await whole.ok('PASS secret');
    await whole.quit();
    const plain = await Pop3Client.open(port);
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

  it('answers a thousand commands that are sent at once', async () => {
    await deliverAndWait('ann', 'x\n');
    const client = await Pop3Client.logIn(port, 'ann');
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
        const client = await Pop3Client.open(port);
        for (const each of pieces) client.send(each);
        client.socket.end();
        await client.closed();
      }),
      { numRuns: 40 },
    );
    const client = await Pop3Client.logIn(port, 'ann');
    await client.quit();
    assert.equal(server.log('panic'), '');
  });

  it('keeps a slow reader of a large message from filling its memory', async () => {
    const large = `${'x'.repeat(75)}\n`.repeat(400_000);
    mkdirSync(server.path('mail/ann/cur'), { recursive: true });
    server.write('mail/ann/cur/1.large', `a: b\n\n${large}`, 0o600);
    const before = server.memory('VmRSS');
    const client = await Pop3Client.logIn(port, 'ann');
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

function find(program: string, packageName: string): string {
  const path = ['/usr/bin', '/usr/local/bin'].map((place) => `${place}/${program}`).find((each) => existsSync(each));
  if (path === undefined) throw new Error(`the test needs ${program}: apt-get install ${packageName}`);
  return path;
}

async function ran(
  program: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const child = spawn(program, words, { env: { PATH: '/usr/bin:/bin', HOME: server.directory, ...environment } });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('latin1').on('data', (text: string) => {
      said += text;
    });
  }
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  assert.equal(status, 0, `${program} ended with ${status}: ${said}`);
  return said;
}

describe('POP3 clients in use', () => {
  const bodies = ['one\n', '.dots\n..\n.\n\n', `${`${'long '.repeat(190)}\n`.repeat(100)}`];
  const expected = bodies.toSorted();

  /** The bodies of the messages in the files of a directory. */
  function bodiesIn(directory: string): string[] {
    return readdirSync(server.path(directory))
      .map((name) => readFileSync(server.path(`${directory}/${name}`), 'latin1').replaceAll('\r\n', '\n'))
      .map((text) => text.slice(text.indexOf('\n\n') + 2))
      .sort();
  }

  it('fetchmail takes all messages whole, and leaves none', async () => {
    const fetchmail = find('fetchmail', 'fetchmail');
    await deliverAndWait('dora', ...bodies);
    mkdirSync(server.path('fetched'));
    const take = server.write('take', `#!/bin/sh\nexec cat > $(mktemp ${server.directory}/fetched/XXXXXXXX)\n`, 0o755);
    const rc = `poll 127.0.0.1 service ${port} protocol pop3 uidl auth password
  user "dora" password "secret" sslproto "" mda "${take}" no rewrite fetchall\n`;
    writeFileSync(server.path('fetchmailrc'), rc, { mode: 0o600 });
    const words = [
      '-f',
      server.path('fetchmailrc'),
      '--idfile',
      server.path('ids'),
      '--pidfile',
      server.path('fpid'),
      '--nosyslog',
    ];
    await ran(fetchmail, words);
    assert.deepEqual(bodiesIn('fetched'), expected);
    const client = await Pop3Client.logIn(port, 'dora');
    assert.equal(await client.ok('STAT'), '0 0');
    await client.quit();
  });

  it('mpop takes messages once when they are kept, by AUTH and over TLS', async () => {
    const mpop = find('mpop', 'mpop');
    await deliverAndWait('eve', ...bodies);
    for (const part of ['taken', 'taken/cur', 'taken/new', 'taken/tmp']) mkdirSync(server.path(part));
    const words = [
      '--file=/dev/null',
      '--host=127.0.0.1',
      `--port=${tlsPort}`,
      '--tls=on',
      '--tls-starttls=off',
      '--tls-certcheck=off',
      '--user=eve',
      '--auth=plain',
      '--passwordeval=echo secret',
      `--delivery=maildir,${server.path('taken')}`,
      `--uidls-file=${server.path('uidls')}`,
      '--keep=on',
      '--received-header=off',
    ];
    await ran(mpop, words);
    assert.deepEqual(bodiesIn('taken/new'), expected);
    await ran(mpop, words);
    assert.equal(bodiesIn('taken/new').length, 3);
    await deliverAndWait('eve', 'later\n');
    await ran(
      mpop,
      words.map((word) => (word === '--keep=on' ? '--keep=off' : word)),
    );
    assert.equal(bodiesIn('taken/new').length, 4);
    assert.equal(statSync(server.path('mail/eve')).size, 0);
  });
});

describe('A server that is killed while it removes messages', () => {
  it('loses none that was to stay, and leaves none in part', async () => {
    const message = (number: number): string =>
      `From a@b.example Tue Mar  3 10:00:00 2026\nSubject: ${number}\n\n${`${number} `.repeat(3000)}\n\n`;
    const all = Array.from({ length: 1500 }, (_, number) => message(number));
    for (let round = 0; round < kills; round++) {
      rmSync(server.path('mail/eve.lock'), { force: true });
      server.write('mail/eve', all.join(''), 0o600);
      const client = await Pop3Client.logIn(port, 'eve');
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
      const client = await Pop3Client.open(port);
      await client.ok('USER eve');
      const answer = await client.say('PASS secret');
      await client.quit();
      return answer.startsWith('+OK');
    });
    await deliverAndWait('eve', 'after\n');
    const client = await Pop3Client.logIn(port, 'eve');
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
