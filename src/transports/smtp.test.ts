/** The options of the smtp transport. The texts are those that Exim 4.96 writes in the same situation. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { extensions } from '../smtp/test-mail-server.ts';
import { smtp } from './smtp.ts';
import { smtpOptions } from './smtp-options.ts';
import { optionsWith, requestFor, TestMessage } from './test-delivery.ts';
import { deliver } from './test-smtp.ts';

const from = 'MAIL FROM:<s@sender.example>';

test('a message goes out with all commands together where the server takes them so', async () => {
  const { results, sent, messages, services } = await deliver([{}], { to: ['a@b.example', 'c@d.example'] });
  assert.deepEqual(results, [
    'a@b.example => 127.0.0.1 "250 OK id=1-2-3"',
    'c@d.example => 127.0.0.1 "250 OK id=1-2-3"',
  ]);
  assert.deepEqual(sent, [['EHLO me.example', from, 'RCPT TO:<a@b.example>', 'RCPT TO:<c@d.example>', 'DATA', 'QUIT']]);
  assert.deepEqual(messages, ['From: s@sender.example\nSubject: t\n\nhello\n.dot\nend\n']);
  assert.deepEqual(services.noted, ['good 127.0.0.1']);
  assert.deepEqual(services.logged, []);
});

/** Before any message: what the server says, what becomes of the address, what the log says of the host. */
test('size_addition is added to the size that is announced, a negative one, too', async () => {
  const sizes = [
    ['1024', ' SIZE=1074'],
    ['0', ' SIZE=50'],
    ['-1', ' SIZE=49'],
  ] as const;
  for (const [addition, parameter] of sizes) {
    const { sent } = await deliver([{ EHLO: ['250-sink.example', '250 SIZE 100000000'] }], {
      settings: { size_addition: addition },
    });
    assert.equal(sent[0]?.[1], `${from}${parameter}`);
  }
});

test('hosts_avoid_esmtp and hosts_avoid_pipelining', async () => {
  const hello = await deliver([{}], { settings: { hosts_avoid_esmtp: '127.0.0.1' } });
  assert.equal(hello.sent[0]?.[0], 'HELO me.example');
  const slow = await deliver([{ MAIL: '450 x' }], { settings: { hosts_avoid_pipelining: '127.0.0.0/24' } });
  assert.match(slow.results[0] ?? '', /after MAIL FROM/);
});

test("helo_data is expanded for each host, and a failure is the host's fault", async () => {
  const data = '${if eq{$host_address}{127.0.0.2}{x.$host}fail}';
  const { results, sent, services } = await deliver([{}, {}], { settings: { helo_data: data } });
  assert.deepEqual(results, ['a@b.example => 127.0.0.2 "250 OK id=1-2-3"']);
  assert.deepEqual(
    sent.map((commands) => commands[0]),
    ['QUIT', 'EHLO x.127.0.0.2'],
  );
  assert.deepEqual(services.logged, [
    'H=127.0.0.1 [127.0.0.1]: failed to expand helo_data: "if" failed and "fail" requested',
  ]);
  assert.deepEqual(services.noted, ['host 127.0.0.1 -27', 'good 127.0.0.2']);
});

test('a name with a line end is not sent', async () => {
  const { results } = await deliver([{}], { settings: { helo_data: '"x\\\\nMAIL FROM:<a@b>"' } });
  assert.match(results[0] ?? '', /deferred -27 127.0.0.1: failed to expand helo_data: line end/);
});

test('an address with a line end is never sent', async () => {
  const { results, sent } = await deliver([{}], { to: ['a@b.x>\r\nDATA', 'c@d.x'] });
  assert.match(results[0] ?? '', /failed 0: the address holds a line end/);
  assert.equal(results[1], 'c@d.x => 127.0.0.1 "250 OK id=1-2-3"');
  assert.ok(!sent[0]?.includes('RCPT TO:<a@b.x>'));
  const sender = await deliver([{}], { request: { returnPath: 'a\nb' } });
  assert.deepEqual(sender.results, ['a@b.example failed 0: the sender address holds a line end']);
});

test('interface chooses the first address of the family of the host', async () => {
  const { results } = await deliver([{ RCPT: '550 no' }], {
    settings: { interface: '<; ::1 ; 127.0.0.5 ; 127.0.0.6' },
  });
  assert.equal(results.length, 1);
  for (const [value, expected] of [
    ['<; ::1 ; 127.0.0.5', '127.0.0.5'],
    ['<; ::1', '127.0.0.1'],
    ['${if eq{1}{2}{x}fail}', '127.0.0.1'],
  ] as const) {
    const from: string[] = [];
    const greeting = ({ from: address }: { readonly from: string }): string => {
      from.push(address);
      return '220 x';
    };
    await deliver([{ greeting }], { settings: { interface: value } });
    assert.deepEqual(from, [expected]);
  }
});

