/**
 * Memory does not grow with what passes through or lies around: a large message, a long queue, large tables. Each is
 * compared with a small one, so that what the program needs for any mail at all does not count. The queue has 100,000
 * messages; TABELLA_QUEUE says another length.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { account, bin, run, TestServer, waitFor } from './server.ts';
import { SmtpClient } from './smtp-client.ts';

const megabyte = 1024;
const queueLength = Number(process.env['TABELLA_QUEUE'] ?? 100_000);
/** What a queue is compared with. */
const shortQueue = 1000;
const tableKeys = 1_000_000;
/** What a table is compared with. */
const fewKeys = 1000;
const lookups = 5000;

/** How far the daemon's memory rose at most, in kilobytes, while something was done. */
async function growth(server: TestServer, act: () => Promise<void>): Promise<number> {
  // the highest mark counts from here
  writeFileSync(`/proc/${server.pid}/clear_refs`, '5');
  const before = server.memory('VmRSS');
  await act();
  return server.memory('VmHWM') - before;
}

/** The highest memory of a command, in kilobytes, and what it wrote. */
async function measure(words: readonly string[]): Promise<{ peak: number; lines: number; status: number | null }> {
  const child = spawn(join(bin, 'exim'), words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let peak = 0;
  let lines = 0;
  const look = (): void => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      peak = Math.max(peak, Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0));
    } catch {
      // it has ended
    }
  };
  const timer = setInterval(look, 5);
  child.stdout.on('data', (chunk: Buffer) => {
    look();
    for (const octet of chunk) if (octet === 0x0a) lines++;
  });
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  clearInterval(timer);
  return { peak, lines, status };
}

let server: TestServer;

before(async () => {
  server = await TestServer.make();
});
afterEach(() => server.stop());
after(() => server.remove());

async function sendSmall(count: number, user = 'eve'): Promise<void> {
  // a connection brings ten messages that are delivered at once
  for (let sent = 0; sent < count; sent += 10) {
    const client = await SmtpClient.greet(server.port);
    for (let n = 0; n < 10; n++) {
      await client.message('a@b.example', [`${user}@x.example`], `Subject: small\n\n${'small\n'.repeat(100)}`);
    }
    await client.quit();
  }
}

test('A message of 50 MB raises the memory of the daemon by less than 10 MB', async (t) => {
  await server.start();
  // the program is as large as it gets for mail that is not large
  await sendSmall(200);
  await waitFor('delivery', () => server.mail('eve').length === 200);
  const line = `${'0123456789abcdef'.repeat(4)}\r\n`;
  const block = Buffer.from(line.repeat(1000));
  const rose = await growth(server, async () => {
    const client = await SmtpClient.greet(server.port);
    await client.say('MAIL FROM:<a@b.example>', 250);
    await client.say('RCPT TO:<ann@x.example>', 250);
    await client.say('DATA', 354);
    await client.send('Subject: large\r\n\r\n');
    for (let sent = 0; sent + block.length < 50_000_000; sent += block.length) await client.send(block);
    assert.match(await client.say('.'), /^250 /);
    await client.quit();
    await server.logs(/mail\/ann\/ <ann@x\.example>.*\n.*Completed/);
  });
  const directory = server.path('mail/ann/new');
  const digest = createHash('md5');
  let size = 0;
  for await (const piece of createReadStream(join(directory, readdirSync(directory)[0] ?? ''))) {
    digest.update(piece);
    size += piece.length;
  }
  assert.ok(size > 48_000_000, `${size} octets arrived`);
  t.diagnostic(`the daemon rose by ${(rose / megabyte).toFixed(1)} MB`);
  await server.stop();
  assert.ok(rose < 10 * megabyte, `${(rose / megabyte).toFixed(1)} MB`);
});

