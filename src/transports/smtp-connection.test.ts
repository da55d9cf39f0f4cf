/** Hosts that will not talk to us, and how we introduce ourselves. The texts are those that Exim 4.96 writes. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { close, type Exceptions, reset, stall } from '../smtp/test-mail-server.ts';
import { deliver, impatient } from './test-smtp.ts';

const from = 'MAIL FROM:<s@sender.example>';

const hostErrors: readonly (readonly [string, Exceptions, Readonly<Record<string, string>>, string, number])[] = [
  [
    'a greeting of 554',
    { greeting: '554 go away' },
    {},
    'SMTP error from remote mail server after initial connection: 554 go away',
    0,
  ],
  [
    'a greeting of 421',
    { greeting: '421 busy' },
    {},
    'SMTP error from remote mail server after initial connection: 421 busy',
    0,
  ],
  [
    'a greeting of several lines',
    { greeting: ['554-go', '554 away'] },
    {},
    'SMTP error from remote mail server after initial connection: 554-go\n554 away',
    0,
  ],
  [
    'nonsense for a greeting',
    { greeting: 'hello there' },
    {},
    'Malformed SMTP reply in response to initial connection: hello there',
    -19,
  ],
  [
    'an empty line for a greeting',
    { greeting: '' },
    {},
    'Malformed SMTP reply (an empty line) in response to initial connection',
    -19,
  ],
  [
    'the end instead of a greeting',
    { greeting: close },
    {},
    'Remote host closed connection in response to initial connection',
    -18,
  ],
  [
    'a reset instead of a greeting',
    { greeting: reset },
    {},
    'Remote host closed connection in response to initial connection',
    -18,
  ],
  ['silence instead of a greeting', { greeting: stall }, impatient, 'SMTP timeout after initial connection', 110],
  [
    'the end instead of an answer to EHLO',
    { EHLO: close },
    {},
    'Remote host closed connection in response to EHLO me.example',
    -18,
  ],
  ['silence after EHLO', { EHLO: stall }, impatient, 'SMTP timeout after EHLO me.example', 110],
  [
    'nonsense within the answer to EHLO',
    { EHLO: ['250-x', 'foo bar', '250 ok'] },
    {},
    'Malformed SMTP reply in response to EHLO me.example: 250-x\nfoo bar',
    -19,
  ],
  [
    'a refusal of EHLO and HELO',
    { EHLO: '550 what', HELO: ['550-no', '550 way'] },
    {},
    'SMTP error from remote mail server after HELO me.example: 550-no\n550 way',
    0,
  ],
  [
    'a refusal of EHLO and the end after HELO',
    { EHLO: '500 x', HELO: close },
    {},
    'Remote host closed connection in response to HELO me.example (EHLO response was: 500 x)',
    -18,
  ],
  ['silence after HELO', { EHLO: '500 x', HELO: stall }, impatient, 'SMTP timeout after HELO me.example', 110],
];

for (const [what, exceptions, settings, message, code] of hostErrors) {
  test(`${what} is the host's fault, and the next host is tried`, async () => {
    const outcome = message.includes(': 55') ? 'failed' : 'deferred';
    const alone = await deliver([exceptions], { settings });
    assert.deepEqual(alone.results, [`a@b.example ${outcome} ${code} 127.0.0.1: ${message}`]);
    const suffix = code > 0 ? ': Connection timed out' : '';
    const line = `H=127.0.0.1 [127.0.0.1]: ${message.replaceAll('\n', '\\n')}${suffix}`;
    assert.deepEqual(alone.services.logged, [line]);
    assert.deepEqual(alone.services.noted, [`host 127.0.0.1 ${code}`]);
    const both = await deliver([exceptions, {}], { settings });
    assert.deepEqual(both.results, ['a@b.example => 127.0.0.2 "250 OK id=1-2-3"']);
    assert.deepEqual(both.services.noted, [`host 127.0.0.1 ${code}`, 'good 127.0.0.2']);
  });
}

test('a host that refuses connections is told without a colon, and without a host in the result', async () => {
  const { results, services } = await deliver(['nobody'], {});
  assert.deepEqual(results, ['a@b.example deferred 111: ']);
  assert.deepEqual(services.logged, ['H=127.0.0.1 [127.0.0.1] Connection refused']);
  assert.deepEqual(services.noted, ['host 127.0.0.1 111']);
});

test('the last host has the last word, when none of them wants to talk', async () => {
  const first = await deliver([{ greeting: '554 no' }, 'nobody'], {});
  assert.deepEqual(first.results, ['a@b.example deferred 111: ']);
  const last = await deliver(['nobody', { greeting: '554 no' }], {});
  assert.match(last.results[0] ?? '', /^a@b.example failed 0 127.0.0.2: .* 554 no$/);
  const both = await deliver([{ greeting: '554 no' }, { greeting: '421 no' }], {});
  assert.match(both.results[0] ?? '', /^a@b.example deferred 0 127.0.0.2: .* 421 no$/);
});

test('after a refused EHLO the message goes out by HELO, and nothing is offered', async () => {
  for (const refusal of ['500 what', '550 no', '421 busy']) {
    const { results, sent } = await deliver([{ EHLO: refusal }], { settings: { size_addition: '0' } });
    assert.deepEqual(results, ['a@b.example => 127.0.0.1 "250 OK id=1-2-3"']);
    assert.deepEqual(sent, [['EHLO me.example', 'HELO me.example', from, 'RCPT TO:<a@b.example>', 'DATA', 'QUIT']]);
  }
});
