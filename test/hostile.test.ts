/**
 * What clients may throw at the daemon, and what may be broken around it: each time there is a clear answer and a line in
 * a log, nothing is lost, and the next client is served.
 */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { TestServer, waitFor } from './server.ts';
import { SmtpClient } from './smtp-client.ts';

let server: TestServer;

before(async () => {
  server = await TestServer.make();
  server.configure({
    main: `
log_selector = +smtp_syntax_error +smtp_protocol_error +lost_incoming_connection +smtp_incomplete_transaction
pipelining_connect_advertise_hosts =
smtp_receive_timeout = 2s
smtp_accept_max_per_host = 400
acl_smtp_vrfy = vrfy
`,
    acl: '  accept domains = x.example\nvrfy:\n  deny',
  });
  await server.start();
});
after(() => server.remove());

let served = 0;

/** The next client is served, and nobody had to write anything into the panic log. */
async function goesOn(panics: RegExp | '' = ''): Promise<void> {
  const client = await SmtpClient.greet(server.port);
  const subject = `still there ${++served}`;
  assert.match(await client.message('a@b.example', ['eve@x.example'], `Subject: ${subject}\n\nyes\n`), /^250 OK id=/);
  await client.quit();
  await waitFor('the next client gets its mail through', () =>
    server.mail('eve').some((text) => text.includes(`Subject: ${subject}\n`)),
  );
  if (panics === '') assert.equal(server.log('panic'), '');
  else assert.match(server.log('panic'), panics);
}

/** Whether nothing of a message is left on the queue. */
const isEmpty = (): boolean => server.queue.length === 0;

async function atData(): Promise<SmtpClient> {
  const client = await SmtpClient.greet(server.port);
  await client.say('MAIL FROM:<a@b.example>', 250);
  await client.say('RCPT TO:<ann@x.example>', 250);
  await client.say('DATA', 354);
  return client;
}

test('A command line that is too long is answered with 500 and logged, and the session goes on', async () => {
  const client = await SmtpClient.greet(server.port);
  assert.match(await client.say(`VRFY ${'v'.repeat(100_000)}`), /^500 /);
  await client.say('NOOP', 250);
  await client.send('x'.repeat(30_000_000));
  assert.match(await client.say('y'), /^500 /);
  await client.quit();
  await server.logs(/SMTP syntax error in ".*" H=\(client\.example\) \[127\.0\.0\.1\] line too long\n/);
  await goesOn();
});

test('A NUL in a command is answered with 501 and shown as a question mark in the log', async () => {
  const client = await SmtpClient.greet(server.port);
  const said = '501 NUL characters are not allowed in SMTP commands\r\n';
  assert.equal(await client.say('MAIL FROM:<a\0b@b.example>'), said);
  assert.equal(await client.say('NO\0OP'), said);
  assert.equal(await client.say('RSET\0'), said);
  await client.quit();
  await server.logs(
    /SMTP syntax error in "MAIL FROM:<a\?b@b\.example>" H=\(client\.example\) \[127\.0\.0\.1\] NUL character\(s\) present \(shown as '\?'\)\n/,
  );
  await goesOn();
});

