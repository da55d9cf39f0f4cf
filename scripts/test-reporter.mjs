// Says how the tests went: a line for each file as it ends, failures in full, a count at the end.

import { relative } from 'node:path';

export default async function* report(source) {
  const failures = [];
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for await (const { type, data } of source) {
    if (type === 'test:pass' || type === 'test:fail') {
      const error = data.details?.error;
      const isTest = data.details?.type === 'test' && !data.name.endsWith('.test.ts');
      // a file or a suite fails with its tests, which are told themselves, or alone: by a hook, or by how its process ended
      if (!isTest && (error === undefined || error.failureType === 'subtestsFailed')) continue;
      if (data.skip !== undefined) {
        counts.skipped++;
        yield `skipped: ${data.name} (${data.skip})\n`;
      } else if (type === 'test:pass') counts.passed++;
      else {
        counts.failed++;
        failures.push(data);
        yield `FAILED: ${data.name}\n`;
      }
    } else if (type === 'test:summary' && data.file !== undefined) {
      const { tests, failed } = {
        tests: data.counts.tests,
        failed: data.counts.failed ?? data.counts.tests - data.counts.passed,
      };
      const seconds = (data.duration_ms / 1000).toFixed(1);
      yield `${failed > 0 ? 'FAIL' : 'ok  '} ${relative(process.cwd(), data.file)} ${tests} tests ${seconds}s\n`;
    } else if (type === 'test:stderr') {
      yield data.message;
    }
  }
  for (const { name, file, details } of failures) {
    const error = details?.error?.cause ?? details?.error;
    yield `\n---- ${name} (${file === undefined ? '' : relative(process.cwd(), file)})\n${error?.stack ?? error}\n`;
    if (error?.expected !== undefined)
      yield `expected: ${JSON.stringify(error.expected)}\nactual:   ${JSON.stringify(error.actual)}\n`;
  }
  yield `\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`;
}
