/** The command that sets the mail hub with LDAP up: with a slapd of its own, and in one that is there. */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { freePort } from '../src/lookups/test-servers.ts';
import { Hub, nobody, runSetup } from './ldap-hub.ts';
import { bin, run, waitFor } from './server.ts';

describe('configs/ldap/setup with a slapd of its own', () => {
  let hub: Hub;
  before(async () => {
    hub = await Hub.make();
  });
  after(() => hub.remove());

  it('says what it does, and ends with lines to paste', () => {
    assert.equal(hub.said.stderr, '');
    for (const said of [/made passwords: /, /started slapd at ldap:/, /added 16 entries/, /wrote \S+exim\.conf/]) {
      assert.match(hub.said.stdout, said);
    }
    const [, paste = ''] = hub.said.stdout.split('To paste:');
    for (const program of [join(bin, 'exim'), join(bin, 'tabella'), 'openssl s_client', 'ldapsearch', 'kill']) {
      assert.ok(paste.includes(program), program);
    }
  });

  it('makes lines to paste that work', async () => {
    const lines = hub.said.stdout.split('\n');
    const paste = (word: string): string => {
      const line = lines.find((each) => each.startsWith('  ') && each.includes(word)) ?? assert.fail(word);
      const { status, stdout, stderr } = spawnSync('sh', ['-c', line], { encoding: 'latin1' });
      assert.equal(status, 0, `${line}: ${stderr}${stdout}`);
      return stdout;
    };
    assert.match(paste('ldapsearch'), /dn: dc=domain1\.com,o=top/);
    paste('kos@domain1.com');
    await hub.logs(/=> kos <kos@domain1\.com> D=users T=local_delivery/);
    assert.match(paste('tabella explain'), /postmaster@domain1\.com/);
  });

  it('leaves everything as it is when it is run again', () => {
    const names = ['exim.conf', 'passwords', 'tls/key.pem', 'slapd.conf'];
    const stamps = (): number[] => names.map((name) => statSync(hub.path(name)).mtimeMs);
    const entries = hub.search(nobody, 'o=top');
    const before = stamps();
    const again = hub.setUp();
    assert.equal(again.status, 0, again.stderr);
    assert.match(again.stdout, /^setup: slapd is running\nsetup: added 0 entries to the directory\n\n/);
    assert.deepEqual(stamps(), before);
    assert.equal(hub.search(nobody, 'o=top'), entries);
  });

  it('starts a slapd that was stopped, keeps what people changed, and brings back what is missing', async () => {
    const admin = hub.who('admin');
    assert.equal(hub.modify(hub.who('kos'), 'uid=kos,dc=domain1.com,o=top', 'replace: cn\ncn: Changed'), 0);
    assert.equal(hub.delete(admin, 'uid=ann,dc=domain2.com,o=top'), 0);
    const pid = Number(hub.read('slapd/pid'));
    process.kill(pid, 'SIGTERM');
    await waitFor('slapd has ended', () => !existsSync(`/proc/${pid}`));
    const again = hub.setUp();
    assert.match(again.stdout, /started slapd .*\nsetup: added 1 entries/);
    assert.match(hub.search(nobody, 'uid=kos,dc=domain1.com,o=top'), /^cn: Changed$/m);
    assert.ok(hub.binds(hub.who('ann')));
  });

  it('keeps secrets from others', () => {
    for (const name of ['passwords', 'tls/key.pem', 'tls/slapd-key.pem']) {
      assert.equal(statSync(hub.path(name)).mode & 0o077, 0, name);
    }
    assert.equal(existsSync(hub.path('tree.ldif')), false);
    for (const name of ['exim.conf', 'slapd.conf']) {
      for (const who of ['admin', 'kos'] as const) assert.ok(!hub.read(name).includes(hub.who(who).password));
    }
  });

  it('writes a configuration without mistakes', () => {
    const { status, stdout } = run('tabella', ['check', '-C', hub.path('exim.conf')]);
    assert.equal(status, 0, stdout);
    assert.match(stdout, /0 errors, 0 warnings/);
  });

  it('writes Exim 3 text whose Exim 4 text gives the same answers', () => {
    const { status, stdout } = run('tabella', ['convert', hub.path('exim.conf')]);
    assert.equal(status, 0);
    writeFileSync(hub.path('exim4.conf'), stdout, 'latin1');
    const locals = ['kos', 'info', 'user1', 'nobody', '*', 'KOS', 'a/b', '..', 'whoever'];
    const domains = ['domain1.com', 'domain2.com', 'DOMAIN2.com', 'sub.domain1.com'];
    const all = locals.flatMap((local) => domains.map((domain) => `${local}@${domain}`));
    const old = hub.run(['-bt', ...all]);
    const fresh = hub.run(['-bt', ...all], '', 'exim4.conf');
    const answers = (text: string): string[] => text.split('\n').filter((line) => /^\S*@| {4}<-- /.test(line));
    assert.equal(fresh.status, old.status);
    assert.ok(answers(old.stdout).length >= all.length);
    assert.deepEqual(answers(fresh.stdout), answers(old.stdout));
  });
});

