/** How the program is started, what its commands answer, and which signals it obeys. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { account, bin, isRoot, root, run, TestServer, tableRouters, waitFor } from './server.ts';
import { SmtpClient } from './smtp-client.ts';

let server: TestServer;
let elsewhere: string;

before(async () => {
  server = await TestServer.make();
  elsewhere = mkdtempSync(join(tmpdir(), 'tabella-elsewhere-'));
  chmodSync(elsewhere, 0o755);
});
after(async () => {
  rmSync(elsewhere, { recursive: true, force: true, maxRetries: 20 });
  await server.remove();
});

const names = ['exim', 'sendmail', 'tabella', 'exim_dbmbuild', 'maildir-check-quotas'];
const words: Readonly<Record<string, readonly string[]>> = {
  exim: ['-be', 'a${uc:b}c'],
  sendmail: ['-be', 'a${uc:b}c'],
  tabella: [],
  exim_dbmbuild: [],
  'maildir-check-quotas': ['--help'],
};

/** Starts a program with nothing in its environment, in a directory where nothing can be written by ordinary users. */
const bare = (program: string, given: readonly string[]) =>
  spawnSync(program, given, { cwd: '/', env: {}, encoding: 'latin1', input: '' });

for (const name of names) {
  test(`bin/${name} starts by its absolute path from another directory with an empty environment`, () => {
    const { status, stdout, stderr, error } = bare(join(bin, name), words[name] ?? []);
    assert.equal(error, undefined);
    if (name === 'exim' || name === 'sendmail') assert.deepEqual([status, stdout, stderr], [0, 'aBc\n', '']);
    else assert.match(stdout + stderr, /usage|a mail server/i);
    assert.doesNotMatch(stderr, /Warning|node:internal/);
  });

  test(`bin/${name} starts through links, relative and absolute`, () => {
    mkdirSync(join(elsewhere, name, 'sbin'), { recursive: true });
    const first = join(elsewhere, name, name);
    symlinkSync(join(bin, name), first);
    const second = join(elsewhere, name, 'sbin', name);
    symlinkSync(`../${name}`, second);
    for (const link of [first, second]) {
      const { stdout, stderr } = bare(link, words[name] ?? []);
      if (name === 'exim' || name === 'sendmail') assert.equal(stdout, 'aBc\n', stderr);
      else assert.match(stdout + stderr, /usage|a mail server/i);
    }
    // found by the path of the shell
    const found = spawnSync(
      'sh',
      ['-c', `PATH=${join(elsewhere, name)}:/usr/bin:/bin; export PATH; ${name} "$@"`, 'sh', ...(words[name] ?? [])],
      { cwd: '/', encoding: 'latin1' },
    );
    assert.match(
      found.stdout + found.stderr,
      name === 'exim' || name === 'sendmail' ? /^aBc\n$/ : /usage|a mail server/i,
    );
  });
}

test('A directory node_modules beside a link to the program is no mistake', () => {
  mkdirSync(join(elsewhere, 'node_modules'), { recursive: true });
  mkdirSync(join(elsewhere, 'bin'), { recursive: true });
  symlinkSync(join(bin, 'exim'), join(elsewhere, 'bin/exim'));
  assert.equal(bare(join(elsewhere, 'bin/exim'), ['-be', 'x']).stdout, 'x\n');
});

test('A user who can write nowhere in the program can run it, and nothing is written there', () => {
  const before = statSync(join(root, 'dist')).mtimeMs;
  const given = ['-C', server.path('config'), '-bt', 'ann@x.example'];
  const prefix = isRoot
    ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', join(bin, 'exim')]
    : [join(bin, 'exim')];
  const { status, stdout, stderr } = spawnSync(prefix[0] ?? '', [...prefix.slice(1), ...given], {
    cwd: '/',
    env: {},
    encoding: 'latin1',
  });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^ann@x\.example -> .*\/mail\/ann\/\n {2}transport = maildir\n$|mail\/ann/);
  assert.equal(statSync(join(root, 'dist')).mtimeMs, before);
});

