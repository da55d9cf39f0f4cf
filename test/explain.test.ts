/** `tabella explain` with the tables of the demo: what a postmaster reads when he asks where mail goes, and why. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { account, type Ran, root, run, TestServer } from './server.ts';

const server = await TestServer.make();
after(() => server.remove());
const { directory } = server;
for (const name of ['domains', 'aliases', 'users', 'passwords']) {
  server.makeDirectory('tables');
  server.write(`tables/${name}`, readFileSync(join(root, 'configs/demo/tables', name), 'latin1'));
}
const demo = readFileSync(join(root, 'configs/demo/exim.conf'), 'latin1')
  .replace(/@VAR@/g, directory)
  .replace(/@(?:USER|OWNER)@/g, account.user)
  .replace(/@(?:GROUP|OWNERS_GROUP)@/g, String(account.gid))
  .replace(
    'begin routers\n',
    'begin routers\n\npipes:\n  driver = redirect\n  domains = pipes.example\n  data = |/bin/cat\n  pipe_transport = pipe\n',
  )
  .replace('begin transports\n', 'begin transports\n\npipe:\n  driver = pipe\n');
const config = server.write('demo.conf', demo);

const explain = (...addresses: readonly string[]): Ran => run('tabella', ['explain', '-C', config, ...addresses]);
const text = (ran: Ran): string => Buffer.from(ran.stdout, 'latin1').toString('utf8').replaceAll(directory, 'DIR');

test('a mailbox: each router with its answer, each table with the key, and where the mail lies at the end', () => {
  const ran = explain('ann@demo.example');
  assert.equal(ran.status, 0);
  assert.equal(
    text(ran),
    `ann@demo.example
├─ router pipes: skipped (domains mismatch)
├─ router aliases: declined
│  ├─ "demo.example" in "+local_domains": yes
│  │  ├─ lookup lsearch "demo.example" in DIR/tables/domains: found
│  │  └─ list item "lsearch;DIR/tables/domains": matches
│  └─ lookup lsearch*@ "ann@demo.example" in DIR/tables/aliases: not found
│     ├─ key "ann@demo.example": not found
│     ├─ key "*@demo.example": not found
│     └─ key "*": not found
└─ router mailboxes: delivered to (maildir)
   ├─ "demo.example" in "+local_domains": yes (as before)
   └─ lookup lsearch "ann@demo.example" in DIR/tables/users: found (maildir=demo.example/ann quota=10M)
⇒ delivered by transport maildir (router mailboxes)
   into the Maildir DIR/mail/demo.example/ann as uid ${account.uid}, gid ${account.gid}
   quota 10M

`,
  );
});

test('a list: where it leads, and each member with the address it comes from', () => {
  const shown = text(explain('team@demo.example'));
  assert.match(shown, /router aliases: replaced \(ann@demo\.example, bob@demo\.example\)\n/);
  assert.match(
    shown,
    /⇒ becomes ann@demo\.example\n⇒ becomes bob@demo\.example\n\nann@demo\.example \(from team@demo\.example\)\n/,
  );
  assert.match(shown, /mail\/demo\.example\/bob as uid \d+, gid \d+\n {3}quota 100K\n/);
});

test('an unknown name: nobody takes it, and the tables say why', () => {
  const ran = explain('nobody@demo.example');
  assert.equal(ran.status, 2);
  assert.match(
    text(ran),
    /router mailboxes: declined \(address_data was forced to fail\)\n[\s\S]*users: not found\n⇒ failed: Unrouteable address \(no router takes it\)\n/,
  );
});

test('a forced failure of address_data is for the record alone, with no_more, too: others read "Unrouteable address"', () => {
  const last = server.write(
    'no-more.conf',
    demo.replace('  transport = maildir\n', '  transport = maildir\n  no_more\n'),
  );
  for (const file of [config, last]) {
    const { stdout } = run('exim', ['-C', file, '-bt', 'nobody@demo.example']);
    assert.equal(stdout, 'nobody@demo.example is undeliverable: Unrouteable address\n');
  }
});

test('a foreign domain: each router tells that it was not for it, the second time without asking again', () => {
  const shown = text(explain('x@far.example'));
  assert.match(
    shown,
    /router aliases: skipped \(domains mismatch\)\n│ {2}└─ "far\.example" in "\+local_domains": no\n/,
  );
  assert.match(
    shown,
    /router mailboxes: skipped \(domains mismatch\)\n {3}└─ "far\.example" in "\+local_domains": no \(as before\)\n/,
  );
});

test('a program is named with its transport', () => {
  assert.match(
    text(explain('x@pipes.example')),
    /router pipes: replaced \(\|\/bin\/cat\)[\s\S]*⇒ becomes \|\/bin\/cat \(transport pipe\)\n/,
  );
});

test('the same address reached twice in the same way is told once', () => {
  server.write(
    'tables/aliases',
    'all@demo.example: team@demo.example, team@demo.example\nteam@demo.example: ann@demo.example\n',
  );
  const shown = text(explain('all@demo.example'));
  assert.equal(shown.match(/^⇒ as above$/gm)?.length, 1);
});

test('what is no address is told, and the next one is explained', () => {
  const ran = explain('bad address', 'ann');
  assert.equal(ran.status, 2);
  assert.match(
    text(ran),
    /^bad address\n⇒ this is no address: missing or malformed local part.*\n\nann@demo\.example\n/,
  );
  assert.match(explain().stderr, /^usage: tabella explain .* address\.\.\.\n$/);
});
