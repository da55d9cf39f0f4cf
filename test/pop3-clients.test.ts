/** Programs that people fetch their mail with: each takes it whole, over each way that it knows. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { Pop3Server } from './pop3-server.ts';
import { account } from './server.ts';

const pop3 = await Pop3Server.start('pop3_accept_max_per_host = 50');
const { server } = pop3;
after(() => server.remove());

function find(program: string, packageName: string): string {
  const path = ['/usr/bin', '/usr/local/bin'].map((place) => `${place}/${program}`).find((each) => existsSync(each));
  if (path === undefined) throw new Error(`the test needs ${program}: apt-get install ${packageName}`);
  return path;
}

async function ran(
  program: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  input?: string,
): Promise<string> {
  const child = spawn(program, words, { env: { PATH: '/usr/bin:/bin', HOME: server.directory, ...environment } });
  if (input === undefined) child.stdin.end();
  else child.stdin.write(input);
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
    await pop3.deliverAndWait('dora', ...bodies);
    mkdirSync(server.path('fetched'));
    const take = server.write('take', `#!/bin/sh\nexec cat > $(mktemp ${server.directory}/fetched/XXXXXXXX)\n`, 0o755);
    const rc = `poll 127.0.0.1 service ${pop3.port} protocol pop3 uidl auth password
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
    const client = await pop3.logIn('dora');
    assert.equal(await client.ok('STAT'), '0 0');
    await client.quit();
  });

  it('mpop takes messages once when they are kept, by AUTH and over TLS', async () => {
    const mpop = find('mpop', 'mpop');
    await pop3.deliverAndWait('eve', ...bodies);
    for (const part of ['taken', 'taken/cur', 'taken/new', 'taken/tmp']) mkdirSync(server.path(part));
    const words = [
      '--file=/dev/null',
      '--host=127.0.0.1',
      `--port=${pop3.tlsPort}`,
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
    await pop3.deliverAndWait('eve', 'later\n');
    await ran(
      mpop,
      words.map((word) => (word === '--keep=on' ? '--keep=off' : word)),
    );
    assert.equal(bodiesIn('taken/new').length, 4);
    assert.equal(statSync(server.path('mail/eve')).size, 0);
  });

  for (const [type, port] of [
    ['SimplePOP3Retriever', pop3.port],
    ['SimplePOP3SSLRetriever', pop3.tlsPort],
  ] as const) {
    it(`getmail6 takes new messages, and then removes them (${type})`, async () => {
      const getmail = find('getmail', 'getmail6');
      const directory = `getmail-${port}`;
      await pop3.deliverAndWait('dora', ...bodies);
      for (const part of ['', '/mail', '/mail/cur', '/mail/new', '/mail/tmp']) server.makeDirectory(directory + part);
      const configure = (more: string): string =>
        server.write(
          `${directory}/getmailrc`,
          `[retriever]
type = ${type}
server = 127.0.0.1
port = ${port}
username = dora
password = secret
[destination]
type = Maildir
path = ${server.path(directory)}/mail/
user = ${account.user}
[options]
read_all = false
delivered_to = false
received = false
${more}
`,
          0o600,
        );
      const words = [`--getmaildir=${server.path(directory)}`, `--rcfile=${configure('delete = false')}`, '--quiet'];
      await ran(getmail, words);
      assert.deepEqual(bodiesIn(`${directory}/mail/new`), expected);
      // it knows by their UIDL which it has
      await ran(getmail, words);
      assert.equal(bodiesIn(`${directory}/mail/new`).length, 3);
      configure('delete = true');
      await ran(getmail, words);
      assert.equal(bodiesIn(`${directory}/mail/new`).length, 3);
      const client = await pop3.logIn('dora');
      assert.equal(await client.ok('STAT'), '0 0');
      await client.quit();
    });
  }

  for (const method of ['plain', 'cram-md5', 'user']) {
    it(`mutt fetches all messages whole, and leaves none (${method})`, async () => {
      const mutt = find('mutt', 'mutt');
      const script = find('script', 'bsdutils');
      await pop3.deliverAndWait('eve', ...bodies);
      const copies = `mutt-${method}`;
      for (const part of ['', '/cur', '/new', '/tmp']) server.makeDirectory(copies + part);
      const rc = server.write(
        'muttrc',
        `set pop_host=pop://eve@127.0.0.1:${pop3.port} pop_pass=secret pop_authenticators="${method}" pop_delete=yes pop_last=no
set folder=${server.directory} spoolfile=${server.path(copies)} ssl_starttls=no ssl_force_tls=no wait_key=no move=no delete=yes
push "<fetch-mail><exit>"
`,
      );
      // it wants a terminal
      const words = ['20', script, '-qec', `${mutt} -n -F ${rc}`, '/dev/null'];
      await ran('timeout', words, { TERM: 'xterm', SHELL: '/bin/sh' });
      assert.deepEqual([...bodiesIn(`${copies}/new`), ...bodiesIn(`${copies}/cur`)].sort(), expected);
      await server.logs(/pop3 logout H=\S+ A=(?:plain|cram) U=eve retr=3 top=0 octets=\d+ dele=3 left=0/);
    });
  }

  it('openssl s_client goes on over TLS, and is given mail', async () => {
    const openssl = find('openssl', 'openssl');
    await pop3.deliverAndWait('ann', 'through TLS\n');
    const said = 'USER ann\r\nPASS secret\r\nRETR 1\r\nDELE 1\r\nQUIT\r\n';
    for (const words of [
      ['-starttls', 'pop3', '-connect', `127.0.0.1:${pop3.port}`],
      ['-connect', `127.0.0.1:${pop3.tlsPort}`],
    ]) {
      if (words.length === 2) await pop3.deliverAndWait('ann', 'through TLS\n');
      // lines that begin with R or Q are commands to openssl itself, unless it is quiet
      const answers = await ran(openssl, ['s_client', '-quiet', ...words], {}, said);
      assert.match(
        answers,
        /\+OK \d+ octets\r\n[\s\S]*\r\n\r\nthrough TLS\r\n\.\r\n\+OK message 1[^\n]*\n\+OK bye\r\n/,
      );
    }
    await server.logs(/pop3 login H=\[127\.0\.0\.1\] X=TLS1\.3:\S+ .*A=plain U=ann/);
  });
});
