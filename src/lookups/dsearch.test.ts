import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { TestDirectory } from '../lib/test-directory.ts';
import * as files from '../safe/files.ts';
import { literal } from '../safe/taint.ts';
import { dsearch } from './dsearch.ts';
import { Lookups } from './lookups.ts';
import { found, search } from './single-key-contract.ts';

const directory = new TestDirectory();
directory.write('file', '');
directory.write('.hidden', '');
directory.write('a b', '');
files.makeDirectory(directory.file('sub'), 0o700);
const lookups = new Lookups([dsearch], 5);
after(() => {
  lookups.close();
  directory.remove();
});

async function check(type: string, expected: Readonly<Record<string, string>>): Promise<void> {
  for (const [key, value] of Object.entries(expected)) {
    assert.equal(await found(lookups, type, key, directory.path), value, `${type} ${key}`);
  }
}

test('an entry of any kind is found by its name as it is written', async () => {
  await check('dsearch', {
    file: 'file',
    sub: 'sub',
    '.hidden': '.hidden',
    'a b': 'a b',
    '.': '.',
    '..': '..',
    FILE: 'not found',
    none: 'not found',
    '': 'not found',
    'file\0x': 'not found',
  });
});

test('a filter lets only entries of one kind be found; an unknown one lets all', async () => {
  await check('dsearch,filter=file', { file: 'file', '.hidden': '.hidden', sub: 'not found', '.': 'not found' });
  await check('dsearch,filter=dir', { file: 'not found', sub: 'sub', '.': '.', '..': '..' });
  await check('dsearch,filter=subdir', { file: 'not found', sub: 'sub', '.': 'not found', '..': 'not found' });
  await check('dsearch,filter=DIR', { file: 'file', sub: 'sub' });
});

test('a link is neither a file nor a directory', async () => {
  for (const [link, type] of [
    ['self/exe', 'file'],
    ['self/cwd', 'dir'],
  ] as const) {
    const [folder, name = ''] = link.split('/');
    assert.equal(await found(lookups, 'dsearch', name, `/proc/${folder}`), name);
    assert.equal(await found(lookups, `dsearch,filter=${type}`, name, `/proc/${folder}`), 'not found');
  }
});

test('the whole path is answered on request', async () => {
  await check('dsearch,ret=full', { file: `${directory.path}/file`, none: 'not found' });
  await check('dsearch,filter=dir,ret=full', { sub: `${directory.path}/sub`, file: 'not found' });
  await check('dsearch,ret=key', { file: 'file' });
  await check('dsearch,ret=nonsense,foo=bar', { file: 'file' });
  assert.equal(await found(lookups, 'dsearch,ret=full', 'file', `${directory.path}/`), `${directory.path}//file`);
});

test('shortened keys are looked for as with other types', async () => {
  await check('partial1()dsearch', { 'a.file': 'file' });
  await check('partial1()dsearch,ret=full', { 'a.file': `${directory.path}/file` });
  await check('partial-dsearch', { 'a.file': 'not found' });
  await check('dsearch*', { none: 'not found' });
});

test('a key never leads out of the directory', async () => {
  for (const key of ['a/b', '../file', '/file', 'sub/']) {
    await check('dsearch', { [key]: `defer: key for dsearch lookup contains a slash: ${key}` });
  }
  const long = 'x'.repeat(300);
  await check('dsearch', { [long]: `defer: ${directory.path}/${long}: lstat: File name too long` });
});

test('what is found may be used as a name', async () => {
  const answer = await search(lookups, 'dsearch', 'file', directory.path);
  assert.equal(answer.outcome === 'found' && answer.value.isClean, true);
});

test('an entry that comes or goes is seen at once', async () => {
  await check('dsearch', { later: 'not found' });
  const path = directory.write('later', '');
  await check('dsearch', { later: 'later' });
  files.remove(path);
  await check('dsearch', { later: 'not found' });
});

test('the directory must be one, named by its whole path', async () => {
  const problem = async (path: string, reason: string): Promise<void> => {
    const message = `error: failed to open ${path} for directory search: ${reason}`;
    assert.equal(await found(lookups, 'dsearch', 'file', path), message);
  };
  await problem(`${directory.path}/none`, 'No such file or directory');
  await problem(directory.file('file'), 'Not a directory');
  await problem('relative', 'No such file or directory');
  await problem(literal('.'), 'No such file or directory');
  await problem('', 'No such file or directory');
});
