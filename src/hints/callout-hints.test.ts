/** What is remembered of callouts, and for how long. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestDirectory } from '../lib/test-directory.ts';
import { CalloutHints } from './callout-hints.ts';

const long = { positive: 1000, negative: 1000 };
const over = { positive: -1, negative: 1000 };

function withHints(work: (hints: CalloutHints) => void): void {
  const directory = new TestDirectory();
  const hints = new CalloutHints(directory.path, undefined, (error) => assert.fail(String(error)));
  try {
    work(hints);
  } finally {
    hints.close();
    for (const name of ['callout.sqlite', 'callout.lockfile']) directory.removeFileIn('db', name);
    directory.remove();
  }
}

test('an address is known until its time is over, which differs for good and bad ones', () => {
  withHints((hints) => {
    assert.equal(hints.address('a@b.example', long), undefined);
    hints.noteAddress('a@b.example', true, long);
    hints.noteAddress('no@b.example', false, long);
    assert.equal(hints.address('a@b.example', long), true);
    assert.equal(hints.address('a@b.example', over), undefined);
    assert.equal(hints.address('no@b.example', over), false);
  });
});

test('what is learned of a domain is added to what is known', () => {
  withHints((hints) => {
    hints.noteDomain('b.example', new Map([['takes bounces', true]]), long);
    hints.noteDomain('b.example', new Map([['has a postmaster', false]]), long);
    assert.deepEqual([...hints.domain('b.example', long)].sort(), [
      ['has a postmaster', false],
      ['takes bounces', true],
    ]);
  });
});

test('that a host looks at local parts is known as long as what is good', () => {
  withHints((hints) => {
    hints.noteDomain('b.example', new Map([['takes anything', false]]), long);
    assert.equal(hints.domain('b.example', { positive: 1000, negative: -1 }).get('takes anything'), false);
    assert.equal(hints.domain('b.example', over).get('takes anything'), undefined);
  });
});

test('a domain and an address of the same name do not meet', () => {
  withHints((hints) => {
    hints.noteAddress('b.example', false, long);
    assert.equal(hints.domain('b.example', long).size, 0);
  });
});
