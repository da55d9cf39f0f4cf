import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import * as clock from '../lib/clock.ts';
import { expiryRules } from '../options/expiry-rules.ts';
import { type Expired, expire } from './expire.ts';

const isRoot = process.getuid?.() === 0;
/** Whose the files are when root runs the tests: nobody's. */
const owner = 65_534;
const above = mkdtempSync(join(tmpdir(), 'tabella-expire-'));
chmodSync(above, 0o755);
after(() => rmSync(above, { recursive: true }));
let top: string;
beforeEach(() => {
  top = mkdtempSync(join(above, 'mail-'));
  own(top);
});

function own(path: string): void {
  if (isRoot) chownSync(path, owner, owner);
}

function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  makeDirectory(dirname(path));
  mkdirSync(path);
  own(path);
}

/** A file that is so many days old. */
function file(name: string, days: number, content = 'x'): string {
  const path = join(top, name);
  makeDirectory(dirname(path));
  writeFileSync(path, content);
  own(path);
  const then = Date.now() / 1000 - days * 86_400;
  utimesSync(path, then, then);
  return path;
}

interface Ran extends Expired {
  /** Paths below the top, sorted. */
  readonly files: readonly string[];
  readonly told: string;
}

async function run(rule: string, dryRun = false): Promise<Ran> {
  const reading = expiryRules('').read(rule.replaceAll('TOP', top), 'expire_rules');
  assert.ok(!('error' in reading), JSON.stringify(reading));
  const [parsed] = reading.value?.rules ?? [];
  assert.ok(parsed !== undefined);
  const files: string[] = [];
  let told = '';
  const done = await expire(parsed, dryRun, {
    file: (path) => files.push(path.slice(top.length + 1)),
    problem(text) {
      told += `${text}\n`;
    },
    progress: () => undefined,
  });
  return { ...done, files: files.sort(), told };
}

test('files that are older are removed, and only those that the pattern names', async () => {
  const gone = [file('x.example/ann/.Junk/cur/1', 11), file('y.example/ben/.Old Junk/cur/2:2,S', 400)];
  const kept = [
    file('x.example/ann/.Junk/cur/3', 9),
    file('x.example/ann/.Junk/new/4', 11),
    file('x.example/ann/cur/5', 11),
    file('x.example/ann/.Junk/cur/deeper/6', 11),
    file('x.example/ann/.Junk/current/7', 11),
  ];
  const { count, size, files, problems, told } = await run('TOP/**/*Junk/cur/* 10d');
  assert.deepEqual(files, ['x.example/ann/.Junk/cur/1', 'y.example/ben/.Old Junk/cur/2:2,S']);
  assert.deepEqual([count, size, problems, told], [2, 2, 0, '']);
  for (const path of gone) assert.ok(!existsSync(path), path);
  for (const path of kept) assert.ok(existsSync(path), path);
});

test('a dry run names the same files and removes nothing', async () => {
  const old = file('.tmda/pending/1.2', 15);
  file('.tmda/pending/3.4', 13);
  const dry = await run('TOP/.tmda/pending/* 14d', true);
  assert.deepEqual([dry.files, dry.count, dry.seen], [['.tmda/pending/1.2'], 1, 2]);
  assert.ok(existsSync(old));
  assert.deepEqual((await run('TOP/.tmda/pending/* 14d')).files, dry.files);
  assert.ok(!existsSync(old));
});

test('ctime counts from the last change of anything about the file', async () => {
  const path = file('pending/1', 400);
  assert.equal((await run('TOP/pending/* 1d ctime')).count, 0);
  assert.ok(existsSync(path));
  clock.stopClock(Date.now() + 2 * 86_400_000);
  try {
    assert.equal((await run('TOP/pending/* 1d ctime')).count, 1);
  } finally {
    clock.stopClock(undefined);
  }
});

test('empty leaves the file and takes its contents; one that is empty is left alone', async () => {
  const log = file('logs/incoming', 1, 'lines\n');
  file('logs/debug', 1, '');
  const { files, size } = await run('TOP/logs/* 0s empty');
  assert.deepEqual([files, size], [['logs/incoming'], 6]);
  assert.equal(readFileSync(log, 'latin1'), '');
});

test('the directory itself and none stand for **, and ** goes through names with a dot in front', async () => {
  file('Trash/cur/1', 11);
  file('a/b/.c/Trash/cur/2', 11);
  assert.deepEqual((await run('TOP/**/Trash/cur/* 10d')).files, ['Trash/cur/1', 'a/b/.c/Trash/cur/2']);
});

