/** The golden cases: what the real Exim printed, compared with what this program prints (test/golden/README.md). */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

test('every golden case prints what the real Exim printed, except those that wait for a feature', {
  timeout: 600_000,
}, () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'test/golden/run.cjs'), '--bin', join(root, 'bin/exim')],
    { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  const report = `${stdout}${stderr}`;
  assert.equal(
    status,
    0,
    report
      .split('\n')
      .filter((line) => !line.startsWith('ok '))
      .join('\n'),
  );
  const [, passed = '0'] = /^(\d+) passed, 0 failed/m.exec(report) ?? [];
  assert.ok(Number(passed) >= 35, report);
});
