import assert from 'node:assert/strict';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { cdb } from '../../lookups/cdb.ts';
import { dbm, dbmnz } from '../../lookups/dbm.ts';
import { Lookups } from '../../lookups/lookups.ts';
import { found } from '../../lookups/single-key-contract.ts';
import { UsageError } from '../options.ts';
import { rebuildCommand } from './rebuild.ts';

const above = mkdtempSync(join(tmpdir(), 'tabella-rebuild-'));
const lookups = new Lookups([dbm, dbmnz, cdb], 5);
after(() => {
  lookups.close();
  rmSync(above, { recursive: true });
});
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(above, 'tables-'));
});

const at = (name: string): string => join(directory, name);
/** A text that was written so many seconds ago. */
function text(name: string, content: string, ago = 100): string {
  writeFileSync(at(name), content, 'latin1');
  const then = Math.floor(Date.now() / 1000) - ago;
  utimesSync(at(name), then, then);
  return at(name);
}
const list = (...lines: readonly string[]): string => text('tables.conf', lines.map((line) => `${line}\n`).join(''));
const value = (key: string, name: string, type = 'dbm'): Promise<string> => found(lookups, type, key, at(name));

async function run(...words: readonly string[]) {
  let [out, err] = ['', ''];
  const status = await rebuildCommand(words, {
    out(said) {
      out += said;
    },
    error(said) {
      err += said;
    },
  });
  const short = (said: string): string => said.replaceAll(`${directory}/`, '');
  return { status, out: short(out), err: short(err) };
}

test('a table whose text is newer is made, and only that', async () => {
  list('aliases aliases.db', 'users users.db');
  text('aliases', 'a: one\n');
  text('users', 'u: one\nv: two\n');
  const first = await run(directory);
  assert.deepEqual(first, {
    status: 0,
    out: 'aliases.db: made with 1 entry (there is no table)\nusers.db: made with 2 entries (there is no table)\n',
    err: '',
  });
  assert.deepEqual(await run(directory), { status: 0, out: '', err: '' });
  const untouched = statSync(at('users.db')).ino;
  text('aliases', 'a: two\n', 50);
  assert.equal((await run(directory)).out, 'aliases.db: made with 1 entry (the text is newer)\n');
  assert.equal(await value('a', 'aliases.db'), 'two');
  assert.equal(statSync(at('users.db')).ino, untouched);
});

test('a text from a backup, older than its table, counts as changed', async () => {
  list('aliases aliases.db');
  text('aliases', 'a: new\n', 50);
  await run(directory);
  text('aliases', 'a: old\n', 100_000);
  assert.match((await run(directory)).out, /made with 1 entry \(the table is not of this text\)/);
  assert.equal(await value('a', 'aliases.db'), 'old');
});

