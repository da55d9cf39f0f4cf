/** Beginning before the server has greeted: only where it offered that, and never at the cost of a message. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Offers } from '../hints/offer-hints.ts';
import type { Exceptions } from '../smtp/test-mail-server.ts';
import { deliver } from './test-smtp.ts';

const offering = (...names: string[]): Exceptions => ({
  EHLO: ['sink.example', ...names].map((name, i) => `250${i === names.length ? ' ' : '-'}${name}`),
});
const offers = (...names: string[]): Offers => ({ clear: new Map(names.map((name) => [name, ''])) });

const early = ['PIPELINING', 'PIPECONNECT'];
const settings = { hosts_pipe_connect: '*' };
const envelope = ['MAIL FROM:<s@sender.example>', 'RCPT TO:<a@b.example>', 'DATA'];
const whole = ['EHLO me.example', ...envelope];
const arrived = ['a@b.example => 127.0.0.1 "250 OK id=1-2-3"'];

/** Says nothing until the client has spoken. */
const patient: Exceptions = {
  ...offering(...early),
  async greeting(connection) {
    assert.equal(await connection.line(), 'EHLO me.example');
    return ['220 sink.example ESMTP', '250-sink.example', '250-PIPELINING', '250 PIPECONNECT'];
  },
};

test('a server that offered it hears EHLO and the envelope before it greets', async () => {
  const { results, sent, services } = await deliver([patient], { settings, remembered: offers(...early) });
  assert.deepEqual(results, arrived);
  assert.deepEqual(sent, [[...envelope, 'QUIT']]);
  assert.deepEqual([...(services.remembered?.clear.keys() ?? [])], early);
});

test('what a server offers is remembered for the next time, when it may be spoken to early then', async () => {
  const { services } = await deliver([offering('SIZE 1000', ...early)], { settings });
  assert.deepEqual(
    [...(services.remembered?.clear ?? [])],
    [
      ['SIZE', '1000'],
      ['PIPELINING', ''],
      ['PIPECONNECT', ''],
    ],
  );
  for (const [names, set] of [
    [['PIPECONNECT'], settings],
    [['PIPELINING'], settings],
    [early, {}],
    [early, { ...settings, hosts_avoid_pipelining: '*' }],
    [early, { ...settings, hosts_avoid_esmtp: '*' }],
  ] as const) {
    const other = await deliver([offering(...names)], { settings: set });
    assert.deepEqual([other.results, other.services.remembered], [arrived, undefined], String(names));
  }
});

test('a server that offers something else now gets the message over another connection, in the usual way', async () => {
  for (const now of [[], ['PIPELINING'], [...early, 'STARTTLS'], ['PIPECONNECT', 'DSN']]) {
    const { results, sent, messages } = await deliver([offering(...now)], {
      settings: { ...settings, hosts_avoid_tls: '*' },
      remembered: offers(...early, '8BITMIME'),
    });
    assert.deepEqual(results, arrived, String(now));
    assert.deepEqual([sent.length, sent.at(-1), messages.length], [2, [...whole, 'QUIT'], 1], String(now));
  }
});

test('a server that only takes back the offer gets the message, and is not spoken to early again', async () => {
  const { results, sent, services } = await deliver([offering('PIPELINING')], {
    settings,
    remembered: offers(...early),
  });
  assert.deepEqual([results, sent, services.remembered], [arrived, [[...whole, 'QUIT']], undefined]);
});

for (const [what, answer] of [
  ['turns early talkers away', '554 SMTP synchronization error'],
  ['hangs up on early talkers', undefined],
] as const) {
  test(`nothing is lost at a server that ${what}`, async () => {
    let connections = 0;
    const { results, sent, services } = await deliver(
      [
        {
          ...offering('PIPELINING'),
          greeting(connection) {
            if (connections++ > 0) return '220 sink.example ESMTP';
            if (answer !== undefined) connection.say(answer);
            connection.close();
            return undefined;
          },
        },
      ],
      { settings, remembered: offers(...early) },
    );
    assert.deepEqual([results, sent.at(-1), services.remembered], [arrived, [...whole, 'QUIT'], undefined]);
  });
}

test('a server that refuses everybody is asked once more, and believed then', async () => {
  const { results, sent } = await deliver([{ greeting: '421 busy' }], { settings, remembered: offers(...early) });
  const text = 'SMTP error from remote mail server after initial connection: 421 busy';
  assert.deepEqual([results, sent.length], [[`a@b.example deferred 0 127.0.0.1: ${text}`], 2]);
});

test('several transactions over one connection are begun early once', async () => {
  const { results, sent } = await deliver([offering(...early)], {
    settings: { ...settings, max_rcpt: '1' },
    to: ['a@b.example', 'c@d.example'],
    remembered: offers(...early),
  });
  assert.equal(results.length, 2);
  assert.deepEqual(sent, [[...whole, envelope[0], 'RCPT TO:<c@d.example>', 'DATA', 'QUIT']]);
});
