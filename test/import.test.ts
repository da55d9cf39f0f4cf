/**
 * `tabella import` with the whole program: what qmail, qmail-ldap and sendmail know goes into tables that routers read,
 * into a real directory and a real PostgreSQL; a second run adds nothing; and nobody's odd files do harm.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { startPostgres, startSlapd } from '../src/lookups/test-servers.ts';
import { account, bin, isRoot, type Ran, root, run } from './server.ts';

const home = mkdtempSync(join(tmpdir(), 'tabella-import-'));
chmodSync(home, 0o755);
after(() => rmSync(home, { recursive: true, force: true, maxRetries: 20 }));

/** Whose files the users of the old system have. */
const owner = isRoot ? 1234 : (process.getuid?.() ?? 0);

/** Writes a file that belongs to that user. */
function write(name: string, text: string, mode = 0o644): string {
  const path = join(home, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, Buffer.from(text, 'latin1'));
  chmodSync(path, mode);
  if (isRoot) for (const each of [path, dirname(path)]) chownSync(each, owner, owner);
  return path;
}

const tabella = (...words: readonly string[]): Ran => run('tabella', ['import', ...words]);
const table = (name: string): string => readFileSync(join(home, name), 'latin1');

/** A qmail system with users of all kinds. */
function qmailSystem(): readonly string[] {
  write('q/control/me', 'mx.old.example\n');
  write('q/control/locals', 'old.example\nold2.example\n');
  write('q/control/virtualdomains', 'virt.example:ann\nvp.example:vp.example\n');
  write('q/control/rcpthosts', 'old.example\nold2.example\nvirt.example\nvp.example\nbackup.example\n');
  write(
    'q/users/assign',
    `=joe:ann:${owner}:${owner}:${home}/home/ann:-:joe:\n+vp.example-:vpop:${owner}:${owner}:${home}/home/vpop:-::\n.\n`,
  );
  write('q/users/cdb', '');
  write('q/alias/.qmail-info', '&ann@old.example\nbob@far.example\n');
  write('q/alias/.qmail-null', '# nothing\n');
  write('q/alias/.qmail-default', 'boss@far.example\n');
  write('home/ann/.qmail', `# mine\n./Maildir/\n|vacation ann\n`);
  write('home/ann/.qmail-sales', 'boss@far.example\n');
  write('home/ann/.qmail-joe', './joe/Maildir/\n');
  write('home/vpop/.qmail-kim', './kim/Maildir/\n');
  write('home/vpop/.qmail-a:b', 'kim@vp.example\n');
  write('passwd', `ann:x:${owner}:${owner}::${home}/home/ann:/bin/sh\nroot:x:0:0::/root:/bin/sh\n`);
  return ['--qmail', `${home}/q`, '--passwd', `${home}/passwd`];
}

const qmailLdap = `
dn: uid=eve,ou=people,dc=old
objectClass: qmailUser
uid: eve
cn:: RXbDqSBFdmVz
mail: Eve@ldap.example
mailAlternateAddress: eve.eves@ldap.example
mailAlternateAddress: @catch.example
mailForwardingAddress: eve@far.example
mailQuotaSize: 33554432
mailMessageStore: ${home}/mail/ldap.example/eve/
userPassword: {SSHA}c2VjcmV0
accountStatus: active

dn: uid=flo,ou=people,dc=old
objectClass: qmailUser
uid: flo
cn: Flo
mail: flo@ldap.example
deliveryMode: nolocal
deliveryMode: reply
mailForwardingAddress: flo@far.example
mailReplyText: I am away

dn: uid=gus,ou=people,dc=old
objectClass: qmailUser
uid: gus
cn: Gus
mail: gus@ldap.example
accountStatus: disabled

dn: cn=all,ou=lists,dc=old
objectClass: qmailGroup
cn: all
mail: all@ldap.example
rfc822Member: guest@far.example
dnMember: uid=eve, ou=people, dc=old
`;