test('a mistake in a text is told with its line, the old table stays, the others are made, and the status is 1', async () => {
  list('aliases aliases.db', 'users users.db');
  text('aliases', 'a: one\n');
  await run(directory);
  text('aliases', 'a: two\n\nb: x\nA: y\n', 50);
  text('users', 'u: one\n');
  const { status, out, err } = await run(directory);
  assert.equal(status, 1);
  assert.equal(out, 'users.db: made with 1 entry (there is no table)\n');
  assert.match(err, /^aliases:4: duplicate key "a"\naliases: 1 duplicate key \(-noduperr or -lastdup /);
  assert.match(err, /\naliases\.db: the old table stays as it is\n$/);
  assert.equal(await value('a', 'aliases.db'), 'one');
  assert.deepEqual(readdirSync(directory).sort(), ['aliases', 'aliases.db', 'tables.conf', 'users', 'users.db']);
});

test('a missing text, a directory, an unreadable word: told, status 1, the old table stays', async () => {
  list('gone gone.db', 'folder folder.db', 'odd odd.db');
  mkdirSync(at('folder'));
  text('odd', '"unfinished: x\n');
  const { status, err } = await run(directory);
  assert.equal(status, 1);
  assert.match(err, /^gone: No such file or directory$/m);
  assert.match(err, /^folder: not a regular file$/m);
  assert.equal((err.match(/the old table stays as it is/g) ?? []).length >= 2, true);
});

test('a reader that has the old table open goes on reading the old one, whole', async () => {
  list('aliases aliases.db');
  text('aliases', `a: one\n`);
  await run(directory);
  const before = readFileSync(at('aliases.db'));
  const reader = openSync(at('aliases.db'), 'r');
  text('aliases', `a: ${'two'.repeat(1000)}\n`, 50);
  await run(directory);
  const seen = Buffer.alloc(before.length + 100);
  assert.equal(readSync(reader, seen, 0, seen.length, 0), before.length);
  assert.ok(seen.subarray(0, before.length).equals(before));
  assert.notEqual(statSync(at('aliases.db')).size, before.length);
});

test('the options of exim_dbmbuild stand in the list, and a cdb is made for cdb lookups', async () => {
  list('# comments and blank lines', '', 'a a.db -nolc', 'b b.db -lastdup', 'c c.cdb', 'd d.db -nozero -noduperr');
  text('a', 'Key: kept\n');
  text('b', 'k: first\nk: last\n');
  text('c', 'k: of the cdb\n');
  text('d', 'k: first\nk: last\n');
  // duplicates that are asked for are no mistakes; -lastdup alone is
  const { status, err } = await run(directory);
  assert.equal(status, 1);
  assert.match(err, /^b:2: duplicate key/m);
  list('a a.db -nolc', 'b b.db -lastdup -noduperr', 'c c.cdb', 'd d.db -nozero -noduperr');
  assert.equal((await run(directory)).status, 0);
  assert.deepEqual(
    [await value('Key', 'a.db'), await value('key', 'a.db'), await value('k', 'b.db')],
    ['kept', 'not found', 'last'],
  );
  assert.deepEqual([await value('k', 'c.cdb', 'cdb'), await value('k', 'd.db', 'dbmnz')], ['of the cdb', 'first']);
});

test('a changed list makes its tables anew', async () => {
  list('a a.db');
  text('a', 'Key: x\n');
  await run(directory);
  writeFileSync(at('tables.conf'), 'a a.db -nolc\n');
  const later = Date.now() / 1000 + 5;
  utimesSync(at('tables.conf'), later, later);
  assert.match((await run(directory)).out, /a\.db: made with 1 entry \(.*tables\.conf has changed\)/);
  assert.equal(await value('Key', 'a.db'), 'x');
});

test('mistakes in the list are told with their lines', async () => {
  list('a', 'a a', 'a a.db -what', 'b b.db', 'c b.db');
  text('b', 'k: v\n');
  const { status, err, out } = await run(directory);
  assert.equal(status, 1);
  assert.match(err, /^tables\.conf:1: no table is named behind "a"$/m);
  assert.match(err, /^tables\.conf:2: text and table have the same name$/m);
  assert.match(err, /^tables\.conf:3: "-what" is none of -nolc, /m);
  assert.match(err, /^tables\.conf:5: b\.db is listed twice$/m);
  assert.match(out, /^b\.db: made/);
});

test('without a list a table beside its text is made; a directory without any is a mistake', async () => {
  text('a', 'k: v\n');
  text('a.db', '', 5000);
  text('readme', 'x\n');
  assert.match((await run(directory)).out, /^a\.db: made with 1 entry \(the text is newer\)\n$/);
  rmSync(at('a.db'));
  const { status, err } = await run(directory);
  assert.equal(status, 1);
  assert.match(err, /it holds no tables\.conf, and no table beside its text/);
});

test('one text or one table may be named', async () => {
  list('a a.db', 'b b.db');
  for (const name of ['a', 'b']) text(name, 'k: v\n');
  assert.match((await run(at('a'))).out, /^a\.db: made/);
  assert.match((await run(at('b'))).out, /^b\.db: made/);
  assert.match((await run('--all', at('a.db'))).out, /^$/);
  assert.match(
    (await run('--all', '-v', at('a.db'))).out,
    /^a\.db: nothing has changed \(it was asked for, 1 entry\)\n$/,
  );
  text('c', 'k: v\n');
  assert.match((await run(at('c'))).err, /c: no table is made of it/);
  assert.match((await run(at('nowhere'))).err, /nowhere: No such file or directory/);
});

test('a dry run says what would be made and makes nothing', async () => {
  list('a a.db');
  text('a', 'k: v\n');
  assert.equal((await run('--dry-run', directory)).out, 'a.db: would be made with 1 entry (there is no table)\n');
  assert.deepEqual(readdirSync(directory).sort(), ['a', 'tables.conf']);
  text('a', 'k: v\nk: w\n');
  assert.equal((await run('-n', directory)).status, 1);
});

test('-v names the tables that are up to date, too', async () => {
  list('a a.db');
  text('a', 'k: v\n');
  await run(directory);
  assert.equal((await run('-v', directory)).out, 'a.db: up to date\n');
});

test('a new table is read by whom the text is read, an old one keeps its mode, and a link stays a link', async () => {
  list('a a.db');
  text('a', 'k: v\n');
  chmodSync(at('a'), 0o640);
  await run(directory);
  assert.equal(statSync(at('a.db')).mode & 0o777, 0o640);
  chmodSync(at('a.db'), 0o600);
  mkdirSync(at('real'));
  text('real/a.db', '', 5000);
  rmSync(at('a.db'));
  symlinkSync('real/a.db', at('a.db'));
  chmodSync(at('real/a.db'), 0o604);
  text('a', 'k: w\n', 50);
  await run(directory);
  assert.ok(lstatSync(at('a.db')).isSymbolicLink());
  assert.equal(statSync(at('real/a.db')).mode & 0o777, 0o604);
  assert.equal(await value('k', 'a.db'), 'w');
});

test('a text that was changed a moment ago is looked at again by the next run', async () => {
  list('a a.db');
  text('a', 'k: v\n', 0);
  await run(directory);
  assert.match((await run('-v', directory)).out, /^a\.db: nothing has changed \(/);
});

test('something must be named, and only known options', async () => {
  await assert.rejects(run(), UsageError);
  await assert.rejects(run('--nonsense', directory), UsageError);
});