test('links are never followed and never removed, whether they stand for a file or for a directory', async () => {
  const precious = file('elsewhere/cur/precious', 100);
  makeDirectory(join(top, 'ann/.Junk/cur'));
  symlinkSync(precious, join(top, 'ann/.Junk/cur/link'));
  lutimesSync(join(top, 'ann/.Junk/cur/link'), 1, 1);
  makeDirectory(join(top, 'ben'));
  symlinkSync(join(top, 'elsewhere'), join(top, 'ben/.Junk'));
  const { seen, count } = await run('TOP/**/.Junk/cur/* 10d');
  assert.deepEqual([seen, count], [0, 0]);
  assert.ok(existsSync(precious));
});

test('the sums of maildirsize follow: of the mailbox when files go from one of its folders', async () => {
  const size = file('ann/maildirsize', 0, '1000S\n30 3\n');
  file('ann/.Junk/cur/1', 11, '0123456789');
  file('ann/.Junk/cur/2', 11, '01234');
  file('ann/cur/3', 11, '0');
  await run('TOP/*/.Junk/cur/* 10d', true);
  assert.equal(readFileSync(size, 'latin1'), '1000S\n30 3\n');
  await run('TOP/*/.Junk/cur/* 10d');
  assert.equal(readFileSync(size, 'latin1'), '1000S\n30 3\n-15 -2\n');
  await run('TOP/*/cur/* 10d');
  assert.equal(readFileSync(size, 'latin1'), '1000S\n30 3\n-15 -2\n-1 -1\n');
});

test('a directory that is not there holds nothing that is too old', async () => {
  assert.deepEqual(await run('TOP/nowhere/x/* 1d'), { seen: 0, count: 0, size: 0, problems: 0, files: [], told: '' });
});

test('what cannot be read or removed is told, and the rest is done', async () => {
  file('a/cur/1', 11);
  const stuck = file('b/cur/2', 11);
  file('c/cur/3', 11);
  // nobody may remove from the second or read the third
  chmodSync(join(top, 'b/cur'), 0o555);
  chmodSync(join(top, 'c/cur'), 0o000);
  try {
    const { files, problems, told } = await run('TOP/*/cur/* 10d');
    assert.deepEqual([files, problems], [['a/cur/1'], 2]);
    assert.match(told, /b\/cur\/2: Permission denied\n/);
    assert.match(told, /c\/cur: Permission denied\n/);
    assert.ok(existsSync(stuck));
  } finally {
    for (const name of ['b/cur', 'c/cur']) chmodSync(join(top, name), 0o755);
  }
});

test('thirty thousand files go with memory that does not depend on them', async () => {
  const directory = join(top, 'new');
  makeDirectory(directory);
  for (let n = 0; n < 30_000; n++) writeFileSync(join(directory, String(n)), '');
  const before = process.memoryUsage().rss;
  const { count } = await run('TOP/new/* 0s');
  assert.equal(count, 30_000);
  const grown = (process.memoryUsage().rss - before) / 1024 / 1024;
  assert.ok(grown < 60, `${grown} MB`);
});

if (isRoot) {
  test('root works with the rights of whose files they are, and takes its own back', async () => {
    const roots = join(above, 'of-root');
    mkdirSync(roots, { recursive: true });
    writeFileSync(join(roots, 'precious'), 'x');
    chmodSync(roots, 0o755);
    makeDirectory(join(top, 'sub'));
    // a directory of root within the tree of nobody
    mkdirSync(join(top, 'sub/roots'));
    writeFileSync(join(top, 'sub/roots/precious'), 'x');
    const { problems, told } = await run('TOP/sub/*/* 0s');
    assert.equal(problems, 1);
    assert.match(told, /precious: Permission denied/);
    assert.equal(process.geteuid?.(), 0);
    assert.equal(process.getegid?.(), process.getgid?.());
    assert.ok(statSync(join(top, 'sub/roots/precious')).isFile());
  });

  test('root removes nothing with its own rights; user=name says whose files they are', async () => {
    chownSync(top, 0, 0);
    chmodSync(top, 0o755);
    const path = file('box/1', 11);
    const refused = await run('TOP/*/1 10d');
    assert.equal(refused.problems, 1);
    assert.match(refused.told, /root removes files of other users only; say whose they are with user=name/);
    assert.equal((await run('TOP/*/1 10d user=root')).problems, 1);
    assert.ok(existsSync(path));
    assert.equal((await run('TOP/*/1 10d user=nobody')).count, 1);
    assert.ok(!existsSync(path));
  });
}
