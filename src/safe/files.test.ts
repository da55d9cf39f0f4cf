import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, test } from 'node:test';
import { TestDirectory } from '../lib/test-directory.ts';
import * as files from './files.ts';
import { SqlFile } from './sql.ts';
import { literal } from './taint.ts';

const directory = new TestDirectory();
after(() => directory.remove());

/** The names in the test's directory, octet by octet. */
const names = (): string[] =>
  readdirSync(directory.path, { encoding: 'buffer' }).map((name) => name.toString('latin1'));

test('a name is octets: the file has just those, whatever they mean', () => {
  for (const name of ['caf\xe9', 'caf\xc3\xa9', '\xff\x80\xfe', 'a\xa0b']) {
    const path = directory.write(name, 'text');
    assert.deepEqual(names(), [name]);
    assert.equal(files.readText(path), 'text');
    assert.deepEqual([...files.list(directory.path)], [name]);
    assert.equal(files.realPath(path), path);
    assert.equal(files.remove(path), true);
  }
});

test('every call takes such names, those of directories, too', async () => {
  const inner = directory.file('d\xefr');
  assert.equal(files.makeDirectories(inner, 0o700), true);
  assert.equal(files.makeDirectory(inner, 0o700), false);
  assert.deepEqual(names(), ['d\xefr']);
  const [one, two] = [directory.file('d\xefr/\xe91'), directory.file('d\xefr/\xe92')];
  await files.replace(one, 'text', 0o640);
  files.makeLink(one, two);
  files.setMode(two, 0o600);
  files.setTime(two, 1_000_000_000_000);
  files.setOwner(two, process.getuid?.() ?? 0, process.getgid?.() ?? 0);
  assert.equal(files.stat(one)?.mtimeMs, 1_000_000_000_000);
  assert.equal(files.linkStat(one)?.mode, 0o100600);
  assert.equal(files.mayAccess(one, 'r'), true);
  assert.ok(files.space(inner).inodes >= 0);
  assert.deepEqual([...files.list(inner)].sort(), ['\xe91', '\xe92']);
  assert.equal(files.realPath(two), two);
  files.rename(two, one);
  files.removeIfPossible(two);
  assert.equal(files.remove(one), true);
  await files.syncDirectory(inner);
  files.removeDirectory(inner);
  assert.deepEqual(names(), []);
});

test('a name in UTF-8 and the same name in Latin-1 are two files', () => {
  const utf8 = directory.write('\xc3\xa9', 'utf-8');
  assert.equal(files.stat(directory.file('\xe9')), undefined);
  files.remove(utf8);
});

test('an SQLite file may have such a name', () => {
  const path = directory.file('t\xe9');
  const file = new SqlFile(path, 0);
  file.execute(literal('create table t(a)'));
  file.close();
  assert.ok(names().includes('t\xe9'));
  for (const name of files.list(directory.path)) files.remove(directory.file(name));
});
