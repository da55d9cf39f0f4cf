import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { literal, reviewed } from '../safe/taint.ts';
import type { Mailbox, MailboxPlace } from './mailbox.ts';
import { openMbox } from './mbox.ts';

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tabella-mbox-'));
  path = join(directory, 'ann');
});
afterEach(() => rmSync(directory, { recursive: true }));

const place = (): MailboxPlace => ({
  format: 'mbox',
  allowSymlink: false,
  path: reviewed(path, 'a name of the tests'),
  hostname: literal('h.test'),
  lock: {
    lockFile: true,
    lockFileMode: 0o600,
    lockFileTimeout: 1800,
    fcntl: true,
    flock: false,
    mbx: false,
    retries: 1,
    interval: 1,
    fcntlTimeout: 0,
    flockTimeout: 0,
  },
});

const fromLine = 'From a@b.example Tue Mar  3 10:00:00 2026\n';
const put = (...messages: readonly string[]): void =>
  writeFileSync(path, messages.map((message) => `${fromLine}${message}\n`).join(''), 'latin1');
const add = (message: string): void => appendFileSync(path, `${fromLine}${message}\n`, 'latin1');
const whole = (): string => readFileSync(path, 'latin1');

async function open(): Promise<Mailbox> {
  const opened = await openMbox(place());
  assert.equal(opened.outcome, 'opened');
  return opened.mailbox;
}

async function text(mailbox: Mailbox, message: number): Promise<string | undefined> {
  let found = '';
  for (;;) {
    const piece = await mailbox.read(message, found.length);
    if (piece.outcome === 'gone') return undefined;
    found += piece.octets.toString('latin1');
    if (piece.isLast) return found;
  }
}

async function texts(mailbox: Mailbox): Promise<(string | undefined)[]> {
  const found: (string | undefined)[] = [];
  for (const number of mailbox.messages.keys()) found.push(await text(mailbox, number));
  return found;
}

const ids = (mailbox: Mailbox): string[] => mailbox.messages.map(({ uniqueId }) => uniqueId);