test('A signed message of 50 MB in a single line raises the memory of the daemon by less than 10 MB', async (t) => {
  server.configure({ main: 'log_selector = +dkim_verbose' });
  await server.start();
  const tags = 'd=b.example; s=s; h=From:To; bh=AAAA; b=AAAA';
  const signatures = ['relaxed', 'simple'].map(
    (form) => `DKIM-Signature: v=1; a=rsa-sha256; c=${form}/${form}; ${tags}\r\n`,
  );
  const blocks = [Buffer.alloc(64_000, 'x'), Buffer.alloc(64_000, ' ')];
  const send = async (user: string, pieces: number): Promise<void> => {
    const client = await SmtpClient.greet(server.port);
    await client.say('MAIL FROM:<a@b.example>', 250);
    await client.say(`RCPT TO:<${user}@x.example>`, 250);
    await client.say('DATA', 354);
    await client.send(`${signatures.join('')}Subject: one line\r\n\r\n`);
    for (let sent = 0; sent < pieces; sent++) await client.send(blocks[sent % 20 === 0 ? 1 : 0] ?? '');
    assert.match(await client.say('\r\n.'), /^250 /);
    await client.quit();
  };
  // the program is as large as it gets for signed mail that is not large
  for (let sent = 0; sent < 100; sent++) await send('ben', 2);
  await waitFor('delivery', () => server.mail('ben').length === 100);
  const rose = await growth(server, async () => {
    await send('ann', 800);
    await server.logs(/mail\/ann\/ <ann@x\.example>[\s\S]*mail\/ann\/ <ann@x\.example>/);
  });
  assert.match(server.log(), /DKIM: d=b\.example s=s c=simple\/simple [^\n]*body hash mismatch/);
  t.diagnostic(`the daemon rose by ${(rose / megabyte).toFixed(1)} MB`);
  await server.stop();
  server.configure({});
  assert.ok(rose < 10 * megabyte, `${(rose / megabyte).toFixed(1)} MB`);
});

/** A message of the queue, as the daemon would have written it. */
function writeQueued(n: number): void {
  const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  const digits = (value: number, length: number): string =>
    length === 0 ? '' : digits(Math.floor(value / 62), length - 1) + (base62[value % 62] ?? '');
  const at = Math.floor(Date.now() / 1000) - 3600;
  const id = `${digits(at, 6)}-${digits(4242, 11)}-${digits(n, 4)}`;
  const header = `From: <sender${n}@b.example>\nTo: <someone@far.example>\nSubject: waiting ${n}\nMessage-Id: <${n}@b.example>\n`;
  const lines = header.replace(
    /^.*\n/gm,
    (line) =>
      `${String(line.length).padStart(3, '0')}${line.startsWith('From') ? 'F' : line.startsWith('To') ? 'T' : line.startsWith('Mess') ? 'I' : ' '} ${line}`,
  );
  const frozen = n % 10 === 0 ? '' : `-frozen ${at}\n`;
  const envelope = `${account.user} ${account.uid} ${account.gid}\n<sender${n}@b.example>\n${at} 0\n-received_time_usec .000001\n-body_linecount 1\n-max_received_linelength 30\n${frozen}XX\n1\nsomeone${n}@far.example\n\n`;
  server.write(`spool/input/${id}-D`, `${id}-D\nbody ${n}\n`);
  server.write(`spool/input/${id}-H`, `${id}-H\n${envelope}${lines}`);
}

/** The highest memory of -bp, of -q and of the daemon's own queue run, in kilobytes, with what is in the queue now. */
async function measureQueue(length: number): Promise<Record<string, number>> {
  const words = ['-C', server.path('config')];
  const list = await measure([...words, '-bp']);
  assert.equal(list.status, 0);
  assert.equal(list.lines, length * 3);
  assert.equal(run('exim', [...words, '-bpc']).stdout, `${length}\n`);
  const queueRun = await measure([...words, '-q']);
  assert.equal(queueRun.status, 0);
  await server.start(['-q1h']);
  await waitFor('the queue run of the daemon', () => server.log().includes(`End queue run: pid=${server.pid}`), 400);
  const daemon = server.memory('VmHWM');
  await server.stop();
  return { '-bp': list.peak, '-q': queueRun.peak, daemon };
}

