/** The condition `spam` with servers of the test. Questions, answers and log lines are those of Exim 4.96. */

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { Context, MessageFacts } from '../../expand/context.ts';
import { TestDirectory } from '../../lib/test-directory.ts';
import { closedPort, TestServer } from '../../net/test-server.ts';
import { mailboxText, testMessage } from '../test-message.ts';
import { testRun } from '../test-run.ts';
import { spam } from './spam.ts';

const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

/** A server that gives one answer when the client has ended its question, or has sent the whole message. */
async function serve(answer: string, where?: Parameters<typeof TestServer.start>[1]): Promise<TestServer> {
  const server = await TestServer.start(async (connection) => {
    await connection.upTo('hello world\n');
    if (connection.received.startsWith('REPORT')) await connection.gone;
    connection.send(answer);
    connection.close();
  }, where);
  servers.push(server);
  return server;
}

async function ask(
  spamdAddress: string,
  text = 'nobody',
  change: (context: Context) => void = () => undefined,
): Promise<{ said: string; log: string[]; facts: string }> {
  const { run, log } = testRun({ phase: 'DATA', message: testMessage(), spamdAddress });
  const message = { sender: 'a@b.test', recipients: ['u@d.test'] } as unknown as MessageFacts;
  run.context.message = message;
  change(run.context);
  const answer = await spam.test(text, run);
  const found = message.spam;
  const facts =
    found === undefined
      ? ''
      : `S<${found.score}> I<${found.scoreInt}> B<${found.bar}> R<${found.report.replaceAll('\n', '\\n')}> X<${found.action}>`;
  return { said: typeof answer === 'object' ? JSON.stringify(answer) : answer, log, facts };
}

const report = 'Line one\nLine two\n';
const answered = (score: string, text = report): string =>
  `SPAMD/1.1 0 EX_OK\r\nSpam: True ; ${score} / 5.0\r\n\r\n${text}`;
const shown = 'R<Line one\\n Line two>';

const recorded: readonly (readonly [answer: string, said: string, facts: string])[] = [
  [answered('15.04'), 'true', `S<15.0> I<150> B<${'+'.repeat(15)}> ${shown} X<reject>`],
  [answered('1.25'), 'false', `S<1.2> I<12> B<+> ${shown} X<no action>`],
  [answered('-2.5'), 'false', `S<-2.5> I<-24> B<--> ${shown} X<no action>`],
  [answered('75.06'), 'true', `S<75.1> I<750> B<${'+'.repeat(50)}> ${shown} X<reject>`],
  [answered('5.0'), 'true', `S<5.0> I<50> B<+++++> ${shown} X<reject>`],
  [answered('0.45'), 'false', `S<0.5> I<4> B</> ${shown} X<no action>`],
  [answered('-0.96'), 'false', `S<-1.0> I<-9> B</> ${shown} X<no action>`],
  [answered('7.97'), 'true', `S<8.0> I<79> B<+++++++> ${shown} X<reject>`],
  [answered('6.0', 'a\r\nb  \r\n\r\n'), 'true', 'S<6.0> I<60> B<++++++> R<a\\n b> X<reject>'],
  [answered('6.0', '  x\n\n y \n'), 'true', 'S<6.0> I<60> B<++++++> R<x\\n \\n  y> X<reject>'],
  [
    `SPAMD/1.1 0 EX_OK\r\nContent-length: 18\r\n\r\n15.04/5.0\r\n${report}`,
    'true',
    `S<15.0> I<150> B<${'+'.repeat(15)}> ${shown} X<reject>`,
  ],
  // the real program cannot read this one, which is what the protocol prescribes
  [
    `SPAMD/1.1 0 EX_OK\r\nContent-length: 18\r\nSpam: True ; 6.0 / 5.0\r\n\r\n${report}`,
    'true',
    `S<6.0> I<60> B<++++++> ${shown} X<reject>`,
  ],
];

for (const [answer, said, facts] of recorded) {
  test(`an answer of spamd: ${JSON.stringify(answer)}`, async () => {
    const { port } = await serve(answer);
    const found = await ask(`127.0.0.1 ${port}`);
    assert.deepEqual({ said: found.said, facts: found.facts }, { said, facts });
  });
}

test('spamd is asked for a report about the message for a user, and hears where it ends', async () => {
  const server = await serve(answered('1'));
  await ask(`127.0.0.1 ${server.port}`, 'joe');
  const asked = `REPORT SPAMC/1.2\r\nUser: joe\r\nContent-length: ${mailboxText.length}\r\n\r\n${mailboxText}`;
  assert.equal(server.connections[0]?.received, asked);
});

