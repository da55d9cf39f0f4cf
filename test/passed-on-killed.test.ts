/**
 * Queue runs that send many messages over one connection are killed at random moments. Every message must arrive, whole,
 * and a second time only where a kill fell between the host's consent and the journal.
 */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { TestServer as Host } from '../src/net/test-server.ts';
import { mailServer } from '../src/smtp/test-mail-server.ts';
import { bin, TestServer, waitFor } from './server.ts';

const kills = Number(process.env['TABELLA_KILLS'] ?? 8);
const most = 60;

const server = await TestServer.make();
const arrived: string[] = [];
const host = await Host.start(mailServer({}, arrived));
after(async () => {
  await host.close();
  await server.remove();
});

const subjectOf = (text: string): string => /^Subject: (.*?)\r?$/m.exec(text)?.[1] ?? '';

/** Messages on the queue; what a kill left of one that is done does not count. */
const waiting = (): number => server.queue.filter((name) => name.endsWith('-H')).length;

const running = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null;

function run(): ChildProcess {
  return spawn(join(bin, 'exim'), ['-C', server.path('config'), '-q'], { stdio: 'ignore' });
}

test(`After ${kills} kills within queue runs each message has arrived, and twice only where a kill fell`, async (t) => {
  server.configure({
    main: 'queue_smtp_domains = *\nsmtp_accept_queue_per_connection = 0\n',
    routers: `
away:
  driver = manualroute
  domains = x.example
  route_data = 127.0.0.1
  self = send
  transport = smtp
`,
    transports: `
smtp:
  driver = smtp
  port = ${host.port}
  allow_localhost
`,
  });
  const wanted = Array.from({ length: most }, (_, i) => `m-${i}`);
  const letter = (name: string): string =>
    `MAIL FROM:<a@b.example>\nRCPT TO:<ann@x.example>\nDATA\nSubject: ${name}\n\n${`body of ${name}\n`.repeat(50)}.\n`;
  server.run(['-bs', '-odf'], `EHLO c.example\n${wanted.map(letter).join('')}QUIT\n`);
  assert.equal(waiting(), most, server.log('main').slice(-2000));
  let done = 0;
  while (done < kills && waiting() > 0) {
    const enough = arrived.length + randomInt(1, Math.ceil((2 * most) / (kills + 1)) + 1);
    const child = run();
    const gone = new Promise((resolve) => child.once('exit', resolve));
    await waitFor('messages arrive', () => arrived.length >= enough || !running(child));
    await new Promise((resolve) => setTimeout(resolve, randomInt(10)));
    if (running(child)) {
      child.kill('SIGKILL');
      done++;
    }
    await gone;
  }
  while (waiting() > 0) {
    const child = run();
    await new Promise((resolve) => child.once('exit', resolve));
  }
  const counts = new Map<string, number>();
  for (const subject of arrived.map(subjectOf)) counts.set(subject, (counts.get(subject) ?? 0) + 1);
  assert.deepEqual([...counts.keys()].sort(), [...wanted].sort());
  const twice = [...counts].filter(([, count]) => count > 1);
  const more = twice.reduce((sum, [, count]) => sum + count - 1, 0);
  t.diagnostic(`${done} kills, ${host.connections.length} connections, ${more} second copies`);
  assert.ok(more <= done, `second copies without a kill: ${JSON.stringify(twice)}`);
  for (const text of arrived) {
    const name = subjectOf(text);
    assert.equal(text.split(`body of ${name}`).length - 1, 50);
  }
  // the point of it all
  assert.ok(host.connections.length < most / 2, `${host.connections.length} connections for ${most} messages`);
});
