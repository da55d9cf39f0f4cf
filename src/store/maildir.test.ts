import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { reviewed } from '../safe/taint.ts';
import { type Mailbox, pieceSize } from './mailbox.ts';
import { directorySize } from './mailbox-size.ts';
import { openMaildir } from './maildir.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tabella-maildir-'));
  for (const part of ['new', 'cur', 'tmp']) mkdirSync(join(directory, part));
});
afterEach(() => rmSync(directory, { recursive: true }));

function put(name: string, text: string): void {
  writeFileSync(Buffer.from(join(directory, name), 'latin1'), text, 'latin1');
}

const names = (part: string): string[] => readdirSync(join(directory, part), { encoding: 'latin1' }).sort();

async function open(): Promise<Mailbox> {
  const opened = await openMaildir(reviewed(directory, 'a name of the tests'));
  assert.equal(opened.outcome, 'opened');
  return opened.mailbox;
}

/** The stored octets of a message, or nothing when it is gone. */
async function textOf(mailbox: Mailbox, message: number): Promise<string | undefined> {
  let found = '';
  for (;;) {
    const piece = await mailbox.read(message, found.length);
    if (piece.outcome === 'gone') return undefined;
    found += piece.octets.toString('latin1');
    if (piece.isLast) return found;
  }
}

