import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import * as files from '../safe/files.ts';
import { reviewed } from '../safe/taint.ts';
import { findMessages, saveIndex } from './mbox-index.ts';
import { type MboxMessage, scanMbox } from './mbox-scan.ts';

let directory: string;
let path: string;
const index = (): string => join(directory, '.ann.tabella-index');

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tabella-index-'));
  path = join(directory, 'ann');
  writeFileSync(path, Array.from({ length: 300 }, (_, number) => message(number)).join(''));
});
afterEach(() => rmSync(directory, { recursive: true }));

function message(number: number): string {
  return `From a@b.example Tue Mar  3 10:00:00 2026\nSubject: ${number}\n\n${`${number} text\n`.repeat(600)}\n`;
}

const clean = () => reviewed(path, 'a name of the tests');

/** Finds the messages twice, with the index and without. */
async function find(): Promise<{ readonly found: readonly MboxMessage[]; readonly read: readonly MboxMessage[] }> {
  const file = files.open(clean());
  try {
    const stamp = files.statOpen(file);
    return { found: await findMessages(clean(), file, stamp), read: await scanMbox(file, stamp.size) };
  } finally {
    files.close(file);
  }
}

/** Changes the index so that it shows whether it was believed. */
function mark(): void {
  writeFileSync(index(), readFileSync(index(), 'latin1').replace(/[\w-]{22}\n/, `${'m'.repeat(22)}\n`));
}
const isMarked = (found: readonly MboxMessage[]): boolean => found[0]?.digest === 'm'.repeat(22);

describe('The index of a mailbox file', () => {
  it('is made for a large one, and believed as long as the mailbox is as it was', async () => {
    assert.deepEqual((await find()).found, (await find()).read);
    assert.equal(statSync(index()).mode & 0o777, 0o600);
    mark();
    assert.ok(isMarked((await find()).found));
    utimesSync(path, 1, 1);
    assert.deepEqual((await find()).found, (await find()).read);
  });

  it('is not made for a small one', async () => {
    truncateSync(path, Buffer.from(message(0)).length);
    await find();
    assert.ok(!existsSync(index()));
  });

  it('saves reading what was there when the mailbox has grown', async () => {
    await find();
    mark();
    appendFileSync(path, message(300) + message(301));
    const { found, read } = await find();
    assert.ok(isMarked(found));
    assert.deepEqual(found.slice(1), read.slice(1));
    assert.equal(found.length, 302);
  });

  it('is not believed when the mailbox was written anew, though it is longer', async () => {
    await find();
    mark();
    writeFileSync(path, Array.from({ length: 350 }, (_, number) => message(number + 7)).join(''));
    const { found, read } = await find();
    assert.deepEqual(found, read);
  });

  it('is not believed when any of it makes no sense', async () => {
    await find();
    const text = readFileSync(index(), 'latin1');
    for (const damaged of [
      '',
      text.slice(0, -30),
      text.replace(/(\n[^\n]*\n)\d+ /, '$15 '),
      text.replace(/ \d+ \d+ ([\w-]{22})\n/, ' 1 99999999 $1\n'),
      `${text}x\n`,
      text.replaceAll('\n', '\0'),
    ]) {
      writeFileSync(index(), damaged);
      const { found, read } = await find();
      assert.deepEqual(found, read);
    }
  });

  it('goes when the mailbox has become small', () => {
    saveIndex(clean(), { ino: 1, size: 2_000_000, mtimeMs: 1 }, []);
    assert.ok(existsSync(index()));
    saveIndex(clean(), { ino: 1, size: 100, mtimeMs: 1 }, []);
    assert.ok(!existsSync(index()));
  });
});
