/** NOTIFY as a number and back. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notifyFlags, notifyWords, wantsReport } from './notification.ts';

test('NOTIFY is read in any order and letters, and passed on in one order', () => {
  assert.equal(notifyFlags('delay,FAILURE,Success'), 28);
  assert.equal(notifyWords(28), 'SUCCESS,FAILURE,DELAY');
  assert.equal(notifyWords(notifyFlags('never') ?? 0), 'NEVER');
});

test('NEVER with something else, and unknown words, make no sense', () => {
  assert.equal(notifyFlags('NEVER,DELAY'), undefined);
  assert.equal(notifyFlags('SUCCESS,x'), undefined);
});

test('who said nothing is told of failures and delays, who said NEVER of nothing', () => {
  assert.deepEqual(
    [wantsReport(0, 'FAILURE'), wantsReport(0, 'DELAY'), wantsReport(0, 'SUCCESS')],
    [true, true, false],
  );
  assert.equal(wantsReport(2, 'FAILURE'), false);
  assert.equal(wantsReport(4, 'FAILURE'), false);
});