describe('A maildir', () => {
  it('shows what is new and what is current, in the order of delivery, with octets as they are sent', async () => {
    put('cur/1700000002.M5P1.h:2,S', 'a\r\nb\r\n');
    put('new/1700000001.M40P1.h', 'one\ntwo\n');
    put('new/1700000001.M5P1.h,S=3', 'abc');
    put('new/.hidden', 'x');
    put('tmp/1700000000.M5P1.h', 'x');
    mkdirSync(join(directory, 'cur/1700000003.folder'));
    symlinkSync('/etc/passwd', join(directory, 'new/1700000004.link'));
    const mailbox = await open();
    assert.deepEqual(mailbox.messages, [
      { octets: 5, uniqueId: '1700000001.M5P1.h,S=3' },
      { octets: 10, uniqueId: '1700000001.M40P1.h' },
      { octets: 6, uniqueId: '1700000002.M5P1.h' },
    ]);
    assert.equal(await textOf(mailbox, 1), 'one\ntwo\n');
  });

  it('that is not there yet is empty', async () => {
    rmSync(join(directory, 'new'), { recursive: true });
    rmSync(join(directory, 'cur'), { recursive: true });
    assert.deepEqual((await open()).messages, []);
  });

  it('believes the size in a name when the other one agrees with the file', async () => {
    put('new/1.M1.h,S=4,W=6', 'a\nb\n');
    put('new/2.M1.h,S=5,W=7', 'a\nb\n');
    put('new/3.M1.h,S=4,W=999', 'a\nb\n');
    assert.deepEqual(
      (await open()).messages.map(({ octets }) => octets),
      [6, 6, 6],
    );
  });

  it('gives names that cannot be sent another id, which stays when flags are set', async () => {
    put('new/1.\x01\xff name', 'x');
    put(`new/2.${'y'.repeat(100)}`, 'x');
    const ids = (await open()).messages.map(({ uniqueId }) => uniqueId);
    for (const id of ids) assert.match(id, /^=[A-Za-z0-9_-]{43}$/);
    assert.equal(new Set(ids).size, 2);
    renameSync(
      Buffer.from(`${directory}/new/1.\x01\xff name`, 'latin1'),
      Buffer.from(`${directory}/cur/1.\x01\xff name:2,RS`, 'latin1'),
    );
    assert.deepEqual(
      (await open()).messages.map(({ uniqueId }) => uniqueId),
      ids,
    );
    const mailbox = await open();
    assert.equal(await textOf(mailbox, 0), 'x');
    assert.deepEqual(await mailbox.commit({ removed: [0, 1], seen: [] }), { outcome: 'done', left: 0 });
    assert.deepEqual([...names('new'), ...names('cur')], []);
  });

  it('finds a message that another reader has renamed, and misses one that he has removed', async () => {
    put('new/1.a', 'a');
    put('new/2.b', 'b');
    const mailbox = await open();
    renameSync(join(directory, 'new/1.a'), join(directory, 'cur/1.a:2,S'));
    rmSync(join(directory, 'new/2.b'));
    assert.equal(await textOf(mailbox, 0), 'a');
    assert.equal(await textOf(mailbox, 1), undefined);
    assert.deepEqual(await mailbox.commit({ removed: [0, 1], seen: [] }), { outcome: 'done', left: 0 });
    assert.deepEqual(names('cur'), []);
  });

  it('does not send a file that has another size than it had', async () => {
    put('new/1.a', 'a');
    const mailbox = await open();
    put('new/1.a', 'aa');
    assert.equal(await textOf(mailbox, 0), undefined);
  });

  it('changes nothing before the commit; then what was read is current and seen, what came meanwhile is untouched', async () => {
    put('new/1.a', 'a');
    put('new/2.b', 'b');
    put('cur/3.c:2,FR', 'c');
    put('new/4.d', 'd');
    const mailbox = await open();
    assert.equal(await textOf(mailbox, 0), 'a');
    put('new/5.e', 'e');
    assert.deepEqual(names('new'), ['1.a', '2.b', '4.d', '5.e']);
    assert.deepEqual(await mailbox.commit({ removed: [3], seen: [0, 2] }), { outcome: 'done', left: 3 });
    assert.deepEqual(names('new'), ['2.b', '5.e']);
    assert.deepEqual(names('cur'), ['1.a:2,S', '3.c:2,FRS']);
  });

  it('notes removals in its size file, if it has one', async () => {
    put('new/1.a,S=100', 'abc');
    put('new/2.b', 'abcd');
    put('new/3.c', 'abcd');
    await (await open()).commit({ removed: [2], seen: [] });
    put('maildirsize', '1000S,0C\n104 2\n');
    await (await open()).commit({ removed: [0, 1], seen: [] });
    assert.equal(readFileSync(join(directory, 'maildirsize'), 'latin1'), '1000S,0C\n104 2\n-104 -2\n');
  });

  it('reads a large message piece by piece', async () => {
    const whole = `${'x'.repeat(99)}\n`.repeat(20_000);
    put('new/1.a', whole);
    const mailbox = await open();
    assert.equal(mailbox.messages[0]?.octets, whole.length + 20_000);
    const first = await mailbox.read(0, 0);
    assert.ok(first.outcome === 'read' && !first.isLast && first.octets.length < whole.length / 4);
    assert.equal(await textOf(mailbox, 0), whole);
  });

  describe('with many messages', () => {
    const kept = (): string => join(directory, '.tabella-sizes');
    const fill = (): void => {
      for (let number = 0; number < 60; number++) put(`cur/${1700000000 + number}.M1P1.h:2,S`, `${number}\nx\n`);
    };
    /** Directories must have been at rest for a while before a listing of them is kept in memory. */
    const rest = (): void => {
      for (const part of ['new', 'cur']) utimesSync(join(directory, part), 1700000000, 1700000000);
    };

    it('keeps their sizes, and believes them, so that they need not be read', async () => {
      fill();
      const first = await open();
      assert.equal(first.messages[0]?.octets, 6);
      const text = readFileSync(kept(), 'latin1');
      writeFileSync(kept(), text.replace('4 6 1700000000.M1P1.h\n', '4 7 1700000000.M1P1.h\n'));
      assert.equal((await open()).messages[0]?.octets, 7);
      assert.equal((await open()).messages[59]?.octets, 7);
    });

    it('reads them again when what was kept is damaged, or wrong', async () => {
      fill();
      await open();
      const text = readFileSync(kept(), 'latin1');
      for (const damaged of ['', text.slice(0, -3), text.replaceAll(' ', '_'), 'x'.repeat(100)]) {
        writeFileSync(kept(), damaged);
        assert.equal((await open()).messages[0]?.octets, 6);
      }
      // somebody has changed a message in place: it is not sent as another one, and the next reader has it as it is
      put('cur/1700000003.M1P1.h:2,S', 'changed\n');
      const mailbox = await open();
      assert.equal(mailbox.messages[3]?.octets, 6);
      assert.equal((await mailbox.read(3, 0)).outcome, 'gone');
      const next = await open();
      assert.equal(next.messages[3]?.octets, 9);
      assert.equal(await textOf(next, 3), 'changed\n');
    });

    it('remembers what was there until a directory changes', async () => {
      fill();
      rest();
      const first = await open();
      first.close();
      rmSync(kept());
      assert.equal((await open()).messages, first.messages);
      put('new/1700000100.M1P1.h', 'later\n');
      assert.equal((await open()).messages.length, 61);
      rest();
      rmSync(join(directory, 'cur/1700000000.M1P1.h:2,S'));
      assert.equal((await open()).messages.length, 60);
    });

    it('leaves what is kept out when it is summed up', () => {
      fill();
      const before = directorySize(reviewed(directory, 'a name of the tests'), undefined);
      writeFileSync(kept(), 'x'.repeat(1000));
      assert.deepEqual(directorySize(reviewed(directory, 'a name of the tests'), undefined), before);
    });
  });

  it('sends a message whole that is removed meanwhile', async () => {
    put('new/1.h', 'x'.repeat(pieceSize + 10));
    const mailbox = await open();
    const first = await mailbox.read(0, 0);
    assert.ok(first.outcome === 'read' && !first.isLast);
    rmSync(join(directory, 'new/1.h'));
    const second = await mailbox.read(0, pieceSize);
    assert.ok(second.outcome === 'read' && second.octets.length === 10 && second.isLast);
    assert.equal((await mailbox.read(0, 0)).outcome, 'gone');
  });
});