test('Rspamd is told of the envelope and the host', async () => {
  const server = await serve(
    'RSPAMD/1.3 0 EX_OK\r\nMetric: default; True; 10.40 / 15.00 / 0.0\r\nAction: add header\r\nSymbol: FOO(1.00)\r\nMessage-ID: x\r\n',
  );
  const found = await ask(`127.0.0.1 ${server.port} variant=rspamd`, 'nobody:true');
  assert.equal(found.said, 'true');
  assert.equal(found.facts, `S<10.4> I<104> B<${'+'.repeat(10)}> R<Symbol: FOO(1.00)\\n Message-ID: x> X<add header>`);
  assert.equal(
    server.connections[0]?.received,
    `CHECK RSPAMC/1.3\r\nContent-length: ${mailboxText.length}\r\nQueue-Id: 1xY331-0000000Hv35-0000\r\nFrom: <a@b.test>\r\nRecipient-Number: 1\r\nRcpt: <u@d.test>\r\nHelo: cl.test\r\nIP: 192.0.2.7\r\n\r\n${mailboxText}`,
  );
  assert.equal((await ask(`127.0.0.1 ${server.port} variant=rspamd`)).said, 'false');
});

test('a socket of this machine is asked, and the place is told', async () => {
  const directory = new TestDirectory();
  const path = directory.file('spamd');
  await serve(answered('15.0'), { path });
  let address: string | undefined;
  const { said } = await ask(path, 'nobody', ({ acl }) => {
    if (acl)
      Object.defineProperty(acl, 'calloutAddress', {
        set(place: string) {
          address = place;
        },
      });
  });
  for (const server of servers.splice(0)) await server.close();
  directory.remove();
  assert.equal(said, 'true');
  assert.equal(address, path);
});

const nothing = ['0', 'false', '', 'FALSE'];
for (const text of nothing) {
  test(`spam = ${text}: nobody is asked`, async () => {
    assert.deepEqual(await ask('127.0.0.1 1', text), { said: 'false', log: [], facts: '' });
  });
}

test('the first server that answers is enough; a range of ports is tried in order', async () => {
  const { port } = await serve(answered('15.0'));
  const closed = await closedPort();
  assert.equal((await ask(`127.0.0.1 ${closed} pri=2 : 127.0.0.1 ${port}`)).said, 'true');
  assert.equal((await ask(`127.0.0.1 ${port - 1}-${port}`)).said, 'true');
});

test('trouble defers, or is passed over with defer_ok; the log tells which it was', async () => {
  const { port } = await serve('garbage');
  const closed = await closedPort();
  const refused = [
    'spam acl condition: spamd: failed to connect to any address for 127.0.0.1: Connection refused',
    'spam acl condition: all spamd servers failed',
  ];
  const troubles: readonly (readonly [address: string, log: readonly string[]])[] = [
    [`127.0.0.1 ${closed}`, refused],
    [`127.0.0.1 ${closed} foo=1`, ["spam acl condition: warning - invalid spamd parameter: 'foo=1'", ...refused]],
    [
      '/nosock',
      [
        'spam acl condition: spamd: unable to connect to UNIX socket (/nosock): No such file or directory',
        refused[1] ?? '',
      ],
    ],
    [
      '127.0.0.1',
      [
        "spam acl condition: warning - invalid spamd address: '127.0.0.1'",
        'spam acl condition: no useable spamd server addresses in spamd_address configuration option.',
      ],
    ],
    ['127.0.0.1 x', ["spam acl condition: spamd: invalid socket '127.0.0.1 x'", refused[1] ?? '']],
    ['', ['spam acl condition: no useable spamd server addresses in spamd_address configuration option.']],
    [`127.0.0.1 ${port}`, [`spam acl condition: cannot parse spamd [127.0.0.1]:${port} output`]],
    [
      `127.0.0.1 ${port} tmo=x`,
      [
        "spam acl condition: warning - invalid spamd timeout value: 'x'",
        `spam acl condition: cannot parse spamd [127.0.0.1]:${port} output`,
      ],
    ],
    [
      `127.0.0.1 ${port} time=x`,
      [
        "spam acl condition: warning - invalid spamd time value: 'x'",
        `spam acl condition: cannot parse spamd [127.0.0.1]:${port} output`,
      ],
    ],
  ];
  for (const [address, log] of troubles) {
    const found = await ask(address);
    assert.deepEqual({ said: found.said, log: found.log }, { said: '{"defer":""}', log });
  }
  assert.equal((await ask(`127.0.0.1 ${closed}`, 'nobody:true/defer_ok')).said, 'false');
});

test('a server that says nothing is not waited for longer than tmo', async () => {
  const server = await TestServer.start((connection) => connection.stall());
  servers.push(server);
  const found = await ask(`127.0.0.1 ${server.port} tmo=1s`);
  assert.equal(found.said, '{"defer":""}');
  assert.match(found.log[0] ?? '', /error reading from spamd .* Connection timed out$/);
});

test('the same question is asked once for a message', async () => {
  const server = await serve(answered('15.0'));
  const { run } = testRun({ phase: 'DATA', message: testMessage(), spamdAddress: `127.0.0.1 ${server.port}` });
  for (const user of ['joe', 'joe:true', 'ann']) assert.equal(await spam.test(user, run), 'true');
  assert.equal(server.connections.length, 2);
});
