/** Where POP3 finds mailboxes: every way in which routers and transports lead to one, and those that lead to none. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chownSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Pop3Client } from './pop3-client.ts';
import { body } from './pop3-server.ts';
import { account, isRoot, TestServer, waitFor } from './server.ts';
import { SmtpClient } from './smtp-client.ts';

const server = await TestServer.make();
const port = server.port + 1;
const { directory } = server;

/** A user of the system who is not the server's, when that can be. */
const local = isRoot ? 'bin' : account.user;

before(async () => {
  server.write('forward', `${directory}/mail/forwarded\n`);
  server.write('aliases', `itself: itself\nboth: both, keeper\nelsewhere: keeper\n`);
  server.configure({
    main: `pop3_ports = ${port}\npop3_interfaces = 127.0.0.1\nqualify_domain = x.example\nlog_selector = +all`,
    routers: `
archive:
  driver = accept
  unseen
  local_parts = watched
  transport = archive
aliases:
  driver = redirect
  local_parts = itself : both : elsewhere
  data = \${lookup{$local_part}lsearch{${directory}/aliases}}
rights:
  driver = redirect
  local_parts = ofrouter
  data = ${directory}/mail/ofrouter/
  directory_transport = maildir_of_router
  user = ${account.user}
forward:
  driver = redirect
  local_parts = forwarded
  file = ${directory}/forward
  file_transport = file
  user = ${account.user}
  no_check_local_user
localuser:
  driver = accept
  check_local_user
  local_parts = ${local}
  transport = of_local_user
quota:
  driver = accept
  local_parts = quota
  transport = quota
affix:
  driver = accept
  local_parts = affix
  local_part_suffix = +*
  local_part_suffix_optional
  transport = maildir
maildirs:
  driver = accept
  local_parts = watched : indirectory : itself : both
  transport = maildir
files:
  driver = accept
  local_parts = infile : keeper
  transport = file
store:
  driver = accept
  local_parts = mailstore
  transport = mailstore
`,
    transports: `
archive:
  driver = appendfile
  file = ${directory}/mail/archive
  user = ${account.user}
maildir:
  driver = appendfile
  directory = ${directory}/mail/$local_part_data
  maildir_format
  user = ${account.user}
maildir_of_router:
  driver = appendfile
  maildir_format
file:
  driver = appendfile
  file = \${if def:address_file{$address_file}{${directory}/mail/$local_part_data}}
  user = ${account.user}
of_local_user:
  driver = appendfile
  directory = ${directory}/mail/$local_part_data
  maildir_format
quota:
  driver = appendfile
  directory = ${directory}/mail/quota
  maildir_format
  maildir_use_size_file
  maildir_tag = ,S=$message_size
  quota = 1M
  user = ${account.user}
mailstore:
  driver = appendfile
  directory = ${directory}/mail/mailstore
  mailstore_format
  user = ${account.user}
`,
    retry: `* * F,2h,15m
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if eq{$auth3}{secret}}
  server_set_id = $auth2
`,
  });
  if (isRoot) {
    spawnSync('chmod', ['777', server.path('mail')]);
    chownSync(server.path('mail'), account.uid, 8);
  }
  await server.start();
});
after(() => server.remove());

async function deliver(user: string, count = 1): Promise<void> {
  const client = await SmtpClient.greet(server.port);
  for (let number = 0; number < count; number++) {
    const text = `Subject: x\n\nfor ${user} ${number}\n`;
    assert.match(await client.message('a@b.example', [`${user}@x.example`], text), /^250/);
  }
  await client.quit();
  await waitFor('it is delivered', () => server.queue.length === 0);
}

async function refusalOf(user: string): Promise<string> {
  // failures of one host are answered later and later
  const client = await Pop3Client.open(port, `127.0.6.${++hosts}`);
  await client.ok(`USER ${user}`);
  const answer = await client.say('PASS secret');
  client.socket.destroy();
  return answer;
}
let hosts = 0;

describe('POP3 finds the mailbox', () => {
  for (const [user, why] of [
    ['infile', 'of an accept router and the file option'],
    ['indirectory', 'of an accept router and the directory option'],
    ['ofrouter', 'that redirection names, with the user of the router'],
    ['watched', 'although an unseen router makes a copy before'],
    ['itself', 'of an address that is redirected to itself'],
    ['both', 'of an address that is redirected to itself and to another'],
    ['affix', 'with a suffix and without'],
    [local, 'of a local user, with his rights'],
  ] as const) {
    it(why, async () => {
      await deliver(user);
      for (const name of user === 'affix' ? ['affix', 'affix+more@x.example'] : [user, `${user}@x.example`]) {
        const client = await Pop3Client.logIn(port, name);
        assert.match(await client.ok('STAT'), /^1 /);
        assert.equal(body(await client.lines('RETR 1')), `for ${user} 0\r\n`);
        await client.quit();
      }
    });
  }

  for (const [user, why] of [
    ['elsewhere', /the aliases router redirects its mail elsewhere/],
    ['forwarded', /the forward router redirects its mail to a file that a user named/],
    ['mailstore', /the mailstore transport keeps neither a maildir nor a mailbox file/],
    ['nobody', /routing failed/],
    ['in file', /the name is no address/],
    ['infile@x.example, keeper', /the name is no address/],
    ['', /no mailbox|needs an argument/],
  ] as const) {
    it(`of nobody for "${user}"`, async () => {
      if (user === '') {
        const client = await Pop3Client.open(port);
        assert.match(await client.say('USER '), /^-ERR /);
        client.socket.destroy();
        return;
      }
      assert.equal(await refusalOf(user), '-ERR [AUTH] authentication failed');
      assert.match(server.log(), why);
    });
  }

  it('with a quota, and keeps its maildirsize right when messages are removed', async () => {
    await deliver('quota', 3);
    const sizes = (): readonly [number, number] => {
      const [, ...lines] = readFileSync(server.path('mail/quota/maildirsize'), 'latin1').trim().split('\n');
      const pairs = lines.map((line) => line.trim().split(/\s+/).map(Number));
      return [pairs.reduce((sum, [size = 0]) => sum + size, 0), pairs.reduce((sum, [, count = 0]) => sum + count, 0)];
    };
    const [before, count] = sizes();
    assert.equal(count, 3);
    const client = await Pop3Client.logIn(port, 'quota');
    await client.ok('DELE 1');
    await client.ok('DELE 3');
    await client.quit();
    const [left, one] = sizes();
    assert.equal(one, 1);
    assert.ok(Math.abs(left - before / 3) < 10, `${left} of ${before}`);
    const again = await Pop3Client.logIn(port, 'quota');
    await again.ok('DELE 1');
    await again.quit();
    assert.deepEqual(sizes(), [0, 0]);
  });
});
