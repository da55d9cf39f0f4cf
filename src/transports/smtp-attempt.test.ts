/** Several messages for one host, and LMTP. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { close, stall, withoutPipelining } from '../smtp/test-mail-server.ts';
import { deliver, impatient } from './test-smtp.ts';

const from = 'MAIL FROM:<s@sender.example>';

const five = ['a@b.x', 'b@b.x', 'c@b.x', 'd@b.x', 'e@b.x'];

test('max_rcpt makes several messages of one, over one connection', async () => {
  const { results, sent } = await deliver([{}], { to: five, settings: { max_rcpt: '2' } });
  assert.deepEqual(
    results.map((line) => line.replace(/ "250.*/, '')),
    ['a@b.x => 127.0.0.1', 'b@b.x => 127.0.0.1', 'c@b.x => 127.0.0.1*', 'd@b.x => 127.0.0.1*', 'e@b.x => 127.0.0.1*'],
  );
  assert.deepEqual(
    sent.map((commands) => commands.filter((line) => !line.startsWith('RCPT'))),
    [['EHLO me.example', from, 'DATA', from, 'DATA', from, 'DATA', 'QUIT']],
  );
});

test('connection_max_messages limits the messages over one connection', async () => {
  const { results, sent } = await deliver([{}], {
    to: five,
    settings: { max_rcpt: '2', connection_max_messages: '2' },
  });
  assert.equal(sent.length, 2);
  assert.deepEqual(sent[1], ['EHLO me.example', from, 'RCPT TO:<e@b.x>', 'DATA', 'QUIT']);
  assert.equal(results[4], 'e@b.x => 127.0.0.1 "250 OK id=1-2-3"');
  assert.equal((await deliver([{}], { to: five, settings: { max_rcpt: '0' } })).sent.length, 1);
});

test('a transaction that nobody wanted is taken back before the next', async () => {
  const { results, sent } = await deliver([{ ...withoutPipelining, 'RCPT a@': '550 no', 'RCPT b@': '550 no' }], {
    to: five.slice(0, 4),
    settings: { max_rcpt: '2' },
  });
  assert.deepEqual(sent[0]?.slice(2, 6), ['RCPT TO:<a@b.x>', 'RCPT TO:<b@b.x>', 'RSET', from]);
  assert.equal(results[3], 'd@b.x => 127.0.0.1* "250 OK id=1-2-3"');
});

test('a server that refuses RSET gets the next message over a new connection', async () => {
  const { sent, results } = await deliver(
    [{ ...withoutPipelining, 'RCPT a@': '550 no', 'RCPT b@': '550 no', RSET: '500 what' }],
    { to: five.slice(0, 4), settings: { max_rcpt: '2' } },
  );
  assert.equal(sent.length, 2);
  assert.equal(results[3], 'd@b.x => 127.0.0.1 "250 OK id=1-2-3"');
});

test("silence after RSET is the host's fault", async () => {
  const { results, services } = await deliver(
    [{ ...withoutPipelining, 'RCPT a@': '550 no', 'RCPT b@': '550 no', RSET: stall }],
    { to: five.slice(0, 3), settings: { max_rcpt: '2', ...impatient } },
  );
  assert.equal(results[2], 'c@b.x deferred 110 127.0.0.1*: SMTP timeout after RSET');
  assert.deepEqual(services.noted, ['host 127.0.0.1 110']);
});

test('what is refused in a second message does not touch those who got the first', async () => {
  let messages = 0;
  const { results, services } = await deliver([{ MAIL: () => (++messages === 2 ? '450 enough' : '250 ok') }], {
    to: five,
    settings: { max_rcpt: '2' },
  });
  const error = `SMTP error from remote mail server after pipelined ${from}: 450 enough`;
  assert.deepEqual(results, [
    'a@b.x => 127.0.0.1 "250 OK id=1-2-3"',
    'b@b.x => 127.0.0.1 "250 OK id=1-2-3"',
    ...['c', 'd', 'e'].map((name) => `${name}@b.x deferred -45 127.0.0.1*: ${error}`),
  ]);
  assert.deepEqual(services.noted, ['message 127.0.0.1 -45']);
});

test('the reply to the message is kept whole', async () => {
  const { results } = await deliver([{ '.': ['250-x "y" \\ z', '250 ok  \t '] }], {});
  assert.deepEqual(results, ['a@b.example => 127.0.0.1 "250-x "y" \\ z\n250 ok"']);
});

const three = ['a@b.example', 'c@d.example', 'e@f.example'];

test('protocol = lmtp has one answer for each recipient', async () => {
  const settings = { protocol: 'lmtp', port: '24' };
  const { results, sent, services } = await deliver([{ '.': ['250 first', '550 second', '450 third'] }], {
    to: three,
    settings,
  });
  assert.deepEqual(results, [
    'a@b.example => 127.0.0.1 "250 first"',
    'c@d.example failed 0 127.0.0.1: LMTP error after DATA: 550 second',
    'e@f.example deferred 0 127.0.0.1: LMTP error after DATA: 450 third (recipient)',
  ]);
  assert.equal(sent[0]?.[0], 'LHLO me.example');
  assert.deepEqual(services.noted, ['good 127.0.0.1']);
});

test('an LMTP server that goes between its answers has taken what it said it took', async () => {
  const settings = { protocol: 'lmtp', port: '24' };
  const { results, services } = await deliver(
    [
      {
        '.': (connection) => {
          connection.say('250 first');
          return close(connection);
        },
      },
    ],
    { to: three, settings },
  );
  const lost = 'deferred -18 127.0.0.1: Remote host closed connection in response to end of data';
  assert.deepEqual(results, ['a@b.example => 127.0.0.1 "250 first"', `c@d.example ${lost}`, `e@f.example ${lost}`]);
  assert.deepEqual(services.noted, ['message 127.0.0.1 -18']);
});

test('lmtp_ignore_quota asks a server that offers it', async () => {
  const settings = { protocol: 'lmtp', port: '24', lmtp_ignore_quota: 'true' };
  const offered = await deliver([{ LHLO: ['250-x', '250 IGNOREQUOTA'] }], { settings });
  assert.equal(offered.sent[0]?.[2], 'RCPT TO:<a@b.example> IGNOREQUOTA');
  assert.equal((await deliver([{}], { settings })).sent[0]?.[2], 'RCPT TO:<a@b.example>');
  const refused = await deliver([{ LHLO: '500 what' }], { settings });
  assert.match(
    refused.results[0] ?? '',
    /failed 0 127.0.0.1: SMTP error from remote mail server after LHLO me.example: 500 what/,
  );
});