/** The routers of the demo, with the transports that converted aliases need. */
function configuration(tables: string): string {
  return write(
    'config',
    `
exim_user = ${account.user}
spool_directory = ${home}/spool
log_file_path = ${home}/log/%slog
primary_hostname = mx.example
qualify_domain = mx.example
domainlist local_domains = lsearch;${tables}/domains
never_users =
begin routers
aliases:
  driver = redirect
  domains = +local_domains
  data = \${lookup{$local_part@$domain}lsearch*@{${tables}/aliases}}
  pipe_transport = program
  file_transport = file
  directory_transport = directory
  allow_fail
mailboxes:
  driver = accept
  domains = +local_domains
  address_data = \${lookup{$local_part@$domain}lsearch{${tables}/users}{$value}fail}
  transport = maildir
remote:
  driver = accept
  domains = ! +local_domains
  transport = directory
begin transports
program:
  driver = pipe
file:
  driver = appendfile
directory:
  driver = appendfile
  maildir_format
maildir:
  driver = appendfile
  directory = ${home}/mail/\${extract{maildir}{$address_data}}
  maildir_format
`,
  );
}

/** What becomes of an address: the lines without those of its parents. */
function routed(config: string, address: string): string[] {
  const { stdout } = run('exim', ['-C', config, '-bt', address]);
  return stdout.split('\n').filter((line) => line !== '' && !/^ {4}<-- |^ {2}router =/.test(line));
}

