/** The queryprogram router: what the real Exim 4.96 made of each line that a program can say, and of programs that fail. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { account, TestServer } from './server.ts';

let server: TestServer;

before(async () => {
  server = await TestServer.make();
});
after(() => server.remove());

interface Setting {
  readonly options?: string;
  readonly status?: number;
  readonly command?: string;
}

/** What `-bt` says of an address, on one line. */
function routed(says: string, { options = '', status = 0, command }: Setting = {}, flag = '-bt'): string {
  const program = server.write(
    'ask',
    `#!/bin/sh\nprintf '%b' '${says.replaceAll("'", "'\\''")}'\nexit ${status}\n`,
    0o755,
  );
  const lines = options.split('\n').map((option) => `  ${option}\n`);
  server.configure({
    routers: `ask:\n  driver = queryprogram\n  command = ${command ?? program}\n  command_user = ${account.user}\n${lines.join('')}
after:\n  driver = accept\n  transport = other\n`,
    transports: `local:\n  driver = appendfile\n  file = ${server.path('mail')}/$address_data\n  user = ${account.user}
remote:\n  driver = smtp\nother:\n  driver = appendfile\n  file = /dev/null\n  user = ${account.user}\n`,
  });
  const { stdout } = server.run([flag, 'u@d.example']);
  return stdout
    .split('\n')
    .map((line) => line.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((line) => line !== '')
    .join(' | ');
}

const local = 'transport = local';
const deferred = (why: string): string => `u@d.example cannot be resolved at this time: ${why}`.replace(/: $/, ':');
const accepted = (transport: string, router = 'ask'): string =>
  `u@d.example | router = ${router}, transport = ${transport}`;

const recorded: readonly (readonly [says: string, said: string, setting?: Setting])[] = [
  ['accept', accepted('local'), { options: local }],
  ['ACCEPT\\n', accepted('local'), { options: local }],
  ['  accept', accepted('local'), { options: local }],
  ['accept', deferred('transport unset in ask router')],
  ['accept transport=local', accepted('local')],
  ['accept transport=nosuch', deferred('unknown transport name nosuch yielded by command')],
  ['accept data="a b" foo=bar', accepted('local'), { options: local }],
  ['accept transport=remote hosts=192.0.2.1', `${accepted('remote')} | host 192.0.2.1 [192.0.2.1]`],
  ['accept transport=remote hosts=192.0.2.1 lookup=bogus', deferred('bad lookup type "bogus" yielded by command')],
  ['accept transport=remote hosts=127.0.0.1', deferred('remote host address is the local host')],
  ['decline', accepted('other', 'after'), { options: local }],
  ['decline\\nsecond line', accepted('other', 'after'), { options: local }],
  ['decline', 'u@d.example is undeliverable: Unrouteable address', { options: `${local}\nno_more` }],
  ['pass', accepted('other', 'after'), { options: `${local}\nno_more` }],
  ['fail no such user here\\n', 'u@d.example is undeliverable: no such user here', { options: local }],
  ['defer try later', deferred('try later'), { options: local }],
  ['freeze because', deferred('because'), { options: local }],
  ['redirect :fail: nope', 'u@d.example is undeliverable: nope', { options: local }],
  ['redirect', deferred('error in redirect data: no addresses supplied'), { options: local }],
  ['redirect u@d.example', 'u@d.example | <-- u@d.example | router = after, transport = other', { options: local }],
  ['', deferred('ask router: command failed to return data'), { options: local }],
  ['bogus x', deferred('bad command yield: bogus x'), { options: local }],
  ['accept', deferred('ask router: command returned non-zero code 1'), { options: local, status: 1 }],
  ['accept', deferred('ask router: command returned non-zero code 127'), { options: local, command: '/nonexistent x' }],
  ['accept', deferred('ask router: command returned non-zero code 127'), { options: local, command: 'relative x' }],
  [
    'accept',
    deferred('ask router: command timed out'),
    { options: `${local}\ntimeout = 1s`, command: '/bin/sleep 20' },
  ],
  [
    'accept',
    deferred("Tainted arg 1 for queryprogram router command: 'u'"),
    { options: local, command: '/bin/echo $local_part' },
  ],
];

for (const [says, said, setting] of recorded) {
  test(`a program says "${says}"${setting === undefined ? '' : ` (${JSON.stringify(setting)})`}`, () => {
    assert.equal(routed(says, setting), said);
  });
}

test('files and commands are no addresses for it', () => {
  assert.match(routed('redirect "|/bin/cat"', { options: local }), /\|\/bin\/cat.*forbidden/);
});

test('mail is delivered as the program says, which runs as its own user', async () => {
  routed('accept transport=local data=box');
  const who = server.write('ask', '#!/bin/sh\nid -un > "$1"\necho accept transport=local data=box\n', 0o755);
  server.write('who', '');
  server.configure({
    routers: `ask:\n  driver = queryprogram\n  command = ${who} ${server.path('who')}\n  command_user = ${account.user}\n`,
    transports: `local:\n  driver = appendfile\n  file = ${server.path('mail')}/$address_data\n  user = ${account.user}\n`,
  });
  const { status } = server.run(['-odf', '-f', 'a@y.example', 'u@d.example'], 'Subject: x\n\nhello\n');
  assert.equal(status, 0);
  await server.logs(/=> u@d\.example R=ask T=local/);
  const { readFileSync } = await import('node:fs');
  assert.match(readFileSync(server.path('mail/box'), 'latin1'), /hello/);
  assert.equal(readFileSync(server.path('who'), 'latin1'), `${account.user}\n`);
});
