/**
 * The daemon is killed at random moments under load and started again. What got its 250 must reach each recipient, whole;
 * a second copy is allowed only where a kill fell into the delivery. TABELLA_KILLS says how many kills, TABELLA_SEED which.
 */

import assert from 'node:assert/strict';
import { createHash, randomInt } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { account, TestServer, tableRouters, tableTransports, waitFor } from './server.ts';
import { SmtpClient } from './smtp-client.ts';

const kills = Number(process.env['TABELLA_KILLS'] ?? 20);
const seed = Number(process.env['TABELLA_SEED'] ?? randomInt(1 << 30));
const connections = 4;

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function numbers(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const random = numbers(seed);

interface Sent {
  readonly recipients: readonly string[];
  readonly digest: string;
  /** The server said 250. */
  promised: boolean;
}

interface Found {
  readonly message: string;
  readonly queueId: string;
  readonly digest: string;
}

/** Where the mail for an address ends up. */
const destinations: Readonly<Record<string, readonly string[]>> = {
  ann: ['ann'],
  ben: ['ben'],
  both: ['ann', 'ben'],
  program: ['program'],
};
const choices = [['ann'], ['ben'], ['ann', 'ben'], ['both'], ['program'], ['ann', 'program', 'eve'], ['both', 'eve']];

const digestOf = (body: string): string => createHash('sha256').update(body, 'latin1').digest('hex');

/** A body of 0.2 to 200 KB; small ones are as frequent as large ones. */
function makeBody(name: string): string {
  const size = 200 * 1000 ** random();
  let body = '';
  while (body.length < size) {
    const line = digestOf(`${name} ${body.length}`).slice(0, 1 + Math.floor(random() * 64));
    body += `${random() < 0.05 ? '.' : ''}${line.repeat(1 + Math.floor(random() * 8))}\n`;
  }
  return `${body}end of ${name}\n`;
}

/** Sends messages one after the other until it is told to stop; the server may break off at any time. */
async function sendAll(number: number, server: TestServer, sent: Map<string, Sent>, stopped: () => boolean) {
  for (let count = 0; !stopped(); ) {
    const client = await SmtpClient.greet(server.port).catch(() => undefined);
    if (client === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      continue;
    }
    try {
      while (!stopped()) {
        const name = `m-${number}-${++count}`;
        const body = makeBody(name);
        const recipients = choices[Math.floor(random() * choices.length)] ?? ['ann'];
        const entry: Sent = { recipients, digest: digestOf(body), promised: false };
        sent.set(name, entry);
        const text = `From: <a@b.example>\nSubject: ${name}\n\n${body}`;
        const to = recipients.map((user) => `${user}@x.example`);
        entry.promised = (await client.message('a@b.example', to, text)).startsWith('250');
      }
      await client.quit();
    } catch {
      client.break();
    }
  }
}

function read(text: string): Found {
  const split = text.indexOf('\n\n');
  const head = text.slice(0, split);
  return {
    message: /^Subject: (.*)$/m.exec(head)?.[1] ?? `(no subject) ${head.slice(0, 200)}`,
    queueId: /\bid ([0-9A-Za-z]{6}-[0-9A-Za-z]+-[0-9A-Za-z]+)/.exec(head)?.[1] ?? '',
    digest: digestOf(text.slice(split + 2)),
  };
}

/** Messages on the queue: those that a kill may have torn out of a delivery. */
function underway(queue: readonly string[]): Set<string> {
  const bodies = new Set(queue.filter((name) => name.endsWith('-D')).map((name) => name.slice(0, -2)));
  return new Set(
    queue
      .filter((name) => name.endsWith('-H'))
      .map((name) => name.slice(0, -2))
      .filter((id) => bodies.has(id)),
  );
}

const server = await TestServer.make();
after(() => server.remove());

test(`After ${kills} kills under load (seed ${seed}) all that was promised is delivered, whole, and twice only where a kill fell into the delivery`, async (t) => {
  const program = server.write(
    'take',
    // what is cut off by the kill is not a whole message, and not taken for one
    `#!/bin/sh
file=$(mktemp ${server.directory}/piped/tmp/XXXXXXXX) || exit 75
cat > $file || exit 75
case $(tail -n 1 $file) in "end of "*) mv $file ${server.directory}/piped/new/ ;; *) exit 75 ;; esac
`,
    0o755,
  );
  for (const name of ['piped', 'piped/tmp', 'piped/new']) server.makeDirectory(name);
  const { directory } = server;
  const users = ['ann', 'ben', 'eve'].map((user) => `${user}: ${directory}/mail/${user}/\n`).join('');
  server.write('users', `${users}both: ann@x.example, ben@x.example\nprogram: |${program}\n`);
  server.configure({
    routers: tableRouters(directory),
    transports: tableTransports.replace(
      'driver = pipe',
      'driver = pipe\n  message_prefix =\n  message_suffix =\n  path = /usr/bin:/bin\n  log_output',
    ),
    retry: '',
  });

  const sent = new Map<string, Sent>();
  let stop = false;
  await server.start(['-q30m']);
  const senders = Array.from({ length: connections }, (_, n) => sendAll(n, server, sent, () => stop));
  const tornAt: Set<string>[] = [];
  for (let count = 0; count < kills; count++) {
    await new Promise((resolve) => setTimeout(resolve, 20 + random() * 480));
    await server.stop('SIGKILL');
    tornAt.push(underway(server.queue));
    await server.start(['-q30m']);
  }
  stop = true;
  await Promise.all(senders);
  await server.stop();
  for (let run = 0; run < 3 && server.queue.some((name) => name.endsWith('-H')); run++) server.run(['-qff']);

  const copies = new Map<string, Found[]>();
  const take = (user: string, texts: readonly string[]): void => {
    for (const text of texts) {
      const found = read(text);
      const key = `${found.message} ${user}`;
      copies.set(key, [...(copies.get(key) ?? []), found]);
    }
  };
  for (const user of ['ann', 'ben', 'eve']) take(user, server.mail(user));
  const piped = server.path('piped/new');
  take(
    'program',
    existsSync(piped) ? readdirSync(piped).map((name) => readFileSync(`${piped}/${name}`, 'latin1')) : [],
  );

  const lost: string[] = [];
  const damaged: string[] = [];
  const doubled: string[] = [];
  let promised = 0;
  let second = 0;
  for (const [message, entry] of sent) {
    if (entry.promised) promised++;
    const users = new Set(entry.recipients.flatMap((name) => destinations[name] ?? [name]));
    let received = 0;
    for (const user of users) {
      const found = copies.get(`${message} ${user}`) ?? [];
      copies.delete(`${message} ${user}`);
      if (found.length > 0) received++;
      if (found.length === 0 && entry.promised) lost.push(`${message} for ${user}`);
      if (found.some(({ digest }) => digest !== entry.digest)) damaged.push(`${message} for ${user}`);
      const [{ queueId } = { queueId: '' }] = found;
      const torn = tornAt.filter((ids) => ids.has(queueId)).length;
      if (found.length > 1) second += found.length - 1;
      if (found.length > 1 + torn)
        doubled.push(`${message} for ${user}: ${found.length} copies, ${torn} kills (${queueId})`);
    }
    if (received > 0 && received < users.size) lost.push(`${message}: only ${received} of ${users.size} got it`);
  }
  t.diagnostic(`${sent.size} messages, ${promised} promised, ${second} second copies, as ${account.user}`);
  assert.deepEqual(lost, [], 'lost');
  assert.deepEqual(damaged, [], 'damaged');
  assert.deepEqual(doubled, [], 'delivered twice without a reason');
  assert.deepEqual([...copies.keys()], [], 'never sent');
  assert.ok(promised > kills, 'there was load');
  assert.equal(server.log('panic'), '');
  await waitFor('nothing is left on the queue', () => !server.queue.some((name) => name.endsWith('-H')), 1);
});