test('Real and effective user may differ', (t) => {
  if (!isRoot) {
    t.diagnostic('only root can start a program so');
    return;
  }
  const script = `import os, sys
os.setregid(65534, ${account.gid})
os.setreuid(65534, ${account.uid})
os.execve(sys.argv[1], sys.argv[1:], {})`;
  const start = (...given: readonly string[]) =>
    spawnSync('python3', ['-c', script, join(bin, 'exim'), ...given], {
      cwd: '/',
      encoding: 'latin1',
      input: 'Subject: x\n\nx\n',
    });
  assert.equal(start('-be', '$caller_uid').stdout, '65534\n');
  const sent = start('-C', server.path('config'), '-odf', 'ann@x.example');
  assert.equal(sent.status, 0, sent.stderr);
  const listed = start('-C', server.path('config'), '-bp');
  assert.equal(listed.status, 0, listed.stderr);
});

test('Exit codes of -bt: 0 when all are routed, 1 when one is deferred, 2 when one failed', () => {
  server.configure({
    routers: `${tableRouters(server.directory)}
later:
  driver = redirect
  domains = later.example
  allow_defer
  data = :defer: come back
`,
  });
  const codes = (...addresses: readonly string[]) => server.run(['-bt', ...addresses]).status;
  assert.equal(codes('ann@x.example', 'ben@x.example'), 0);
  assert.equal(codes('ann@x.example', 'any@later.example'), 1);
  assert.equal(codes('ann@x.example', 'nobody@x.example'), 2);
  assert.equal(codes('any@later.example', 'nobody@x.example'), 2);
  assert.match(
    server.run(['-bt', 'nobody@x.example']).stdout,
    /^nobody@x\.example is undeliverable: Unrouteable address\n$/,
  );
});

test('Exit codes of -bv are the same', () => {
  const codes = (...addresses: readonly string[]) => server.run(['-bv', ...addresses]).status;
  assert.equal(codes('ann@x.example'), 0);
  assert.equal(codes('any@later.example'), 1);
  assert.equal(codes('nobody@x.example'), 2);
});

test('An unknown option, a wrong configuration and a wrong value end with status 1 and a message', () => {
  for (const [given, message] of [
    [['-kkk'], /unknown, malformed, or incomplete option -kkk/],
    [['-q5x'], /./],
    [['-Mrm'], /./],
    [['-C', '/nowhere/at/all', '-bV'], /\/nowhere\/at\/all/],
    [['-d+nonsense', '-bV'], /nonsense/],
  ] as const) {
    const { status, stderr, stdout } = run('exim', given);
    assert.equal(status, 1, given.join(' '));
    assert.match(stderr + stdout, message);
  }
});

test('A message that cannot be taken from -bm ends with a status other than 0 and a reason', () => {
  const bad = server.run(['-odf', '-oep', 'not an address@'], 'Subject: x\n\nx\n');
  assert.notEqual(bad.status, 0);
  assert.match(bad.stderr, /not an address/);
  const none = server.run(['-odf', '-oep', '-t'], 'Subject: nobody\n\nx\n');
  assert.notEqual(none.status, 0);
  assert.match(none.stderr, /no recipients/i);
  assert.equal(server.run(['-odf', 'ann@x.example'], 'Subject: good\n\nx\n').status, 0);
});

test('-v shows what is logged, -d with selectors shows how, -N delivers nothing', () => {
  const before = server.mail('ann').length;
  const shown = server.run(['-v', '-odf', 'ann@x.example'], 'Subject: verbose\n\nx\n');
  assert.match(
    shown.stderr + shown.stdout,
    /LOG: MAIN\n {2}<= .*\n(?:.*\n)*LOG: MAIN\n {2}=> .*\n(?:.*\n)*LOG: MAIN\n {2}Completed\n/,
  );
  assert.equal(server.mail('ann').length, before + 1);
  const debugged = server.run(['-d-all+route', '-bt', 'ann@x.example']);
  assert.equal(debugged.status, 0);
  assert.match(debugged.stderr, /table/);
  const silent = server.run(['-N', '-v', '-odf', 'ann@x.example'], 'Subject: not delivered\n\nx\n');
  assert.equal(silent.status, 0);
  assert.match(silent.stderr + silent.stdout, /\*> /);
  assert.equal(server.mail('ann').length, before + 1);
});

