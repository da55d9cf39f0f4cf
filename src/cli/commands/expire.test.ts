import assert from 'node:assert/strict';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { literal, reviewed } from '../../safe/taint.ts';
import { UsageError } from '../options.ts';
import { Progress } from '../progress.ts';
import { expireCommand } from './expire.ts';

const directory = mkdtempSync(join(tmpdir(), 'tabella-expire-command-'));
chmodSync(directory, 0o755);
after(() => rmSync(directory, { recursive: true }));

/** Runs the command with a configuration. */
async function run(config: string, ...words: readonly string[]) {
  const path = join(directory, 'config');
  writeFileSync(path, config);
  let [out, err] = ['', ''];
  const start = {
    directory: reviewed(directory, 'a directory of this test'),
    calledAs: 'tabella',
    words: ['expire', '-C', path, ...words],
    self: { program: literal('/bin/false'), args: [] },
  };
  const status = await expireCommand(start, {
    out(text) {
      out += text;
    },
    error(text) {
      err += text;
    },
  });
  return { status, out, err };
}

/** Files of nobody, so that root removes them, too. */
function oldFiles(): string {
  const box = join(directory, 'box');
  mkdirSync(box, { recursive: true });
  for (const name of ['one', 'two']) {
    writeFileSync(join(box, name), 'text');
    utimesSync(join(box, name), 1000, 1000);
  }
  if (process.getuid?.() === 0) chownSync(box, 65_534, 65_534);
  return box;
}

test('a configuration without rules is a mistake of whoever wrote the crontab', async () => {
  const { status, err } = await run('');
  assert.deepEqual([status, err], [1, 'tabella expire: the configuration sets no expire_rules\n']);
});

test('a wrong rule is told with its line, and nothing is removed', async () => {
  const { status, err } = await run('primary_hostname = x\nexpire_rules = /x/* soon\n');
  assert.equal(status, 1);
  assert.match(err, /error in line 2 of \S+:\n {2}expire_rules: an age such as 10d is missing behind "\/x\/\*"/);
});

test('other words are refused', async () => {
  await assert.rejects(run('', 'more'), UsageError);
  await assert.rejects(run('', '--nonsense'), UsageError);
});

test('a macro of the command line is known to the rules; each rule that does something says one line', async () => {
  const box = oldFiles();
  const config = 'expire_rules = BOX/one 1d : BOX/three 1d\n';
  const dry = await run(config, `-DBOX=${box}`, '-n');
  const named = `would be removed: ${box}/one\n${box}/one: 1 file of 1 would be removed, 4 octets\n`;
  assert.deepEqual(dry, { status: 0, out: named, err: '' });
  assert.ok(existsSync(join(box, 'one')));
  assert.deepEqual(await run(config, `-DBOX=${box}`, '-v'), {
    status: 0,
    out: `removed: ${box}/one\n${box}/one: 1 file of 1 removed, 4 octets\n${box}/three: 0 files of 0 removed, 0 octets\n`,
    err: '',
  });
  assert.ok(!existsSync(join(box, 'one')) && existsSync(join(box, 'two')));
  assert.deepEqual(await run(config, `-DBOX=${box}`), { status: 0, out: '', err: '' });
});

test('progress is told every two seconds to who asks for it, and not to others', async () => {
  let told = '';
  const terminal = {
    out: () => undefined,
    error(text: string) {
      told += text;
    },
  };
  const [asked, silent] = [new Progress(terminal, true), new Progress(terminal, false)];
  asked.tell(() => 'too early');
  await setTimeout(2050);
  asked.tell(() => 'one');
  asked.tell(() => 'too early again');
  if (process.stderr.isTTY !== true) silent.tell(() => 'nobody asked');
  assert.equal(told, 'one\n');
});