test('an interface that is none, or not ours', async () => {
  const wrong = await deliver([{}], { settings: { interface: 'eth0' } });
  assert.deepEqual(wrong.results, [
    'a@b.example deferred -1: "eth0" is not a valid IP address for the "interface" option for t1 transport',
  ]);
  const failing = await deliver([{}], { settings: { interface: '${if foo}' } });
  assert.deepEqual(failing.results, [
    'a@b.example deferred -1: failed to expand "interface" option for t1 transport: unknown condition "foo"',
  ]);
  const foreign = await deliver([{}], { settings: { interface: '192.0.2.1' } });
  assert.deepEqual(foreign.services.logged, ['H=127.0.0.1 [127.0.0.1] Cannot assign requested address']);
  assert.deepEqual(
    foreign.services.attempts.map((attempt) => attempt.from),
    ['192.0.2.1'],
  );
});

test('a port that is none', async () => {
  const cases = [
    ['nosuch', 'TCP port "nosuch" is not defined for t1 transport'],
    ['""', 'TCP port "" is not defined for t1 transport'],
    ['25x', 'invalid port number for t1 transport: 25x'],
    ['99999', 'invalid port number for t1 transport: 99999'],
    ['${if foo}', 'failed to expand "${if foo}" ("port" option) for t1 transport: unknown condition "foo"'],
  ] as const;
  for (const [port, message] of cases) {
    const { results } = await deliver([{}], { settings: { port } });
    assert.deepEqual(results, [`a@b.example deferred -1: ${message}`]);
  }
});

test('a host whose certificate the DNS must vouch for gets nothing when it was not looked up securely', async () => {
  const { results, sent } = await deliver([{}], { settings: { hosts_require_dane: '*' } });
  assert.deepEqual(results, ['a@b.example deferred -38: DANE error: the host was not looked up with DNSSEC']);
  assert.deepEqual(sent, []);
});

test('a host without TLS or AUTH gets nothing where one of them is required', async () => {
  const cases = [
    [
      { hosts_require_tls: '*' },
      'deferred -38 127.0.0.1: a TLS session is required, but the server did not offer TLS support',
    ],
    [{ hosts_require_auth: '*' }, 'deferred -42: authentication required but server did not advertise AUTH support'],
  ] as const;
  for (const [settings, expected] of cases) {
    const { results } = await deliver([{}], { settings });
    assert.deepEqual(results, [`a@b.example ${expected}`]);
  }
});

test('a message with lines that are too long is bounced before any connection is made', async () => {
  const message = new TestMessage();
  const { context } = requestFor(message);
  message.close();
  const facts = { maxReceivedLineLength: 999, size: -1, lineCount: 0 };
  const request = { context: { ...context, message: facts as unknown as typeof context.message } };
  const { results, sent } = await deliver([{}], { request });
  assert.deepEqual(results, ['a@b.example failed 0: message has lines too long for transport']);
  assert.deepEqual(sent, []);
  assert.match(
    (await deliver([{}], { request, settings: { message_linelength_limit: '999' } })).results[0] ?? '',
    /=>/,
  );
});

test('addresses in UTF-8 are announced where the server knows them', async () => {
  const to = ['\xc3\xa9@b.example'];
  const offered = await deliver([{ EHLO: [...extensions.slice(0, -1), '250 SMTPUTF8'] }], { to });
  assert.equal(offered.sent[0]?.[1], `${from} SMTPUTF8`);
  assert.equal(offered.sent[0]?.[2], 'RCPT TO:<\xc3\xa9@b.example>');
  assert.equal((await deliver([{}], { to })).sent[0]?.[1], from);
});

test('body_only and headers_only', async () => {
  const common = requestFor(new TestMessage()).common;
  const body = await deliver([{}], { request: { common: { ...common, body_only: true } } });
  assert.deepEqual(body.messages, ['hello\n.dot\nend\n']);
  const head = await deliver([{}], { request: { common: { ...common, headers_only: true } } });
  assert.deepEqual(head.messages, ['From: s@sender.example\nSubject: t\n\n']);
});

test('timeouts of zero are refused when the configuration is read', () => {
  const { common } = requestFor(new TestMessage());
  for (const name of ['command_timeout', 'data_timeout', 'final_timeout']) {
    const problem = smtp.check(optionsWith(smtpOptions, { [name]: '0s' }), common, 'remote');
    assert.deepEqual(problem, { named: 'command, data, or final timeout value is zero for remote transport' });
  }
  assert.equal(smtp.check(optionsWith(smtpOptions, {}), common, 'remote'), undefined);
});
