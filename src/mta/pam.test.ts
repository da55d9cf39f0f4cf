/** The side of `mta/pam.ts` that asks: the process it starts is played by a program of the test. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestDirectory } from '../lib/test-directory.ts';
import * as files from '../safe/files.ts';
import { type Clean, reviewed } from '../safe/taint.ts';
import { frame } from './frames.ts';
import { askPamProcess } from './pam.ts';

/** A program that keeps what it was given, and answers these octets. */
function asker(directory: TestDirectory, answer: Buffer): Clean {
  directory.write('answer', answer);
  const script = `#!/bin/sh\necho "$@" >${directory.file('words')}\nhead -c 40 >${directory.file('given')}\ncat ${directory.file('answer')}\n`;
  const program = directory.write('asker', script);
  files.setMode(program, 0o700);
  return program;
}

for (const [what, answer, expected] of [
  ['yes', frame({ accepted: true }), { accepted: true }],
  ['no', frame({ accepted: false }), { accepted: false }],
  ['trouble', frame({ error: 'System error' }), { error: 'System error' }],
  ['nothing', Buffer.alloc(0), { error: 'PAM gave no answer' }],
  ['half an answer', frame({ accepted: true }).subarray(0, 9), { error: 'PAM gave no answer' }],
  ['nonsense', frame({ accepted: 'true' }), { error: 'PAM gave no answer' }],
] as const) {
  test(`a process that answers ${what}`, async () => {
    const directory = new TestDirectory();
    try {
      const answers = ['secret', 'code'];
      assert.deepEqual(await askPamProcess(asker(directory, answer), { user: 'ann', answers }), expected);
      assert.match(files.readText(directory.file('given')), /"user":"ann","answers":\["secret/);
      assert.match(files.readText(directory.file('words')), /^--ask-pam/);
    } finally {
      directory.remove();
    }
  });
}

test('a program that cannot be started is trouble, not a yes', async () => {
  const program = reviewed('/nonexistent/tabella', 'of the test');
  assert.deepEqual(await askPamProcess(program, { user: 'ann', answers: [] }), { error: 'PAM gave no answer' });
});