describe('configs/ldap/setup in a slapd that is there', () => {
  const above = mkdtempSync(join(tmpdir(), 'tabella-given-'));
  chmodSync(above, 0o755);
  const socket = `ldapi://${encodeURIComponent(join(above, 'ldapi'))}`;
  const us = `gidNumber=${process.getgid?.()}+uidNumber=${process.getuid?.()},cn=peercred,cn=external,cn=auth`;
  let ldapPort = 0;
  let pid = 0;

  before(async () => {
    ldapPort = await freePort();
    mkdirSync(join(above, 'slapd.d'));
    // as Debian sets it up: whoever is root may change the configuration through the socket
    writeFileSync(
      join(above, 'slapd.conf'),
      `${['core', 'cosine', 'nis', 'inetorgperson'].map((name) => `include /etc/ldap/schema/${name}.schema\n`).join('')}modulepath /usr/lib/ldap
moduleload back_mdb
pidfile ${above}/pid
database config
access to * by dn.exact=${us} manage by * break
`,
    );
    const made = spawnSync('slaptest', ['-f', join(above, 'slapd.conf'), '-F', join(above, 'slapd.d')], {
      encoding: 'utf8',
      env: { PATH: '/usr/sbin:/usr/bin' },
    });
    assert.equal(made.status, 0, made.stderr);
    const words = ['-d', '0', '-F', join(above, 'slapd.d'), '-h', `${socket} ldap://127.0.0.1:${ldapPort}/`];
    const child = spawn('/usr/sbin/slapd', words, { stdio: 'ignore' });
    pid = child.pid ?? 0;
    await waitFor('slapd answers', () => existsSync(join(above, 'pid')));
  });
  after(async () => {
    process.kill(pid, 'SIGKILL');
    await waitFor(
      'slapd has ended',
      () => !existsSync(`/proc/${pid}`) || /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')),
    );
    rmSync(above, { recursive: true, force: true, maxRetries: 20 });
  });

  const setUp = () => runSetup(['--server', socket, '--ldap', `127.0.0.1:${ldapPort}`, join(above, 'hub')]);

  it('adds the schema, the database and the entries', () => {
    const { status, stdout, stderr } = setUp();
    assert.equal(status, 0, stderr + stdout);
    assert.match(stdout, /added the schema mailrouter\n.*\n?.*added the database o=top/s);
    assert.match(stdout, /added 16 entries/);
    const { stdout: shown } = run('exim', ['-C', join(above, 'hub/exim.conf'), '-bt', 'info@domain1.com']);
    assert.match(shown, /kos@domain1\.com\n {4}<-- info@domain1\.com/);
  });

  it('puts the same access rules in force', () => {
    const password = /^kos (.*)$/m.exec(readFileSync(join(above, 'hub/passwords'), 'utf8'))?.[1] ?? '';
    const add = (name: string): number | null =>
      spawnSync(
        'ldapadd',
        ['-x', '-H', `ldap://127.0.0.1:${ldapPort}/`, '-D', 'uid=kos,dc=domain1.com,o=top', '-w', password],
        {
          input: `dn: mailAlias=x,${name}\nobjectClass: mailAlias\nmailAlias: x\ndc: x\nmailAliasedName: a@b.example\n`,
        },
      ).status;
    assert.equal(add('dc=domain1.com,o=top'), 0);
    assert.equal(add('dc=domain2.com,o=top'), 50);
  });

  it('adds nothing twice', () => {
    const { status, stdout } = setUp();
    assert.equal(status, 0);
    assert.match(stdout, /^setup: added 0 entries to the directory\n/);
  });
});

describe('configs/ldap/setup, used wrongly,', () => {
  for (const [what, words] of [
    ['without a directory', []],
    ['with an unknown option', ['--what', 'x', '/tmp/x']],
    ['with a name that is none', ['--hostname', 'a b', '/tmp/x']],
  ] as const) {
    it(`${what} does nothing and says why`, () => {
      const { status, stderr } = runSetup(words);
      assert.notEqual(status, 0);
      assert.match(stderr, /configs\/ldap\/setup|setup: /);
      assert.equal(existsSync('/tmp/x'), false);
    });
  }

  it('says which server it cannot reach', () => {
    const place = mkdtempSync(join(tmpdir(), 'tabella-none-'));
    const { status, stderr } = runSetup(['--server', 'ldapi://%2Fnonexistent', place]);
    rmSync(place, { recursive: true, force: true, maxRetries: 20 });
    assert.equal(status, 1);
    assert.match(stderr, /cn=config of ldapi:\/\/%2Fnonexistent is not open to you/);
  });
});