describe('A mailbox file', () => {
  it('shows its messages without the From lines and without the empty line behind each', async () => {
    put('Subject: a\n\nbody\n', 'Subject: b\n\n>From me\nFrom nowhere\n\nFrom here on\n\n');
    const mailbox = await open();
    assert.deepEqual(await texts(mailbox), [
      'Subject: a\n\nbody\n',
      'Subject: b\n\n>From me\nFrom nowhere\n\nFrom here on\n\n',
    ]);
    assert.equal(mailbox.messages[0]?.octets, 'Subject: a\r\n\r\nbody\r\n'.length);
    mailbox.close();
  });

  it('that is not there, or empty, has no messages', async () => {
    assert.deepEqual((await open()).messages, []);
    assert.ok(!existsSync(path));
    writeFileSync(path, '');
    assert.deepEqual((await open()).messages, []);
    writeFileSync(path, '\n\n');
    assert.deepEqual((await open()).messages, []);
  });

  it('is refused when it is something else', async () => {
    writeFileSync(path, '*mbx*\r\n');
    const opened = await openMbox(place());
    assert.ok(opened.outcome === 'failed' && /does not begin with a From line/.test(opened.message));
  });

  it('is in use while a delivery has the lock', async () => {
    put('a: 1\n\n');
    writeFileSync(`${path}.lock`, '');
    const opening = openMbox(place());
    setTimeout(() => rmSync(`${path}.lock`), 500);
    assert.equal((await opening).outcome, 'opened');
    assert.deepEqual(readdirSync(directory), ['ann']);
  });

  it('knows messages by ids that survive removals, flags and new mail, and differ for equal messages', async () => {
    put('a: 1\n\nx\n', 'a: 2\n\nx\n', 'a: 2\n\nx\n', 'a: 3\n\nx\n');
    const mailbox = await open();
    const before = ids(mailbox);
    assert.equal(new Set(before).size, 4);
    for (const id of before) assert.match(id, /^[!-~]{1,70}$/);
    await mailbox.commit({ removed: [0], seen: [] });
    add('a: 4\n\nx\n');
    assert.deepEqual(ids(await open()).slice(0, 3), before.slice(1));
    put('a: 2\nStatus: RO\nX-Keywords: x\n y\n\nx\n', 'a: 2\n\nx\n', 'a: 3\nX-UID: 7\n\nx\n');
    assert.deepEqual(ids(await open()), before.slice(1));
  });

  it('removes messages at the commit alone, and keeps its permissions', async () => {
    put('a: 1\n\n', 'a: 2\n\n', 'a: 3\n\n', 'a: 4\n\n');
    const mode = statSync(path).mode;
    const mailbox = await open();
    assert.deepEqual(await mailbox.commit({ removed: [1, 2], seen: [] }), { outcome: 'done', left: 2 });
    assert.equal(whole(), `${fromLine}a: 1\n\n\n${fromLine}a: 4\n\n\n`);
    assert.equal(statSync(path).mode, mode);
    assert.deepEqual(readdirSync(directory), ['ann']);
    const again = await open();
    assert.deepEqual(await again.commit({ removed: [1], seen: [] }), { outcome: 'done', left: 1 });
    assert.equal(whole(), `${fromLine}a: 1\n\n\n`);
    await (await open()).commit({ removed: [0], seen: [] });
    assert.equal(whole(), '');
  });

  it('keeps mail that came meanwhile, wherever it stands', async () => {
    put('a: 1\n\n', 'a: 2\n\n');
    const mailbox = await open();
    add('a: new\n\n');
    assert.deepEqual(await texts(mailbox), ['a: 1\n\n', 'a: 2\n\n']);
    assert.deepEqual(await mailbox.commit({ removed: [0, 1], seen: [] }), { outcome: 'done', left: 0 });
    assert.equal(whole(), `${fromLine}a: new\n\n\n`);
  });

  it('does not remove another message when somebody has rewritten it', async () => {
    put('a: 1\n\n', 'a: 2\n\n', 'a: 3\n\n');
    const mailbox = await open();
    put('a: 0\n\n', 'a: 3\nStatus: O\n\n', 'a: 2\n\n');
    assert.deepEqual(await texts(mailbox), [undefined, undefined, undefined]);
    assert.equal((await mailbox.commit({ removed: [0, 2], seen: [] })).outcome, 'done');
    assert.equal(whole(), `${fromLine}a: 0\n\n\n${fromLine}a: 2\n\n\n`);
  });

  it('that was replaced by another file is still read as it was, and loses only what is in both', async () => {
    put('a: 1\n\n', 'a: 2\n\n');
    const mailbox = await open();
    renameSync(path, `${path}.old`);
    put('a: 2\n\n', 'a: 3\n\n');
    assert.deepEqual(await texts(mailbox), ['a: 1\n\n', 'a: 2\n\n']);
    await mailbox.commit({ removed: [0, 1], seen: [] });
    assert.equal(whole(), `${fromLine}a: 3\n\n\n`);
  });

  it('that was cut short tells that a message is gone', async () => {
    put('a: 1\n\n', 'a: 2\n\n');
    const mailbox = await open();
    writeFileSync(path, whole().slice(0, 60));
    assert.deepEqual(await texts(mailbox), ['a: 1\n\n', undefined]);
  });

  it('is found to hold the messages that were put in, however long they are and wherever pieces end', async () => {
    const line = fc.oneof(
      fc.constantFrom('', 'From me', '>From you 10:00', 'x', '\r', 'Status: R', 'a: b', '.', '\xff\0'),
      fc.nat(300_000).map((length) => 'y'.repeat(length)),
    );
    // a line that looks like the beginning of a message is escaped by those who deliver
    const message = fc.array(line, { maxLength: 8 }).map((lines) => lines.map((each) => `${each}\n`).join(''));
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 6 }), async (messages) => {
        put(...messages);
        const mailbox = await open();
        assert.deepEqual(await texts(mailbox), messages);
        for (const [number, each] of messages.entries()) {
          const sent = each.replace(/(?<!\r)\n/g, '\r\n');
          assert.equal(mailbox.messages[number]?.octets, sent.length);
        }
        mailbox.close();
      }),
      { numRuns: 60 },
    );
  });

  it('keeps its index right through a commit', async () => {
    const long = (name: string): string => `Subject: ${name}\n\n${`${name}\n`.repeat(100_000)}`;
    put(long('one'), long('two'), long('three'), long('four'));
    const mailbox = await open();
    const ids = mailbox.messages.map(({ uniqueId }) => uniqueId);
    await mailbox.commit({ removed: [1], seen: [] });
    mailbox.close();
    const index = join(directory, '.ann.tabella-index');
    const kept = readFileSync(index, 'latin1');
    const again = await open();
    assert.equal(readFileSync(index, 'latin1'), kept);
    assert.deepEqual(
      again.messages.map(({ uniqueId }) => uniqueId),
      [ids[0], ids[2], ids[3]],
    );
    assert.equal(await text(again, 1), long('three'));
    await again.commit({ removed: [2], seen: [] });
    const last = await open();
    assert.equal(await text(last, 1), long('three'));
    assert.equal(last.messages.length, 2);
  });

  it('may be a symbolic link where the transport allows it, and stays one', async () => {
    const target = join(directory, 'elsewhere');
    put('one\n', 'two\n');
    renameSync(path, target);
    symlinkSync(target, path);
    const refused = await openMbox(place());
    assert.ok(refused.outcome === 'failed' && refused.lasting && /allow_symlink/.test(refused.message));
    const opened = await openMbox({ ...place(), allowSymlink: true });
    assert.ok(opened.outcome === 'opened');
    assert.deepEqual(await opened.mailbox.commit({ removed: [0], seen: [] }), { outcome: 'done', left: 1 });
    assert.ok(lstatSync(path).isSymbolicLink());
    assert.equal(readFileSync(target, 'latin1'), `${fromLine}two\n\n`);
  });
});