test('Control characters of a command never stand in a log as they are', async () => {
  const client = await SmtpClient.greet(server.port);
  assert.match(await client.say('VRFY <"a\x1b[31m\x07\rb\x7f"@x.example>'), /^\d\d\d /);
  assert.match(await client.say('MAIL FROM:<"a\x1b[2Jb"@b.example>'), /^\d\d\d /);
  assert.match(await client.say('RCPT TO:<"a\x1b[2Jb"@y.example>'), /^\d\d\d /);
  assert.match(await client.say('HELO \x1b[2J'), /^\d\d\d /);
  await client.quit();
  await server.logs(/rejected VRFY <"a/);
  for (const name of ['main', 'reject'] as const) assert.doesNotMatch(server.log(name), /[\0-\x09\x0b-\x1f\x7f]/);
  await goesOn();
});

test('NULs in a message are delivered as they came', async () => {
  const client = await atData();
  await client.send('Subject: nul\0s\r\n\r\na\0b\r\n\0\r\n.\r\n');
  await client.expect(250);
  await client.quit();
  await waitFor('delivery', () => server.mail('ann').some((text) => text.endsWith('\n\na\0b\n\0\n')));
  await goesOn();
});

for (const [what, text] of [
  ['CR LF dot LF', 'one\r\n.\nMAIL FROM:<evil@b.example>\r\nRCPT TO:<ben@x.example>\r\nDATA\r\nsmuggled\r\n.\r\n'],
  ['LF dot CR LF', 'one\n.\r\nMAIL FROM:<evil@b.example>\r\nRCPT TO:<ben@x.example>\r\nDATA\r\nsmuggled\r\n.\r\n'],
  ['CR dot CR LF', 'one\r.\r\nMAIL FROM:<evil@b.example>\r\nRCPT TO:<ben@x.example>\r\nDATA\r\nsmuggled\r\n.\r\n'],
  [
    'LF dot LF',
    'Subject: a\r\n\r\none\n.\nMAIL FROM:<evil@b.example>\r\nRCPT TO:<ben@x.example>\r\nDATA\r\nsmuggled\r\n.\r\n',
  ],
  [
    'CR CR LF dot CR LF',
    'one\r\r\n.\r\nMAIL FROM:<evil@b.example>\r\nRCPT TO:<ben@x.example>\r\nDATA\r\nsmuggled\r\n.\r\n',
  ],
  ['a bare CR', 'one\rtwo\r\n.\r\n'],
  ['a bare LF', 'one\ntwo\r\n.\r\n'],
] as const) {
  test(`A message with ${what} is refused, and nothing behind it is taken for a second message`, async () => {
    const before = { ben: server.mail('ben').length, log: server.log('reject').length };
    const client = await atData();
    await client.send(text);
    assert.match(await client.answer(), /^554 Message refused: bare (?:CR|LF) in message data/);
    client.socket.end();
    await client.rest();
    assert.match(
      server.log('reject').slice(before.log),
      /rejected from <a@b\.example>.*: bare (?:CR|LF) in message data/,
    );
    await waitFor('nothing on the queue', isEmpty);
    await goesOn();
    assert.equal(server.mail('ben').length, before.ben);
  });
}

test('100,000 RCPT commands are answered one by one, those above recipients_max with 452, and the message goes to the others', async () => {
  const client = await SmtpClient.greet(server.port);
  await client.say('MAIL FROM:<a@b.example>', 250);
  const wanted = 100_000;
  const begun = performance.now();
  const sending = client.send(Array.from({ length: wanted }, (_, n) => `RCPT TO:<many${n}@x.example>\r\n`).join(''));
  const counts = new Map<string, number>();
  for (let count = 0; count < wanted; count++) {
    const code = (await client.answer()).slice(0, 3);
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  await sending;
  assert.deepEqual(
    [...counts],
    [
      ['250', 50_000],
      ['452', 50_000],
    ],
  );
  assert.ok(performance.now() - begun < 30_000);
  await client.say('RSET', 250);
  await client.quit();
  assert.match(
    server.log(),
    /incomplete transaction \(RSET\) from <a@b\.example> for many0@x\.example many1@x\.example/,
  );
  // Exim's own lines end after 8 KB
  for (const line of server.log().split('\n')) assert.ok(line.length <= 8192, `a log line of ${line.length} octets`);
  await goesOn();
});

test('A message that is sent by half and cut off leaves nothing behind and is logged', async () => {
  const client = await atData();
  await client.send(`Subject: half\r\n\r\n${'half of it\r\n'.repeat(100_000)}`);
  client.socket.end();
  await client.rest();
  await server.logs(/SMTP connection from \(client\.example\) \[127\.0\.0\.1\] lost while reading message data/);
  const other = await atData();
  await other.send(`Subject: half\r\n\r\n${'half of it\r\n'.repeat(100_000)}`);
  other.break();
  await waitFor('nothing on the queue', isEmpty);
  await goesOn();
});

test('A client that says nothing is told so after smtp_receive_timeout', async () => {
  const silent = await SmtpClient.open(server.port);
  await silent.expect(220);
  assert.match(await silent.rest(10), /^421 mx\.x\.example: SMTP command timeout - closing connection\r\n$/);
  const halfway = await atData();
  await halfway.send('Subject: never ends\r\n');
  assert.match(await halfway.rest(10), /^421 mx\.x\.example SMTP incoming data timeout - closing connection\.\r\n$/);
  await server.logs(/SMTP command timeout on connection from \[127\.0\.0\.1\]/);
  await server.logs(
    /SMTP data timeout \(message abandoned\) on connection from \(client\.example\) \[127\.0\.0\.1\] F=<a@b\.example>/,
  );
  await waitFor('nothing on the queue', isEmpty);
  await goesOn();
});

test('A client that reads none of its answers is given up after smtp_receive_timeout', async () => {
  const client = await SmtpClient.greet(server.port);
  const open = sockets();
  await client.say('MAIL FROM:<a@b.example>', 250);
  client.socket.pause();
  // more answers than the system keeps for a connection
  const unread = Buffer.from(`RCPT TO:<${'m'.repeat(60)}@elsewhere.example>\r\n`.repeat(10_000));
  for (let n = 0; n < 60; n++) client.socket.write(unread);
  await waitFor('the connection is given up', () => sockets() < open, 20);
  client.break();
  await goesOn();
});

test('Commands before the greeting are a protocol error', async () => {
  const client = await SmtpClient.open(server.port);
  await client.send('EHLO client.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<ann@x.example>\r\nDATA\r\n');
  // the greeting may be on its way when they come
  assert.match(await client.rest(), /^(?:220 .*\r\n)?554 SMTP synchronization error\r\n$/);
  await server.logs(
    /SMTP protocol synchronization error \((?:input sent without waiting for greeting|next input sent too soon: .*)\)/,
    'reject',
  );
  await goesOn();
});

/** How many sockets the daemon holds. */
function sockets(): number {
  const directory = `/proc/${server.pid}/fd`;
  const names = readdirSync(directory).map((name) => {
    try {
      return readlinkSync(`${directory}/${name}`);
    } catch {
      return '';
    }
  });
  return names.filter((name) => name.startsWith('socket:')).length;
}

test('Connections that are refused with input unread do not stay open', async () => {
  await goesOn();
  const open = sockets();
  for (let n = 0; n < 60; n++) {
    const client = await SmtpClient.open(server.port);
    await client.send('EHLO too.early.example\r\n'.repeat(20));
    await client.rest();
    client.break();
  }
  await waitFor('all are closed', () => sockets() <= open + 1);
});

test('A client that never closes its side is closed by the server', async () => {
  await goesOn();
  const open = sockets();
  const clients = await Promise.all(Array.from({ length: 30 }, () => SmtpClient.greet(server.port)));
  await Promise.all(
    clients.map(async (client) => {
      client.socket.allowHalfOpen = true;
      await client.say('QUIT', 221);
      client.socket.on('end', () => undefined);
    }),
  );
  await waitFor('all are closed', () => sockets() <= open + 1, 15);
  for (const client of clients) client.break();
});

test('10 MB of header lines are refused as ridiculously long', async () => {
  const client = await atData();
  await client.send(`${`X-More: ${'h'.repeat(60)}\r\n`.repeat(150_000)}\r\nbody\r\n.\r\n`);
  assert.match(await client.answer(), /^552 Message header is ridiculously long/);
  await client.quit();
  await server.logs(
    /ridiculously long message header received from \(client\.example\) \[127\.0\.0\.1\] \(more than 1048576 characters\): message abandoned/,
  );
  assert.ok(isEmpty());
  await goesOn();
});

test('A header line of 10 MB is refused', async () => {
  const client = await atData();
  await client.send(`X-Long: ${'h'.repeat(10_000_000)}\r\n\r\nbody\r\n.\r\n`);
  assert.match(await client.answer(), /^552 /);
  await client.quit();
  assert.ok(isEmpty());
  await goesOn();
});

test('A line of 20 MB in the body is delivered whole', async () => {
  const size = 20_000_000;
  const client = await atData();
  await client.send(`Subject: endless line\r\n\r\n${'e'.repeat(size)}\r\n.\r\n`);
  await client.expect(250);
  await client.quit();
  await waitFor('delivery', () => server.mail('ann').some((text) => text.endsWith(`\n\n${'e'.repeat(size)}\n`)));
  await goesOn();
});

test('A message above message_size_limit is read to its end and refused', async () => {
  const client = await atData();
  for (let n = 0; n < 60; n++) await client.send('0123456789abcde\r\n'.repeat(60_000));
  await client.send('.\r\n');
  assert.match(await client.answer(), /^552 Message size exceeds maximum permitted/);
  await client.quit();
  await server.logs(
    /rejected from <a@b\.example> H=\(client\.example\) \[127\.0\.0\.1\]: message too big: read=\d+ max=52428800/,
    'reject',
  );
  assert.ok(isEmpty());
  await goesOn();
});

test('The daemon has written nothing to standard error', () => {
  assert.equal(server.errors, '');
  assert.equal(readFileSync(server.path('pid'), 'utf8'), `${server.pid}\n`);
});
