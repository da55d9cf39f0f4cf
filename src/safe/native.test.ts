/** Calls of the C library that go on beside the program's own work. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

/** Hashes in several threads while memory is collected all the time; prints how many were wrong. */
const program = `
import { systemCrypt } from '${new URL('./native.ts', import.meta.url)}';
const setting = '$5$abcdefgh$';
const expected = await systemCrypt('secret', setting);
const end = performance.now() + 1500;
setInterval(() => {
  globalThis.rubbish = Array.from({ length: 5000 }, () => Buffer.alloc(3000));
  globalThis.gc();
}, 2);
let wrong = 0;
const work = async () => {
  while (performance.now() < end) if ((await systemCrypt('secret', setting)) !== expected) wrong++;
};
await Promise.all([work(), work(), work(), work()]);
console.log(expected?.startsWith(setting), wrong);
process.exit(0);
`;

test('crypt(3) works in memory that is not collected before it has ended', () => {
  const words = ['--expose-gc', '--input-type=module', '--eval', program];
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8', timeout: 60_000 });
  assert.deepEqual([status, signal, stdout], [0, null, 'true 0\n'], stderr);
});
