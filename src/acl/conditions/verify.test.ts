/** `verify = certificate`: true only for a client whose certificate is good. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TlsFacts } from '../../net/tls.ts';
import { testRun } from '../test-run.ts';
import { verify } from './verify.ts';

function ask(verified: boolean | undefined): { readonly answer: unknown; readonly message: string | undefined } {
  const { run } = testRun();
  const { connection } = run.context;
  if (connection !== undefined && verified !== undefined) connection.tls = { verified } as TlsFacts;
  return { answer: verify.test('certificate', run), message: run.logMessage };
}

test('a client with a good certificate is verified; one with a bad one, or without TLS, is not', () => {
  assert.deepEqual(ask(true), { answer: 'true', message: undefined });
  assert.deepEqual(ask(false), { answer: 'false', message: 'no verified certificate' });
  assert.deepEqual(ask(undefined), { answer: 'false', message: 'no verified certificate' });
});
