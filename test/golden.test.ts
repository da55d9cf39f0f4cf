/** The golden cases: what the real Exim printed, compared with what this program prints (test/golden/README.md). */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Runs side by side: cases wait more than they work. */
const shards = 4;
/** So many cases there are at least, in each of them. */
const fewest = 20;
/** So many of them may pass only when they are run once more: what they wait for is late on a loaded machine. */
const mostUnsteady = 3;

interface Report {
  readonly status: number;
  readonly text: string;
}

function run(shard: number): Promise<Report> {
  const words = [
    join(root, 'test/golden/run.cjs'),
    '--bin',
    join(root, 'bin/exim'),
    '--shard',
    `${shard}/${shards}`,
    '--again',
  ];
  return new Promise((resolve) => {
    execFile(process.execPath, words, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : 1, text: `${stdout}${stderr}` }),
    );
  });
}

describe('The golden cases', { concurrency: shards, timeout: 1_500_000 }, () => {
  for (let shard = 0; shard < shards; shard++) {
    it(`print what the real Exim printed, except those that wait for a feature (${shard + 1} of ${shards})`, async (t) => {
      const { status, text } = await run(shard);
      const unsteady = text.split('\n').filter((line) => line.startsWith('unsteady '));
      for (const line of unsteady) t.diagnostic(line);
      const bad = text
        .split('\n')
        .filter((line) => !line.startsWith('ok '))
        .join('\n');
      assert.equal(status, 0, bad);
      assert.ok(unsteady.length <= mostUnsteady, bad);
      const [, passed = '0'] = /^(\d+) passed, 0 failed/m.exec(text) ?? [];
      assert.ok(Number(passed) >= fewest, text);
    });
  }
});