describe('qmail becomes text tables', () => {
  const words = [...qmailSystem(), '--to', 'tables', '--output', `${home}/tables`];

  it('says in a dry run what would be, and writes nothing', () => {
    const { status, stdout } = tabella(...words, '--dry-run');
    assert.equal(status, 0, stdout);
    assert.match(stdout, /aliases: \+ info@old\.example: ann@old\.example, bob@far\.example\n/);
    assert.throws(() => statSync(`${home}/tables`));
  });

  it('writes tables through which addresses go as they went before', () => {
    const { status, stderr } = tabella(...words);
    assert.equal(status, 0, stderr);
    assert.equal(table('tables/relay_domains').split('\n')[1], 'backup.example');
    const config = configuration(`${home}/tables`);
    const vacation = `ann@old.example -> |/bin/sh -c "cd ${home}/home/ann && vacation ann"`;
    assert.deepEqual(routed(config, 'ann@old.example'), [vacation, '  transport = program', 'ann@old.example']);
    assert.deepEqual(routed(config, 'joe@virt.example'), ['joe@old.example']);
    assert.deepEqual(routed(config, 'sales@virt.example'), ['boss@far.example']);
    assert.deepEqual(routed(config, 'a.b@vp.example'), ['kim@vp.example']);
    assert.deepEqual(routed(config, 'null@old2.example'), ['mail to null@old.example is discarded']);
    assert.deepEqual(routed(config, 'anybody@old2.example'), ['boss@far.example']);
    assert.deepEqual(routed(config, 'anybody@vp.example'), [
      'anybody@vp.example is undeliverable: Unrouteable address',
    ]);
  });

  it('tells what has to be done by hand', () => {
    const { stderr } = tabella(...words);
    assert.ok(
      stderr.includes(
        `${home}/home/ann/.qmail: ann@old.example: move ${home}/home/ann/Maildir/ to /var/mail/old.example/ann/`,
      ),
      stderr,
    );
    assert.match(stderr, /ann@old\.example: the program is carried over, and needs a pipe_transport/);
  });

  it('adds nothing in a second run, and does not touch the files', () => {
    const before = statSync(`${home}/tables/aliases`);
    const { status, stdout } = tabella(...words);
    assert.equal(status, 0);
    assert.ok(!/[1-9]\d* added/.test(stdout), stdout);
    assert.equal(statSync(`${home}/tables/aliases`).ino, before.ino);
  });

  it('keeps what somebody wrote, tells the difference, and changes it when asked to', () => {
    const path = `${home}/tables/aliases`;
    const edited = table('tables/aliases').replace(
      /^info@old\.example: .*$/m,
      '# by hand\ninfo@old.example: boss@far.example,\n  kim@vp.example',
    );
    writeFileSync(path, `${edited}own@old.example: x@y.example`);
    chmodSync(path, 0o604);
    const kept = tabella(...words);
    assert.equal(kept.status, 1);
    assert.match(kept.stderr, /\.qmail-info: left out: info@old\.example: .* keeps it/);
    assert.ok(table('tables/aliases').includes('own@old.example: x@y.example'));
    const replaced = tabella(...words, '--replace');
    assert.equal(replaced.status, 0, replaced.stderr);
    assert.match(table('tables/aliases'), /# by hand\ninfo@old\.example: ann@old\.example, bob@far\.example\n/);
    assert.ok(!table('tables/aliases').includes('boss@far.example,'));
    assert.equal(statSync(path).mode & 0o777, 0o604);
  });

  it('leads addresses to directories, with quotas, in the other shape', () => {
    const dump = write('dump.ldif', qmailLdap);
    const { status } = tabella('--qmail-ldap', dump, '--to', 'paths', '--output', `${home}/paths`);
    assert.equal(status, 1);
    const path = `${home}/mail/ldap.example/eve/`;
    assert.match(table('paths/valiases'), new RegExp(`^eve@ldap\\.example: ${path}, eve@far\\.example$`, 'm'));
    assert.ok(table('paths/mquota').includes(`${path}: 33554432\n`));
    assert.equal(run('tabella', ['rebuild', `${home}/paths`]).status, 0);
    const again = tabella('--qmail-ldap', dump, '--to', 'paths', '--output', `${home}/paths`);
    assert.ok(!/[1-9]\d* added/.test(again.stdout), again.stdout);
    const { stdout } = run('exim', ['-be', `\${lookup{${path}}dbm{${home}/paths/mquota.db}}`]);
    assert.equal(stdout, '33554432\n');
  });
});

describe('qmail-ldap and qmail go into a directory (requirements 3.21, 3.40)', async () => {
  const schema = readFileSync(join(root, 'test/golden/cases/_shared/ldap/mailrouter.schema'), 'utf8');
  const top = 'dn: o=top\nobjectClass: top\nobjectClass: organization\no: top\n';
  const slapd = await startSlapd(top, undefined, schema);
  after(() => slapd.remove());
  const url = `ldapi://${encodeURIComponent(`${slapd.directory}/socket`)}`;
  const client = (program: string, ...words: readonly string[]): Ran => {
    const all = ['-x', '-H', url, '-D', 'cn=manager,o=top', '-w', 'secret', ...words];
    const { status, stdout, stderr } = spawnSync(program, all, { encoding: 'latin1' });
    return { status, stdout, stderr };
  };
  const dump = (): string =>
    client('ldapsearch', '-LLL', '-o', 'ldif-wrap=no', '-b', 'o=top', '(objectClass=*)').stdout;
  const words = [
    ...qmailSystem(),
    '--qmail-ldap',
    write('dump.ldif', qmailLdap),
    '--to',
    'ldif',
    '--mail-root',
    `${home}/mail`,
  ];

  it('3.21, 3.40: ldapadd takes all of it', () => {
    const { status, stderr } = tabella(...words, '--output', `${home}/out.ldif`);
    // the automatic reply and the disabled account
    assert.equal(status, 1);
    assert.deepEqual(
      stderr
        .split('\n')
        .filter((line) => line.includes('left out: '))
        .map((line) => line.replace(/.*left out: /, '').slice(0, 40)),
      ['flo@ldap.example: the automatic reply (m', 'gus@ldap.example: the account is disable'],
    );
    const loaded = client('ldapadd', '-f', `${home}/out.ldif`);
    assert.equal(loaded.status, 0, loaded.stderr);
    const entries = dump();
    assert.match(
      entries,
      /dn: mailAlias=info,dc=old\.example,o=top\nobjectClass: mailAlias\nmailAlias: info\ndc: old\.example\nmailAliasedName: ann@old\.example\nmailAliasedName: bob@far\.example\n/,
    );
    assert.match(entries, /dn: uid=eve,dc=ldap\.example,o=top[\s\S]*?cn:: RXbDqSBFdmVz[\s\S]*?mailQuota: 32M\n/);
    assert.match(entries, /dn: mailAlias=default,dc=catch\.example,o=top[\s\S]*?mailAliasedName: eve@ldap\.example\n/);
    assert.match(entries, /mailSetting: relay_domains\nmailSettingValue: backup\.example\n/);
    assert.match(
      entries,
      /dn: mailAlias=all,dc=ldap\.example,o=top[\s\S]*?mailAliasedName: guest@far\.example\nmailAliasedName: eve@ldap\.example\n/,
    );
  });

  it('3.40: loading it again with ldapadd -c, and a second run beside a dump, add nothing', () => {
    const before = dump();
    client('ldapadd', '-c', '-f', `${home}/out.ldif`);
    assert.equal(dump(), before);
    const existing = write('existing.ldif', before);
    tabella(...words, '--existing', existing, '--output', `${home}/again.ldif`);
    assert.equal(table('again.ldif'), '');
  });

  it('writes only what is missing or changed, and routers find it', () => {
    write('q/alias/.qmail-new', 'kim@vp.example\n');
    write('q/alias/.qmail-info', '&ann@old.example\n');
    const existing = write('existing.ldif', dump());
    const kept = tabella(...words, '--existing', existing, '--output', `${home}/new.ldif`);
    assert.match(kept.stderr, /info@old\.example: the directory says something else \(mailAliasedName\)/);
    assert.equal(table('new.ldif').match(/^dn: /gm)?.length, 2);
    tabella(...words, '--existing', existing, '--replace', '--output', `${home}/new.ldif`);
    const loaded = client('ldapadd', '-f', `${home}/new.ldif`);
    assert.equal(loaded.status, 0, loaded.stderr);
    assert.match(dump(), /dn: mailAlias=info,dc=old\.example,o=top[^#]*?mailAliasedName: ann@old\.example\n\n/);
    const query = `ldap:///dc=old2.example,o=top?mailAliasedName?one?(&(objectClass=mailAlias)(mailAlias=new))`;
    const config = write(
      'ldap.conf',
      `ldap_default_servers = ${url.replace('ldapi://', '')}\nlog_file_path = ${home}/log/%slog\nspool_directory = ${home}/spool\n`,
    );
    const { stdout } = run('exim', ['-C', config, '-be', `\${lookup ldap{${query.replace('ldap:///', `${url}/`)}}}`]);
    assert.equal(stdout, 'new@old.example\n');
    write('q/alias/.qmail-info', '&ann@old.example\nbob@far.example\n');
    rmSync(`${home}/q/alias/.qmail-new`);
  });
});

describe('they go into PostgreSQL', async () => {
  const database = await startPostgres(`
CREATE TABLE transport ( "domain" character varying(64) NOT NULL, "local" boolean DEFAULT false NOT NULL );
ALTER TABLE ONLY transport ADD CONSTRAINT transport_key PRIMARY KEY ("domain");
CREATE SEQUENCE users_id_seq INCREMENT BY 1;
CREATE TABLE users ( id integer DEFAULT nextval('users_id_seq'), email character varying(64), username character varying(64) NOT NULL, "password" character varying(32), maildir character varying(127), mail boolean DEFAULT false, spamlimit integer DEFAULT 7, active boolean DEFAULT true, name character varying(127) );
CREATE UNIQUE INDEX users_username_idx ON users USING btree (username);
CREATE INDEX users_email_idx ON users USING btree (email);
CREATE TABLE aliases ( source character varying(127), destination character varying(255), customer_id integer );
INSERT INTO aliases VALUES ('info@old.example', 'boss@far.example', 1);
`);
  after(() => database.remove());
  const psql = (...words: readonly string[]): Ran => {
    const all = ['-v', 'ON_ERROR_STOP=1', '-qAt', '-h', database.directory, '-U', 'tester', '-d', 'postgres', ...words];
    const { status, stdout, stderr } = spawnSync('psql', all, { encoding: 'latin1' });
    return { status, stdout, stderr };
  };
  const rows = (): string =>
    psql(
      '-c',
      'SELECT * FROM transport ORDER BY 1',
      '-c',
      'SELECT * FROM users ORDER BY 1',
      '-c',
      'SELECT * FROM aliases ORDER BY 1, 2',
    ).stdout;
  const words = [
    ...qmailSystem(),
    '--qmail-ldap',
    write('other.ldif', qmailLdap.replace('c2VjcmV0', 'c2VjcmV0'.repeat(8)).replace('flo@far', "o'flo\\\\@far")),
    '--to',
    'sql',
  ];

  it('psql loads the statements, and tells what it kept and what was too long', () => {
    const { status, stderr } = tabella(...words, '--output', `${home}/out.sql`);
    assert.equal(status, 1);
    assert.match(stderr, /\*@old\.example: the table has no default for a whole domain/);
    const loaded = psql('-f', `${home}/out.sql`);
    assert.equal(loaded.status, 0, loaded.stderr);
    assert.match(loaded.stdout, /^left out: the password of eve@ldap\.example is too long for its column$/m);
    assert.match(loaded.stdout, /^kept as it was: aliases info@old\.example$/m);
    const found = rows();
    assert.match(found, /^backup\.example\|f$/m);
    assert.match(found, /\|kim@vp\.example\|kim@vp\.example\|\|vp\.example\/kim\|t\|7\|t\|$/m);
    assert.match(found, /\|gus@ldap\.example\|.*\|f\|7\|f\|Gus$/m);
    assert.ok(found.includes("flo@ldap.example|o'flo\\\\@far.example|"), found);
  });

  it('a second load, of a second run, changes nothing; with --replace it does', () => {
    const before = rows();
    tabella(...words, '--output', `${home}/again.sql`);
    assert.equal(psql('-f', `${home}/again.sql`).status, 0);
    assert.equal(rows(), before);
    tabella(...words, '--replace', '--output', `${home}/again.sql`);
    const { status, stderr } = psql('-f', `${home}/again.sql`);
    assert.equal(status, 0, stderr);
    assert.match(rows(), /^info@old\.example\|ann@old\.example, bob@far\.example\|1$/m);
  });
});

describe('odd input', () => {
  const aliases = (text: string, ...more: readonly string[]): Ran & { readonly table: string } => {
    rmSync(`${home}/odd`, { recursive: true, force: true });
    const ran = tabella(
      '--aliases',
      write('aliases', text),
      '--domain',
      'd.example',
      '--to',
      'tables',
      '--output',
      `${home}/odd`,
      ...more,
    );
    let found = '';
    try {
      found = table('odd/aliases').replace(/^#.*\n/, '');
    } catch {
      // nothing was written
    }
    return { ...ran, table: found };
  };

  it('binary zeros, endless lines and lines without a name are told with their numbers; the others are taken', () => {
    const {
      status,
      stderr,
      table: found,
    } = aliases(`a: x\0y\n${'b'.repeat(200_000)}: c\nnothing\nlast: \xe9@x.example\n`);
    assert.equal(status, 1);
    for (const line of [
      ':1: left out: a binary zero',
      ':2: left out: the line is longer',
      ':3: left out: the line has no name',
    ]) {
      assert.ok(stderr.includes(`${home}/aliases${line}`), `${line} in ${stderr}`);
    }
    assert.equal(found, 'last@d.example: \xe9@x.example\n');
  });

  it('files that include each other end, and so do trees of them', () => {
    write('inc1', `one\n:include:${home}/inc2\n`);
    write('inc2', `:include:${home}/inc1\ntwo\n`);
    const loop = aliases(`list: :include:${home}/inc1\n`);
    assert.match(loop.stderr, /inc2:1: left out: :include:.*inc1: it includes itself/);
    assert.equal(loop.table, 'list@d.example: one@d.example, two@d.example\n');
    for (let at = 1; at < 30; at++)
      write(`tree${at}`, `:include:${home}/tree${at + 1}\n:include:${home}/tree${at + 1}\n`);
    assert.match(
      aliases(`list: :include:${home}/tree1\n`).stderr,
      /nested more than 20 deep|more than 1000 included files/,
    );
  });

  it('an included file of a stranger names no programs', {
    skip: isRoot ? false : 'only root can give files away',
  }, () => {
    const included = write('strange', 'x@y.example\n|/bin/sh\n/etc/passwd\n');
    chownSync(included, 4321, 4321);
    const { stderr, table: found } = aliases(`list: :include:${included}\n`);
    assert.equal(found, 'list@d.example: x@y.example\n');
    assert.equal(stderr.match(/programs and files are taken only/g)?.length, 2);
  });

  it("a .qmail file that is a link, a pipe or somebody else's is not read", () => {
    const words = [...qmailSystem(), '--to', 'tables', '--output', `${home}/odd`];
    write('secret', 'secret@far.example\n', 0o600);
    symlinkSync(`${home}/secret`, `${home}/home/ann/.qmail-link`);
    spawnSync('mkfifo', [`${home}/home/ann/.qmail-pipe`]);
    rmSync(`${home}/odd`, { recursive: true, force: true });
    const { status, stderr } = tabella(...words);
    assert.equal(status, 1);
    assert.match(stderr, /\.qmail-link: left out: it is a symbolic link, and is not followed/);
    assert.match(stderr, /\.qmail-pipe: left out: it is not a regular file/);
    assert.ok(!table('odd/aliases').includes('secret@'));
    rmSync(`${home}/home/ann/.qmail-link`);
    rmSync(`${home}/home/ann/.qmail-pipe`);
  });

  it('a table that is a link stays one, and a device is not written over', () => {
    rmSync(`${home}/odd`, { recursive: true, force: true });
    write('elsewhere', 'x@d.example: y@d.example\n');
    mkdirSync(`${home}/odd`);
    symlinkSync(`${home}/elsewhere`, `${home}/odd/aliases`);
    const file = write('aliases', 'a: b\n');
    const words = ['--aliases', file, '--domain', 'd.example', '--to', 'tables', '--output', `${home}/odd`];
    assert.equal(tabella(...words).status, 0);
    assert.ok(lstatSync(`${home}/odd/aliases`).isSymbolicLink());
    assert.equal(table('elsewhere'), 'x@d.example: y@d.example\na@d.example: b@d.example\n');
    rmSync(`${home}/odd/aliases`);
    mkdirSync(`${home}/odd/aliases`);
    const refused = tabella(...words);
    assert.equal(refused.status, 2);
    assert.deepEqual(
      readdirSync(`${home}/odd`).filter((name) => name.includes('.new')),
      [],
    );
  });

  it('wrong words are answered with the usage, a missing file with 2', () => {
    assert.equal(tabella().status, 64);
    assert.equal(tabella('--aliases', '/etc/aliases', '--to', 'tables', '--output', '/tmp').status, 64);
    assert.match(tabella('--to', 'nothing').stderr, /--to needs one of tables, paths, sql, ldif/);
    assert.equal(tabella('--qmail', `${home}/none`, '--to', 'sql').status, 2);
    assert.equal(tabella('--qmail-ldap', `${home}/none`, '--to', 'sql').status, 2);
  });
});

describe('many users', () => {
  const count = 100_000;
  const entries: string[] = [];
  for (let at = 0; at < count; at++) {
    entries.push(
      `dn: uid=u${at},dc=old\nobjectClass: qmailUser\nuid: u${at}\nmail: u${at}@d${at % 1000}.example\nmailAlternateAddress: alias${at}@d${at % 1000}.example\nmailQuotaSize: ${at + 1}\n`,
    );
  }
  const dump = write('many.ldif', entries.join('\n'));
  const words = ['--qmail-ldap', dump, '--to', 'tables', '--output', `${home}/many`];

  it('100,000 users are converted in bounded memory, twice', () => {
    for (const added of [count, 0]) {
      const { status, stdout, stderr } = spawnSync(
        '/usr/bin/env',
        [`NODE_OPTIONS=--max-old-space-size=64`, join(bin, 'tabella'), 'import', ...words],
        { encoding: 'latin1', env: { PATH: '/usr/bin:/bin' }, maxBuffer: 1 << 26 },
      );
      assert.equal(status, 0, stderr.slice(0, 500));
      assert.ok(stdout.includes(`users: ${added} added, ${count - added} there already`), stdout);
    }
  });

  it('a terminal sees how far it is, and a pipe does not', () => {
    const command = [join(bin, 'tabella'), 'import', ...words, '--dry-run'].join(' ');
    const seen = spawnSync('script', ['-qec', `${command} >/dev/null`, '/dev/null'], {
      encoding: 'latin1',
      maxBuffer: 1 << 26,
    });
    assert.match(seen.stdout, /\rread: \d+000/);
    assert.ok(!/\rread/.test(tabella(...words, '--dry-run').stderr));
  });
});
