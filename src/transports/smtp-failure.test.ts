/** What goes wrong with a message or a recipient, at each step. The texts are those that Exim 4.96 writes. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { close, type Exceptions, stall, withoutPipelining } from '../smtp/test-mail-server.ts';
import { deliver, impatient } from './test-smtp.ts';

const from = 'MAIL FROM:<s@sender.example>';

const three = ['a@b.example', 'c@d.example', 'e@f.example'];
const delivered = (address: string): string => `${address} => 127.0.0.1 "250 OK id=1-2-3"`;

for (const [how, manner, prefix] of [
  ['one by one', withoutPipelining, ''],
  ['together', {}, 'pipelined '],
] as const) {
  const run = (exceptions: Exceptions, settings = {}, more: readonly (Exceptions | 'nobody')[] = []) =>
    deliver([{ ...manner, ...exceptions }, ...more], { to: three, settings });

  /** Stages where all recipients share the outcome: what is said, the result, what is noted, whether the log tells. */
  const messageErrors: readonly (readonly [string, Exceptions, string, string, boolean])[] = [
    [
      'MAIL 550',
      { MAIL: '550 no' },
      `failed 0 127.0.0.1: SMTP error from remote mail server after ${prefix}${from}: 550 no`,
      'good 127.0.0.1',
      false,
    ],
    [
      'MAIL 450',
      { MAIL: '450 later' },
      `deferred -45 127.0.0.1: SMTP error from remote mail server after ${prefix}${from}: 450 later`,
      'message 127.0.0.1 -45',
      true,
    ],
    [
      'MAIL 354',
      { MAIL: '354 what' },
      `deferred 0 127.0.0.1: SMTP error from remote mail server after ${prefix}${from}: 354 what`,
      'message 127.0.0.1 0',
      true,
    ],
    [
      'the end after MAIL',
      { MAIL: close },
      `deferred -18 127.0.0.1: Remote host closed connection in response to ${prefix}${from}`,
      'host 127.0.0.1 -18',
      true,
    ],
    [
      'nonsense after MAIL',
      { MAIL: 'blah' },
      `deferred -19 127.0.0.1: Malformed SMTP reply in response to ${prefix}${from}: blah`,
      'host 127.0.0.1 -19',
      true,
    ],
    [
      'silence after MAIL',
      { MAIL: stall },
      `deferred 110 127.0.0.1: SMTP timeout after ${prefix}${from}`,
      'message 127.0.0.1 110',
      true,
    ],
    [
      'the end after a RCPT',
      { 'RCPT c@': close },
      `deferred -18 127.0.0.1: Remote host closed connection in response to ${prefix}RCPT TO:<c@d.example>`,
      'host 127.0.0.1 -18',
      true,
    ],
    [
      'nonsense after a RCPT',
      { 'RCPT c@': 'zzz' },
      `deferred -19 127.0.0.1: Malformed SMTP reply in response to ${prefix}RCPT TO:<c@d.example>: zzz`,
      'host 127.0.0.1 -19',
      true,
    ],
    [
      'DATA 550',
      { DATA: '550 no' },
      `failed 0 127.0.0.1: SMTP error from remote mail server after ${prefix}DATA: 550 no`,
      'good 127.0.0.1',
      false,
    ],
    [
      'DATA 450',
      { DATA: '450 no' },
      `deferred -46 127.0.0.1: SMTP error from remote mail server after ${prefix}DATA: 450 no`,
      'message 127.0.0.1 -46',
      true,
    ],
    [
      'DATA 250',
      { DATA: '250 no' },
      `deferred 0 127.0.0.1: SMTP error from remote mail server after ${prefix}DATA: 250 no`,
      'message 127.0.0.1 0',
      true,
    ],
    [
      'the end after DATA',
      { DATA: close },
      `deferred -18 127.0.0.1: Remote host closed connection in response to ${prefix}DATA`,
      'host 127.0.0.1 -18',
      true,
    ],
    [
      'silence after DATA',
      { DATA: stall },
      `deferred 110 127.0.0.1: SMTP timeout after ${prefix}DATA`,
      'host 127.0.0.1 110',
      true,
    ],
    [
      '550 after the dot',
      { '.': '550 no' },
      'failed 0 127.0.0.1: SMTP error from remote mail server after end of data: 550 no',
      'good 127.0.0.1',
      false,
    ],
    [
      '450 after the dot',
      { '.': '450 no' },
      'deferred -46 127.0.0.1: SMTP error from remote mail server after end of data: 450 no',
      'message 127.0.0.1 -46',
      true,
    ],
    [
      '421 after the dot',
      { '.': '421 no' },
      'deferred -46 127.0.0.1: SMTP error from remote mail server after end of data: 421 no',
      'message 127.0.0.1 -46',
      true,
    ],
    [
      '354 after the dot',
      { '.': '354 no' },
      'deferred 0 127.0.0.1: SMTP error from remote mail server after end of data: 354 no',
      'message 127.0.0.1 0',
      true,
    ],
    [
      'the end after the dot',
      { '.': close },
      'deferred -18 127.0.0.1: Remote host closed connection in response to end of data',
      'message 127.0.0.1 -18',
      true,
    ],
    [
      'nonsense after the dot',
      { '.': 'grrr' },
      'deferred -19 127.0.0.1: Malformed SMTP reply in response to end of data: grrr',
      'host 127.0.0.1 -19',
      true,
    ],
    [
      'silence after the dot',
      { '.': stall },
      'deferred 110 127.0.0.1: SMTP timeout after end of data (60 bytes written)',
      'message 127.0.0.1 110',
      true,
    ],
  ];
  for (const [what, exceptions, result, noted, logged] of messageErrors) {
    test(`${what}, with commands sent ${how}, is the lot of all recipients`, async () => {
      const alone = await run(exceptions, what.startsWith('silence') ? impatient : {});
      assert.deepEqual(
        alone.results,
        three.map((address) => `${address} ${result}`),
      );
      assert.deepEqual(alone.services.noted, [noted]);
      const text =
        result.replace(/^.*? 127.0.0.1: /, '') + (what.startsWith('silence') ? ': Connection timed out' : '');
      assert.deepEqual(alone.services.logged, logged ? [`H=127.0.0.1 [127.0.0.1]: ${text}`] : []);
      assert.deepEqual(alone.messages.length, exceptions['.'] === undefined ? 0 : 1);
    });
  }

  test(`after a deferral the next host gets the message, with commands sent ${how}`, async () => {
    for (const exceptions of [{ MAIL: '450 x' }, { DATA: '450 x' }, { '.': '450 x' }, { '.': close }]) {
      const { results } = await run(exceptions, {}, [{}]);
      assert.deepEqual(
        results,
        three.map((address) => `${address} => 127.0.0.2 "250 OK id=1-2-3"`),
      );
    }
    const { results, sent } = await run({ MAIL: '550 x' }, {}, [{}]);
    assert.match(results[0] ?? '', /failed/);
    assert.equal(sent.length, 1);
  });

  test(`recipients are refused one by one, with commands sent ${how}`, async () => {
    const { results, services, messages } = await run({ 'RCPT a@': '450 later', 'RCPT c@': ['550-no', '550 such'] });
    assert.deepEqual(results, [
      'a@b.example deferred -44 127.0.0.1: SMTP error from remote mail server after RCPT TO:<a@b.example>: 450 later (recipient from sender)',
      'c@d.example failed 0 127.0.0.1: SMTP error from remote mail server after RCPT TO:<c@d.example>: 550-no\n550 such',
      delivered('e@f.example'),
    ]);
    assert.equal(messages.length, 1);
    assert.deepEqual(services.logged, []);
    assert.deepEqual(services.noted, ['good 127.0.0.1']);
  });

  test(`nobody is sent the message when all recipients are refused, with commands sent ${how}`, async () => {
    for (const answer of ['503 nobody', '354 go on']) {
      const { results, messages, sent, services } = await run({ RCPT: '450 no', DATA: answer });
      assert.deepEqual(
        results,
        three.map(
          (a) =>
            `${a} deferred -44 127.0.0.1: SMTP error from remote mail server after RCPT TO:<${a}>: 450 no (recipient from sender)`,
        ),
      );
      assert.deepEqual(messages, prefix !== '' && answer.startsWith('354') ? [''] : []);
      assert.equal(sent[0]?.at(-1), 'QUIT');
      assert.deepEqual(services.noted, ['good 127.0.0.1']);
    }
  });

  test(`after silence about a recipient he alone is to blame, with commands sent ${how}`, async () => {
    const { results, services } = await run({ 'RCPT c@': stall }, impatient);
    const text = 'SMTP timeout after RCPT TO:<c@d.example>';
    assert.deepEqual(results, [
      `a@b.example deferred 110 127.0.0.1: ${text}`,
      `c@d.example deferred 110 127.0.0.1: ${text} (recipient)`,
      `e@f.example deferred 110: ${text}`,
    ]);
    assert.deepEqual(services.noted, []);
    assert.deepEqual(services.logged, []);
  });

  test(`a recipient refused with 421 keeps his reply when the connection goes, with commands sent ${how}`, async () => {
    const { results, services } = await run({
      'RCPT c@': (connection) => {
        connection.say('421 shut');
        return close(connection);
      },
    });
    const lost = `Remote host closed connection in response to ${prefix}RCPT TO:<e@f.example>`;
    assert.deepEqual(results, [
      `a@b.example deferred -18 127.0.0.1: ${lost}`,
      'c@d.example deferred -44 127.0.0.1: SMTP error from remote mail server after RCPT TO:<c@d.example>: 421 shut (recipient from sender)',
      `e@f.example deferred -18 127.0.0.1: ${lost}`,
    ]);
    assert.deepEqual(services.noted, ['host 127.0.0.1 -18']);
  });

  test(`recipients that one host would not take go to the next, and the log tells, with commands sent ${how}`, async () => {
    const { results, services, sent } = await run({ 'RCPT a@': '450 later', 'RCPT c@': '550 no' }, {}, [{}]);
    assert.deepEqual(results, [
      'a@b.example => 127.0.0.2 "250 OK id=1-2-3"',
      'c@d.example failed 0 127.0.0.1: SMTP error from remote mail server after RCPT TO:<c@d.example>: 550 no',
      delivered('e@f.example'),
    ]);
    assert.deepEqual(services.logged, [
      'H=127.0.0.1 [127.0.0.1]: SMTP error from remote mail server after RCPT TO:<a@b.example>: 450 later',
    ]);
    assert.deepEqual(
      sent[1]?.filter((command) => command.startsWith('RCPT')),
      ['RCPT TO:<a@b.example>'],
    );
  });
}

test('address_retry_include_sender decides whether it is the recipient for this sender only', async () => {
  const { results } = await deliver([{ RCPT: '450 x' }], { settings: { address_retry_include_sender: 'false' } });
  assert.match(results[0] ?? '', /450 x \(recipient\)$/);
});
