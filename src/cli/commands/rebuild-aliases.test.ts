/** What `-bi` runs, and what becomes of its output and status. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TestDirectory } from '../../lib/test-directory.ts';
import { TestQueue } from '../../mta/test-queue.ts';
import * as files from '../../safe/files.ts';
import { rebuildAliasesCommand } from './rebuild-aliases.ts';
import { type Outcome, runCommand } from './test-call.ts';

async function rebuild(setting: string, words: readonly string[]): Promise<Outcome> {
  const queue = await TestQueue.make(setting);
  try {
    return await runCommand(rebuildAliasesCommand, words, queue);
  } finally {
    queue.remove();
  }
}

describe('-bi', () => {
  it('runs bi_command with the value of -oA as its one argument', async () => {
    const directory = new TestDirectory();
    const program = directory.write('rebuild', '#!/bin/sh\necho "$#:$*"\necho trouble >&2\nexit 3\n');
    files.setMode(program, 0o700);
    const set = `bi_command = ${program}`;
    assert.equal((await rebuild(set, ['-bi'])).out, '0:\ntrouble\n');
    const { status, out } = await rebuild(set, ['-bi', '-oA', 'a $(b) c']);
    assert.deepEqual([status, out], [3, '1:a $(b) c\ntrouble\n']);
    directory.remove();
  });

  it('does nothing when there is no command, and fails when it cannot be run', async () => {
    assert.deepEqual(await rebuild('', ['-bi']), { status: 0, out: '', error: '', log: [] });
    const { status, error } = await rebuild('bi_command = /nonexistent', ['-bi']);
    assert.deepEqual([status, error], [1, "exim: exec '/nonexistent' failed: No such file or directory\n"]);
  });

  it('takes no other words', async () => {
    assert.equal((await rebuild('', ['-bi', 'x'])).error, 'exim: incompatible command-line options or arguments\n');
  });
});
