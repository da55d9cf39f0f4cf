/** Connections that are kept for other messages, and what callouts leave to the delivery. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestServer } from '../net/test-server.ts';
import { commandsOf, type Exceptions, mailServer } from '../smtp/test-mail-server.ts';
import { smtp } from './smtp.ts';
import type { KeptConnection } from './smtp-kept.ts';
import { smtpOptions } from './smtp-options.ts';
import { addressed, host, optionsWith, requestFor, TestMessage, TestServices } from './test-delivery.ts';
import { shown } from './test-smtp.ts';
import type { DeliveryRequest } from './transport.ts';

const from = 'MAIL FROM:<s@sender.example>';
const hello = 'EHLO me.example';

interface Setting {
  readonly exceptions?: Exceptions;
  readonly settings?: Readonly<Record<string, string>>;
}

/** Deliveries to one server, by one transport. */
class Deliveries {
  readonly services = new TestServices();
  readonly message = new TestMessage();
  readonly #server: TestServer;
  readonly #worker: ReturnType<typeof smtp.make>;

  constructor(server: TestServer, settings: Readonly<Record<string, string>>) {
    this.#server = server;
    const options = optionsWith(smtpOptions, { helo_data: 'me.example', size_addition: '-1', ...settings });
    this.#worker = smtp.make(options, requestFor(this.message).common, new Set(Object.keys(settings)));
  }

