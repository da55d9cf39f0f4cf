/**
 * Exim 3 text as it stands and the Exim 4 text made of it send addresses to the same places.
 */

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { account, root, run, TestServer } from '../../test/server.ts';
import { literal } from '../safe/taint.ts';
import { convert } from './convert.ts';
import { both, converted, head } from './test-convert.ts';

let server: TestServer;
before(async () => {
  server = await TestServer.make();
});
after(() => server.remove());

/** What `-bt` says of addresses, without what only one of the two forms shows. */
function routes(config: string, addresses: readonly string[], dialect: 3 | 4): string {
  const { stdout, stderr } = run('exim', ['-C', config, '-bt', ...addresses]);
  assert.doesNotMatch(stderr, /configuration error/);
  const lines = stdout.split('\n');
  return lines
    .filter((line) => (dialect === 3 ? !line.startsWith('  deliver to ') : !line.startsWith('  transport = ')))
    .map((line) => line.replace(/^ {2}director = /, '  router = '))
    .join('\n');
}

function sameRoutes(old: string, localParts: readonly string[], domains: readonly string[]): string {
  const { three, four } = both(server, old);
  const address = fc.tuple(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...localParts) },
      { weight: 1, arbitrary: fc.stringMatching(/^[a-z'+.-]{1,8}$/) },
    ),
    fc.constantFrom(...domains),
  );
  const addresses = fc
    .sample(address, { numRuns: 120, seed: 7 })
    .map(([localPart, domain]) => `${localPart}@${domain}`);
  const known = localParts.flatMap((localPart) => domains.map((domain) => `${localPart}@${domain}`));
  const all = [...known, ...addresses];
  const answers = routes(three, all, 3);
  assert.equal(routes(four, all, 4), answers);
  assert.match(answers, /router =|->|undeliverable|cannot be resolved/);
  return answers;
}

/** A golden configuration with its tables in the directory of the server. */
function golden(name: string): string {
  const from = join(root, 'test/golden/cases', name);
  const fill = (text: string): string =>
    text
      .replaceAll('@DIR@', server.directory)
      .replaceAll('@USER@', account.user)
      .replaceAll('@GROUP@', account.user)
      .replaceAll('@LDAP@', '127.0.0.1::1')
      .replaceAll('remote_smtp_missing_is_fine_until_used', 'local_delivery');
  mkdirSync(server.path('tables'), { recursive: true });
  for (const table of ['valiases', 'vdomains', 'mquota', 'tables/aliases'].filter((file) =>
    [...readdirSync(from), ...tablesOf(from)].includes(file),
  )) {
    const path = server.write(table, fill(readFileSync(join(from, table), 'latin1')));
    if (!table.includes('/')) run('exim_dbmbuild', [path, `${path}.db`]);
  }
  return fill(readFileSync(join(from, 'config'), 'latin1'));
}

const tablesOf = (from: string): string[] =>
  readdirSync(from).includes('tables') ? readdirSync(join(from, 'tables')).map((file) => `tables/${file}`) : [];

