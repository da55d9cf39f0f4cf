/** Messages that follow over the connection of another, and what becomes of them when it is lost between two of them. */

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { TestServer } from '../net/test-server.ts';
import type { QueueId } from '../safe/taint.ts';
import { commandsOf, type Exceptions, mailServer } from '../smtp/test-mail-server.ts';
import { type DeliveryTools, ordinary } from './attempt.ts';
import { deliver } from './deliver.ts';
import { openQueued } from './open-queued.ts';
import { TestQueue } from './test-queue.ts';

let queue: TestQueue;
let server: TestServer;
let tools: DeliveryTools;

const first = '1aaaaa-000001-00';
const second = '1aaaab-000001-00';
const third = '1aaaac-000001-00';

/** A queue whose mail goes to a server of the test, known by two names. */
async function setUp(exceptions: Exceptions, options = '', main = ''): Promise<void> {
  server = await TestServer.start(mailServer(exceptions));
  queue = await TestQueue.make(
    main,
    `begin routers
r:
  driver = manualroute
  route_data = \${if match{$local_part}{^elsewhere}{127.0.0.9}{127.0.0.1}}
  self = send
  transport = t
begin transports
t:
  driver = smtp
  port = ${server.port}
  allow_localhost
  connect_timeout = 2s
  ${options}
begin retry
* * F,1h,30m
`,
  );
  tools = queue.tools;
}

afterEach(async () => {
  tools.waiting.close();
  queue.remove();
  await server.close();
});

/** Puts a message on the queue that waits for the host. */
function waits(id: string, recipients: readonly string[] = ['bob@h.test'], sender = 'ann@h.test'): QueueId {
  const known = queue.add(id, { recipients: recipients.map((address) => ({ address })), sender });
  tools.waiting.note('t', ['127.0.0.1'], known);
  return known;
}

async function send(id: string): Promise<void> {
  const message = openQueued(waits(id), { tellOfMissing: true }, queue.runtime);
  assert.ok(message !== undefined);
  await deliver(message, ordinary, tools);
}

const verbs = (): string[] =>
  server.connections.map((connection) =>
    commandsOf(connection)
      .map((line) => line.slice(0, 4))
      .join(' '),
  );

const delivered = (id: string, star = ''): string[] => [
  `${id} => bob@h.test R=r T=t H=127.0.0.1 [127.0.0.1]${star} C="250 OK id=1-2-3"`,
  `${id} Completed`,
];

test('messages that wait for a host follow the one that gets through, the youngest first', async () => {
  await setUp({});
  waits(second);
  waits(third);
  await send(first);
  assert.deepEqual(queue.takeLog(), [...delivered(first), ...delivered(third, '*'), ...delivered(second, '*')]);
  assert.deepEqual(verbs(), ['EHLO MAIL RCPT DATA MAIL RCPT DATA MAIL RCPT DATA QUIT']);
  assert.deepEqual(queue.ids, []);
});

test('a host that goes between two messages does no harm to the second', async () => {
  const going: Exceptions = {
    '.': (connection) => {
      connection.say('250 OK id=1-2-3');
      connection.close();
      return undefined;
    },
  };
  await setUp(going);
  waits(second);
  await send(first);
  assert.deepEqual(queue.takeLog(), delivered(first));
  assert.deepEqual(queue.ids, [second]);
  assert.equal(tools.retry.record(`T:127.0.0.1:127.0.0.1:${server.port}`), undefined);
  assert.equal(tools.waiting.isAwaited('t', '127.0.0.1'), true);
});

test('a message that is gone or in other hands is passed over', async () => {
  await setUp({});
  const busy = openQueued(waits(third), { tellOfMissing: true }, queue.runtime);
  tools.waiting.note('t', ['127.0.0.1'], queue.add(second));
  openQueued(waits(second), { tellOfMissing: true }, queue.runtime)?.remove();
  waits('1aaaa0-000001-00');
  await send(first);
  busy?.release();
  const log = queue.takeLog().filter((line) => !line.includes('is locked'));
  assert.deepEqual(log, [...delivered(first), ...delivered('1aaaa0-000001-00', '*')]);
});

test('a message for whose sender we would introduce ourselves otherwise gets a connection of its own', async () => {
  await setUp({}, 'helo_data = ${sender_address_domain}');
  waits(second, ['bob@h.test'], 'eve@other.test');
  await send(first);
  assert.deepEqual(queue.takeLog(), delivered(first));
  assert.deepEqual(queue.ids, [second]);
});

test('a message that must not go in clear does not go over a connection in clear', async () => {
  await setUp({}, 'hosts_require_tls = ${if eq{$sender_address_domain}{other.test}{*}}');
  waits(second, ['bob@h.test'], 'eve@other.test');
  await send(first);
  assert.deepEqual(queue.takeLog(), delivered(first));
  assert.deepEqual(queue.ids, [second]);
});

test('what is left for other hosts is tried when the connection is closed', async () => {
  await setUp({});
  waits(second, ['elsewhere@h.test', 'bob@h.test']);
  await send(first);
  const log = queue.takeLog();
  assert.deepEqual(log.slice(0, 3), [...delivered(first), delivered(second, '*')[0]]);
  assert.match(log.slice(3).join('\n'), /== elsewhere@h\.test R=r T=t defer \(\d+\)/);
  assert.deepEqual(queue.ids, [second]);
});

test('several sets of recipients of a message follow over one connection', async () => {
  await setUp({}, 'multi_domain = false', 'remote_max_parallel = 1');
  waits(second, ['bob@h.test', 'bob@i.test']);
  await send(first);
  assert.deepEqual(verbs(), ['EHLO MAIL RCPT DATA MAIL RCPT DATA MAIL RCPT DATA QUIT']);
  assert.deepEqual(queue.ids, []);
});

test('no new message is begun when the server is about to end', async () => {
  await setUp({});
  waits(second);
  tools.waiting.end();
  await send(first);
  assert.deepEqual(queue.ids, [second]);
});
