/** What servers offered is known again, until it is too old. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import * as clock from '../lib/clock.ts';
import { TestDirectory } from '../lib/test-directory.ts';
import { literal } from '../safe/taint.ts';
import { HintsFile } from './hints.ts';
import { OfferHints } from './offer-hints.ts';

const server = { address: '127.0.0.1', port: 25 };
const clear = new Map([
  ['PIPECONNECT', ''],
  ['SIZE', '1000'],
]);

let directory: TestDirectory;
let hints: OfferHints;

beforeEach(() => {
  directory = new TestDirectory();
  hints = new OfferHints(directory.path, undefined, (error) => assert.fail(String(error)), 100);
});

afterEach(() => {
  hints.close();
  clock.stopClock(undefined);
  for (const end of ['sqlite', 'lockfile']) directory.removeFileIn('db', `misc.${end}`);
  directory.remove();
});

test('what was noted is known for this address and port, in clear and over TLS', () => {
  const tls = new Map([['AUTH', 'PLAIN']]);
  hints.note(server, { clear, tls });
  assert.deepEqual(hints.get(server), { clear, tls });
  assert.equal(hints.get({ ...server, port: 587 }), undefined);
  hints.note(server, { clear });
  assert.deepEqual(hints.get(server), { clear, tls: undefined });
  hints.forget(server);
  assert.equal(hints.get(server), undefined);
});

test('what is older than retry_data_expire is not known any more', () => {
  const now = clock.seconds();
  hints.note(server, { clear });
  clock.stopClock((now + 101) * 1000);
  assert.equal(hints.get(server), undefined);
});

test('a record that makes no sense is none', () => {
  const file = new HintsFile(directory.path, literal('misc'), undefined, (error) => assert.fail(String(error)));
  for (const text of ['x', '1', 'null', '{}', '{"clear":1}']) {
    file.set('127.0.0.1:25.EHLO', text);
    assert.equal(hints.get(server), undefined, text);
  }
  file.close();
});