describe('an Exim 3 configuration and its translation route alike', () => {
  const people = ['root', 'jane', 'staff', 'postmaster', 'nobody', 'loop', 'fred', "o'hara", 'kos', 'old'];
  for (const [name, ...domains] of [
    ['000-tables/exim3-bt', 'fred.linnet.org', 'jim.linnet.org', 'noc.ws.example', '[10.0.0.1]'],
    ['000-tables/exim3-deliver', 'fred.linnet.org', 'a.b.linnet.org', 'localhost'],
    ['002-ldap/exim3-directors', 'noc.ws.example', 'domain1.com', 'domain2.com'],
    ['004-book/system-aliases-exim3', 'simple.example', '[10.0.0.1]'],
  ] as const) {
    it(name, () => {
      sameRoutes(golden(name), people, domains);
    });
  }

  it('every kind of director and router', () => {
    server.write(
      'aliases',
      `list: ann, ben@other.example, "|/bin/cat", ${server.directory}/box\ndir: ${server.directory}/d/\ndir2: ${server.directory}/d//\ngone: :fail: away\nlater: :defer: soon\nhole: :blackhole:\nexp: \${local_part}-x@y.example\n`,
    );
    server.write('full', 'ann@b.example: x@other.example\n');
    server.write('people', 'jim: 1\n');
    server.write('routes', 'far.example: 10.0.0.7 byname\nmx.example: 10.0.0.8 bydns_a\n');
    const answers = sameRoutes(
      `${head(server)}
primary_hostname = a.example
LOCALS = a.example : b.example
local_domains = LOCALS : ^re\\d\\.example$
DIR = ${server.directory}
end
box:
  driver = appendfile
  file = DIR/mail/$domain/$local_part
filed:
  driver = appendfile
filedd:
  driver = appendfile
  maildir_format
piped:
  driver = pipe
out:
  driver = smtp
end
real:
  driver = localuser
  prefix = real-
  transport = box
full:
  driver = aliasfile
  search_type = lsearch
  file = DIR/full
  include_domain
  domains = b.example
aliases:
  driver = aliasfile
  search_type = lsearch
  file = DIR/aliases
  expand
  file_transport = filed
  pipe_transport = piped
  directory_transport = filed
  directory2_transport = filedd
people:
  driver = aliasfile
  search_type = lsearch
  file = DIR/people
  transport = box
  suffix = +*
  suffix_optional
  local_parts = jim:jim+x
guard:
  driver = smartuser
  local_parts = secret
  condition = \${if eq{$domain}{a.example}{yes}{no}}
  new_address = boss@other.example
  no_more
both:
  driver = smartuser
  local_parts = both
  new_address = target@else.example
  transport = box
same:
  driver = smartuser
  transport = box
  domains = a.example
end
same:
  driver = domainlist
  transport = out
  route_list = *.near.example 10.0.0.5 byname; *.two.example 10.0.0.5:10.0.0.6 bydns_a
tab:
  driver = domainlist
  transport = out
  route_file = DIR/routes
  search_type = lsearch
tolocal:
  driver = domainlist
  transport = box
  route_list = *.drop.example
  domains = *.example
end
`,
      [
        'list',
        'dir',
        'dir2',
        'gone',
        'later',
        'hole',
        'exp',
        'ann',
        'jim',
        'jim+x',
        'jim+z',
        'secret',
        'both',
        'root',
        'real-root',
      ],
      [
        'a.example',
        'b.example',
        're1.example',
        'rex.example',
        'a.near.example',
        'b.two.example',
        'far.example',
        'mx.example',
        'c.drop.example',
        'nowhere.test',
      ],
    );
    // what the two have in common is also what the old text means
    for (const line of [
      `dir2@a.example -> ${server.directory}/d//`,
      'secret@b.example is undeliverable: Unrouteable address',
      'root@nowhere.test is undeliverable: Unrouteable address',
      'root@rex.example is undeliverable: Unrouteable address',
      'gone@a.example is undeliverable: away',
      'target@else.example\n    <-- both@a.example\n  router = both_delivery, transport = box',
      'root@a.example\n  router = same_director, transport = box',
      'root@a.near.example\n  router = same, transport = out\n  host 10.0.0.5 [10.0.0.5]',
      'root@c.drop.example\n  router = tolocal, transport = box',
      'jim+x@b.example\n  router = people, transport = box',
      'jim+z@b.example is undeliverable',
    ]) {
      assert.ok(answers.includes(line), `${line}\nis missing in\n${answers}`);
    }
  });
});

describe('a delivery with Exim 3 text', () => {
  const text = (): string => `${head(server)}primary_hostname = a.example
local_domains = *
end
box:
  driver = appendfile
  directory = ${server.directory}/mail/$domain/$local_part
  create_directory
  maildir_format
  user = ${account.user}
end
u:
  driver = smartuser
  transport = box
end
`;
  const files = (name: string): string[] => readdirSync(server.path(`mail/${name}/new`));

  it('names the director in the log, and the files of a maildir as Exim 3 did, each by a name of its own', () => {
    const config = server.write('config3', text());
    const words = ['-C', config, '-v', '-odf', 'ann@x.example', 'ben@x.example', "o'hara@x.example"];
    for (let count = 0; count < 2; count++) {
      const { status, stderr } = run('exim', words, 'Subject: t\n\nhello\n');
      assert.equal(status, 0, stderr);
      assert.match(stderr, /^LOG: 0 MAIN\n {2}=> ann <ann@x\.example> D=u T=box$/m);
    }
    for (const name of ['ann', 'ben', "o'hara"]) {
      const names = files(`x.example/${name}`);
      assert.equal(names.length, 2);
      for (const each of names) assert.match(each, /^\d{10}\.\d+\.a\.example$/);
    }
  });

  it('stays in its directory', () => {
    const config = server.write('config3', text());
    for (const address of ['../../out@x.example', '.hidden@x.example', '"../out"@x.example', 'a/b@x.example']) {
      const { stderr } = run('exim', ['-C', config, '-v', '-odf', address], '\nhello\n');
      assert.doesNotMatch(stderr, /^ {2}=> (?!root)[^<]*</m, address);
    }
    assert.deepEqual(readdirSync(server.path('mail/x.example')).sort(), ['ann', 'ben', "o'hara"]);
  });
});

describe('the command', () => {
  it('says what is no Exim 3 text, and what is not there', () => {
    const none = converted(server, 'primary_hostname = a.example\n');
    assert.deepEqual([none.status, none.text], [1, '']);
    assert.match(none.told, /is no Exim 3 text/);
    assert.equal(convert(literal('/nonesuch'), { out: () => undefined, error: () => undefined }), 1);
  });

  it('answers 1 for text with something that Exim 4 cannot do, and names the line', () => {
    const { status, told } = converted(server, 'host_accept_relay = root@10.0.0.1\nend\n');
    assert.equal(status, 1);
    assert.match(told, /error in line 1 of .*\n {2}an ident value cannot be part of a host list/);
  });

  it('keeps comments, and makes text that is none of Exim 3', () => {
    const { text } = converted(server, '# mine\nprimary_hostname = a.example\nend\n# yours\nend\n');
    assert.match(text, /^# mine$/m);
    assert.match(text, /^# yours$/m);
    assert.equal(converted(server, text).status, 1);
  });
});
