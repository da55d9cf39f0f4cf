/** Retry and rewriting rules as the real Exim tests them (retry-and-rewrite/recorded.txt), with -brt and -brw. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const text = readFileSync(join(root, 'test/retry-and-rewrite/recorded.txt'), 'latin1');

for (const part of text.split(/^=== /m).slice(1)) {
  const [option = '', ...cases] = part.split(/\n?^## /m);
  for (const each of cases) {
    const [words = '', ...lines] = each.replace(/\n*$/, '').split('\n');
    test(`${option.replace(/\n/, '')} ${words} prints what the real Exim prints`, () => {
      const given = option.startsWith('-brw') ? [words] : words.split(' ');
      const { stdout, stderr } = spawnSync(
        join(root, 'bin/exim'),
        ['-C', join(root, 'test/retry-and-rewrite/rules.conf'), option.replace(/\n/, ''), ...given],
        { encoding: 'latin1', env: { PATH: '/usr/bin:/bin' } },
      );
      assert.equal(stdout.replace(/\n*$/, ''), lines.join('\n'), stderr);
    });
  }
}