test(`A queue of ${queueLength} messages raises the memory of -bp, -q and the daemon by less than 50 MB`, async (t) => {
  // one in ten is not frozen: its host is down
  server.configure({
    main: 'log_selector = -skip_delivery',
    routers:
      'far:\n  driver = manualroute\n  domains = far.example\n  route_list = * 127.0.0.1\n  transport = remote\n  self = send\n',
    transports: 'remote:\n  driver = smtp\n  port = 1\n  allow_localhost\n  connect_timeout = 1s\n',
  });
  server.makeDirectory('spool/input');
  for (let n = 0; n < shortQueue; n++) writeQueued(n);
  const short = await measureQueue(shortQueue);
  for (let n = shortQueue; n < queueLength; n++) writeQueued(n);
  const long = await measureQueue(queueLength);
  assert.match(server.log(), /someone10@far\.example R=far T=remote defer/);
  assert.equal(readdirSync(server.path('spool/input')).filter((name) => name.endsWith('-H')).length, queueLength);
  const rises = Object.keys(long).map((what) => [what, (long[what] ?? 0) - (short[what] ?? 0)] as const);
  for (const [what, rise] of rises) t.diagnostic(`${what} rose by ${(rise / megabyte).toFixed(1)} MB`);
  for (const [what, rise] of rises) assert.ok(rise < 50 * megabyte, `${what}: ${rise} kB`);
});

test(`A cdb and a dbm table of ${tableKeys} keys raise the memory of the daemon by less than 50 MB`, async (t) => {
  const source = server.path('large');
  const out = createWriteStream(source);
  for (let from = 0; from < tableKeys; from += 10_000) {
    const lines = Array.from({ length: 10_000 }, (_, n) => `user${from + n}: ${server.directory}/mail/shared/\n`);
    if (!out.write(lines.join(''))) await new Promise((resolve) => out.once('drain', () => resolve(undefined)));
  }
  await new Promise((resolve) => out.end(() => resolve(undefined)));
  const few = server.write('few', readFileSync(source, 'latin1').split('\n', fewKeys).join('\n'));
  const build = (words: readonly string[], from: string, table: string, entries: number): void => {
    const built = run('exim_dbmbuild', [...words, from, server.path(table)]);
    assert.equal(built.stdout, `${entries} entries written\n`, built.stderr);
  };
  for (const [suffix, words] of [
    ['db', []],
    ['cdb', ['-nozero']],
  ] as const) {
    build(words, source, `large.${suffix}`, tableKeys);
    build(words, few, `few.${suffix}`, fewKeys);
  }
  mkdirSync(server.path('spool'), { recursive: true });
  const router = (kind: string, table: string): string => `
${table.replace('.', '_')}:
  driver = redirect
  domains = ${table}
  data = \${lookup{$local_part}${kind}{${server.directory}/${table}}}
  directory_transport = maildir
`;
  server.configure({
    acl: '  accept local_parts = user10 : eve\n  require verify = recipient\n  accept',
    routers: ['few.cdb', 'large.cdb', 'few.db', 'large.db']
      .map((table) => router(table.endsWith('.cdb') ? 'cdb' : 'dbm', table))
      .join(''),
  });
  await server.start();
  const client = await SmtpClient.greet(server.port);
  await client.say('MAIL FROM:<a@b.example>', 250);
  const ask = async (table: string, keys: number): Promise<number> => {
    const begun = performance.now();
    // one after the other, from all over the table
    for (let n = 0; n < lookups; n++) {
      await client.say(`RCPT TO:<user${((n + 11) * 7919) % keys}@${table}>`, 250);
    }
    return (performance.now() - begun) / lookups;
  };
  for (const kind of ['cdb', 'db'] as const) {
    // the program is as large as it gets for a small table
    await ask(`few.${kind}`, fewKeys);
    let time = 0;
    const rose = await growth(server, async () => {
      time = await ask(`large.${kind}`, tableKeys);
    });
    t.diagnostic(
      `${kind}: ${time.toFixed(3)} ms for a RCPT command with its answer; the daemon rose by ${(rose / megabyte).toFixed(1)} MB`,
    );
    assert.ok(rose < 50 * megabyte, `${kind}: ${rose} kB`);
    assert.match(await client.say(`RCPT TO:<nobody@large.${kind}>`), /^550 /);
  }
  await client.quit();
  await server.stop();
});