  get request(): DeliveryRequest {
    return requestFor(this.message, { hosts: [host('127.0.0.1', this.#server.port)] });
  }

  async deliver(to: readonly string[], more: Partial<DeliveryRequest> = {}): Promise<string[]> {
    assert.equal(this.#worker.style, 'remote');
    const outcomes = await this.#worker.deliver(
      { ...this.request, addresses: addressed(...to), ...more },
      this.services,
    );
    return outcomes.map(({ address, result }) => shown(address.recipient, result));
  }

  /** A callout that says MAIL and RCPT, and holds the connection. */
  async hold(...recipients: readonly string[]): Promise<KeptConnection> {
    assert.ok(this.#worker.style === 'remote' && this.#worker.callout !== undefined);
    const target = await this.#worker.callout({ ...this.request, timeout: 5, connectTimeout: 5 }, this.services);
    assert.ok('hosts' in target);
    const [first] = target.hosts;
    assert.ok(first !== undefined);
    const connection = await target.open(first);
    assert.ok('session' in connection);
    await connection.session.exchange(from, 'mail');
    for (const recipient of recipients) await connection.session.exchange(`RCPT TO:<${recipient}>`, 'recipient');
    return target.hold(first, connection);
  }

  async sent(): Promise<string[][]> {
    await Promise.all(this.#server.connections.map(({ gone }) => gone));
    return this.#server.connections.map((connection) => [...commandsOf(connection)]);
  }
}

async function deliveries(
  { exceptions = {}, settings = {} }: Setting,
  work: (of: Deliveries) => Promise<void>,
): Promise<void> {
  const server = await TestServer.start(mailServer(exceptions));
  const all = new Deliveries(server, settings);
  try {
    await work(all);
  } finally {
    for (const kept of all.services.kept) kept.hangUp();
    await server.close();
    all.message.close();
  }
}

const ok = (address: string, star = ''): string => `${address} => 127.0.0.1${star} "250 OK id=1-2-3"`;

test('a connection is kept when another message waits for the host, and closed when none does', () =>
  deliveries({}, async (all) => {
    await all.deliver(['a@b.x']);
    assert.equal(all.services.kept.length, 0);
    all.services.awaited.add('127.0.0.1');
    await all.deliver(['a@b.x']);
    const [over] = all.services.kept;
    assert.equal(over?.sent, 1);
    all.services.awaited.clear();
    assert.deepEqual(await all.deliver(['c@d.x'], { over }), [ok('c@d.x', '*')]);
    const rcpt = (address: string): string => `RCPT TO:<${address}>`;
    assert.deepEqual(await all.sent(), [
      [hello, from, rcpt('a@b.x'), 'DATA', 'QUIT'],
      [hello, from, rcpt('a@b.x'), 'DATA', from, rcpt('c@d.x'), 'DATA', 'QUIT'],
    ]);
  }));

test('connection_max_messages counts the messages of all deliveries', () =>
  deliveries({ settings: { connection_max_messages: '2' } }, async (all) => {
    all.services.awaited.add('127.0.0.1');
    await all.deliver(['a@b.x']);
    await all.deliver(['c@d.x'], { over: all.services.kept[0] });
    assert.equal(all.services.kept.length, 1);
    assert.equal((await all.sent()).length, 1);
  }));

test('after a recipient who is refused for now alone the connection is closed, after one refused for good it is kept', () =>
  deliveries({ exceptions: { 'RCPT now@': '450 x', 'RCPT never@': '550 x' } }, async (all) => {
    all.services.awaited.add('127.0.0.1');
    await all.deliver(['now@b.x']);
    assert.equal(all.services.kept.length, 0);
    await all.deliver(['never@b.x']);
    assert.equal(all.services.kept.length, 1);
    await all.deliver(['now@b.x', 'c@d.x']);
    assert.equal(all.services.kept.length, 2);
  }));

test('a delivery that is not for the host, or would have introduced itself otherwise, leaves the connection alone', () =>
  deliveries({ settings: { helo_data: '$sender_address_domain' } }, async (all) => {
    all.services.awaited.add('127.0.0.1');
    await all.deliver(['a@b.x']);
    const [over] = all.services.kept;
    assert.deepEqual(await all.deliver(['c@d.x'], { over, hosts: [host('127.0.0.9', 25)] }), []);
    const { context } = all.request;
    const message = { ...context.message, sender: 's@other.example' } as typeof context.message;
    assert.deepEqual(await all.deliver(['c@d.x'], { over, context: { ...context, message } }), []);
    assert.equal(over?.isTaken, false);
  }));

test('what a callout has begun is ended by the delivery', () =>
  deliveries({}, async (all) => {
    const connection = await all.hold('a@b.x', 'c@d.x');
    const begun = { connection, sender: 's@sender.example', recipients: ['a@b.x', 'c@d.x'] };
    assert.deepEqual(await all.deliver(['c@d.x', 'a@b.x'], { begun }), [ok('c@d.x'), ok('a@b.x')]);
    assert.deepEqual(await all.sent(), [[hello, from, 'RCPT TO:<a@b.x>', 'RCPT TO:<c@d.x>', 'DATA', 'QUIT']]);
  }));

/** In these cases Exim 4.96 tells of a recipient whom it never named, or sends to one whom it refused. */
test('nobody else gets the message, and nobody is left out, because of what a callout has begun', async () => {
  for (const [asked, wanted] of [
    [['a@b.x'], ['a@b.x', 'c@d.x']],
    [['a@b.x', 'c@d.x'], ['a@b.x']],
    [
      ['a@b.x', 'c@d.x'],
      ['a@b.x', 'e@d.x'],
    ],
    [
      ['a@b.x', 'c@d.x'],
      ['a@b.x', 'a@b.x'],
    ],
  ]) {
    await deliveries({}, async (all) => {
      const connection = await all.hold(...(asked ?? []));
      const begun = { connection, sender: 's@sender.example', recipients: asked ?? [] };
      await all.deliver(wanted ?? [], { begun });
      assert.equal(connection.isTaken, false);
      connection.hangUp();
      const [, delivery] = await all.sent();
      assert.deepEqual(delivery, [hello, from, ...(wanted ?? []).map((each) => `RCPT TO:<${each}>`), 'DATA', 'QUIT']);
    });
  }
});

test('another sender, and what is to be said about reports, are not lost on the way', async () => {
  const others: Partial<DeliveryRequest>[] = [
    { returnPath: 't@sender.example' },
    { envelopeFacts: { dsnRet: 1, dsnEnvid: undefined } },
    { envelopeFacts: { dsnRet: undefined, dsnEnvid: 'x' } },
  ];
  for (const other of others) {
    await deliveries({}, async (all) => {
      const connection = await all.hold('a@b.x');
      const begun = { connection, sender: 's@sender.example', recipients: ['a@b.x'] };
      assert.deepEqual(await all.deliver(['a@b.x'], { begun, ...other }), [ok('a@b.x')]);
      assert.equal(connection.isTaken, false);
      connection.hangUp();
    });
  }
});

test('a connection without TLS that only a callout may have is not used for the message', () =>
  deliveries({ settings: { hosts_verify_avoid_tls: '*' } }, async (all) => {
    const connection = await all.hold('a@b.x');
    const begun = { connection, sender: 's@sender.example', recipients: ['a@b.x'] };
    assert.deepEqual(await all.deliver(['a@b.x'], { begun }), [ok('a@b.x')]);
    assert.equal(connection.isTaken, false);
    connection.hangUp();
  }));

test('a host that went meanwhile gets the message over a new connection', () =>
  deliveries(
    {
      exceptions: {
        'RCPT gone@': (connection) => {
          connection.say('250 OK');
          connection.close();
          return undefined;
        },
      },
    },
    async (all) => {
      const connection = await all.hold('gone@b.x');
      const begun = { connection, sender: 's@sender.example', recipients: ['gone@b.x'] };
      await all.deliver(['gone@b.x'], { begun });
      assert.equal(connection.isTaken, false);
      connection.hangUp();
      assert.equal((await all.sent()).length, 2);
    },
  ));
