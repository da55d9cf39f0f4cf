/**
 * `-MG` is killed at random moments while it moves messages from one queue to another and back. Each message stays on just
 * one of them, whole, and can be delivered from there.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { account, bin, TestServer } from './server.ts';

const kills = Number(process.env['TABELLA_KILLS'] ?? 12);
const most = 60;

const server = await TestServer.make();
after(() => server.remove());

const queues = { '': 'spool/input', slow: 'spool/slow/input' } as const;
type Queue = keyof typeof queues;

const idsOn = (queue: Queue): string[] => {
  const directory = server.path(queues[queue]);
  const names = existsSync(directory) ? readdirSync(directory) : [];
  return names.filter((name) => name.endsWith('-H')).map((name) => name.slice(0, -2));
};

function move(ids: readonly string[], from: Queue, to: Queue) {
  const words = ['-C', server.path('config'), `-qG${from}`, '-MG', to, ...ids];
  return spawn(join(bin, 'exim'), words, { stdio: 'ignore' });
}

test(`After ${kills} kills within moves each message is on one queue, and is delivered once`, async (t) => {
  server.configure({
    routers: '\nhere:\n  driver = accept\n  transport = mail\n',
    transports: `
mail:
  driver = appendfile
  directory = ${server.directory}/mail/ann
  maildir_format
  user = ${account.user}
`,
  });
  const wanted = Array.from({ length: most }, (_, i) => `m-${i}`);
  const letter = (name: string): string =>
    `MAIL FROM:<a@b.example>\nRCPT TO:<ann@x.example>\nDATA\nSubject: ${name}\n\n${`body of ${name}\n`.repeat(50)}.\n`;
  server.run(['-bs', '-odq'], `EHLO c.example\n${wanted.map(letter).join('')}QUIT\n`);
  assert.equal(idsOn('').length, most, server.log('main').slice(-2000));
  const broken = { early: 0, within: 0, late: 0 };
  let [from, to]: [Queue, Queue] = ['', 'slow'];
  for (let kill = 0; kill < kills; kill++) {
    const ids = idsOn(from);
    const child = move(ids, from, to);
    const ended = once(child, 'exit');
    const before = idsOn(to).length;
    // the start takes its time; from when the first has moved on, a moment is chosen
    for (let turn = 0; turn < 2000 && child.exitCode === null && idsOn(to).length === before; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
    child.kill('SIGKILL');
    await ended;
    const left: string[] = idsOn(from);
    const moved: string[] = idsOn(to);
    assert.deepEqual(
      left.filter((id) => moved.includes(id)),
      [],
      'on both queues',
    );
    assert.equal(left.length + moved.length, most, 'lost');
    broken[left.length === 0 ? 'late' : moved.length === before ? 'early' : 'within']++;
    if (left.length === 0) [from, to] = [to, from];
  }
  t.diagnostic(`${broken.within} kills fell into a move, ${broken.late} behind it, ${broken.early} before it`);
  assert.ok(broken.within > 0, 'a kill fell into a move');
  server.run(['-qGslow']);
  server.run(['-q']);
  const subjects = server.mail('ann').map((text) => /^Subject: (.*)$/m.exec(text)?.[1] ?? '');
  assert.deepEqual(subjects.sort(), [...wanted].sort());
  assert.deepEqual([...idsOn(''), ...idsOn('slow')], []);
});