test('-odq queues; -bp, -bpc, -Mvh, -Mvb, -Mvl show it, -M delivers it, -Mrm removes it', () => {
  assert.equal(server.run(['-bpc']).stdout, '0\n');
  for (const name of ['one', 'two']) server.run(['-odq', 'ann@x.example'], `Subject: ${name}\n\nbody of ${name}\n`);
  assert.equal(server.run(['-bpc']).stdout, '2\n');
  const ids = [...server.run(['-bp']).stdout.matchAll(/([0-9A-Za-z]{6}-[0-9A-Za-z]+-[0-9A-Za-z]+) </g)].map(
    ([, id = '']) => id,
  );
  assert.equal(ids.length, 2);
  const [first = '', second = ''] = ids;
  assert.match(server.run(['-Mvh', first]).stdout, /Subject: one\n/);
  assert.match(server.run(['-Mvb', first]).stdout, /body of one\n/);
  assert.match(server.run(['-Mvl', first]).stdout + server.run(['-Mvl', first]).stderr, /./);
  assert.equal(server.run(['-odf', '-M', first]).status, 0);
  assert.equal(server.run(['-Mrm', second]).status, 0);
  assert.equal(server.run(['-bpc']).stdout, '0\n');
  assert.match(server.log(), new RegExp(`${second} removed by `));
});

test('A log that was renamed is made anew at the next line, and SIGHUP needs no rename', async () => {
  await server.start();
  const line = async (): Promise<void> => {
    const client = await SmtpClient.greet(server.port);
    assert.match(await client.message('a@b.example', ['ann@x.example'], 'Subject: log\n\nx\n'), /^250 /);
    await client.quit();
  };
  await line();
  await waitFor('delivery', () => server.log().trimEnd().endsWith('Completed'));
  const [main, old] = [server.path('log/mainlog'), server.path('log/mainlog.old')];
  renameSync(main, old);
  // a name is looked at a few times a second
  await waitFor('the new log', async () => {
    await line();
    return existsSync(main);
  });
  await waitFor('delivery', () => server.log().trimEnd().endsWith('Completed'));
  const { size } = statSync(old);
  await line();
  await waitFor('delivery', () => (server.log().match(/Completed$/gm) ?? []).length > 1);
  assert.equal(statSync(old).size, size);
  const { pid } = server;
  server.signal('SIGHUP');
  await server.logs(new RegExp(`pid ${pid}: SIGHUP received: re-exec daemon\\n.*daemon started: pid=${pid}`));
  await line();
});

test('SIGTERM ends the daemon at once, tells its clients, and takes the pid file away', async () => {
  const client = await SmtpClient.greet(server.port);
  const panics = server.log('panic');
  const begun = performance.now();
  const gone = server.stop('SIGTERM');
  assert.match(await client.rest(), /^421 mx\.x\.example/);
  await gone;
  assert.ok(performance.now() - begun < 5000);
  assert.ok(!existsSync(server.path('pid')));
  await assert.rejects(SmtpClient.open(server.port));
  assert.equal(server.log('panic'), panics);
});

test('The second daemon on the same address ends with status 1 and says why', async () => {
  await server.start();
  server.configure({ main: 'daemon_startup_retries = 0' });
  const second = run('exim', [
    '-C',
    server.path('config'),
    '-bdf',
    '-oX',
    `127.0.0.1.${server.port}`,
    '-oP',
    server.path('pid2'),
  ]);
  assert.equal(second.status, 1);
  assert.match(
    server.log('panic'),
    /socket bind\(\) to port \d+ for address 127\.0\.0\.1 failed: Address already in use: daemon abandoned/,
  );
  assert.ok(!existsSync(server.path('pid2')));
});
