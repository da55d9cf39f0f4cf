/** Bodies as DKIM hashes them, however they are cut into pieces (RFC 6376 §3.4.3 - §3.4.5). */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { CanonicalBody, type Canonicalization } from './canonical-body.ts';

const hashOf = (text: string): string => createHash('sha256').update(text, 'latin1').digest('hex');

function digest(pieces: readonly string[], form: Canonicalization, limit?: number): string {
  const body = new CanonicalBody(form);
  body.want('sha256', limit);
  for (const piece of pieces) body.take(Buffer.from(piece, 'latin1'));
  return body.digest('sha256', limit).toString('hex');
}

test('the example of the RFC comes out in both forms', () => {
  const body = ' C \nD \t E\n\n\n';
  assert.equal(digest([body], 'relaxed'), hashOf(' C\r\nD E\r\n'));
  assert.equal(digest([body], 'simple'), hashOf(' C \r\nD \t E\r\n'));
});

test('an empty body is a line end in the simple form and nothing in the relaxed one', () => {
  for (const body of [[], ['\n'], ['\n\n', '\n']]) {
    assert.equal(digest(body, 'simple'), hashOf('\r\n'));
    assert.equal(digest(body, 'relaxed'), hashOf(''));
  }
});

test('a limit is counted in octets of the form that is hashed', () => {
  assert.equal(digest(['ab\ncd\n'], 'simple', 5), hashOf('ab\r\nc'));
  assert.equal(digest(['ab\ncd\n'], 'simple', 0), hashOf(''));
  assert.equal(digest(['ab\n'], 'relaxed', 999), hashOf('ab\r\n'));
});

test('it does not matter where a body is cut', () => {
  const octet = fc.constantFrom('a', ' ', '\t', '\n', '\r', 'é');
  const pieces = fc.array(
    fc.array(octet, { maxLength: 5 }).map((octets) => octets.join('')),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(pieces, fc.constantFrom<Canonicalization>('simple', 'relaxed'), (cut, form) => {
      assert.equal(digest(cut, form), digest([cut.join('')], form));
    }),
  );
});

test('any number of line ends is counted, not kept, and hashed when a line follows', () => {
  const before = process.memoryUsage().arrayBuffers;
  const body = new CanonicalBody('relaxed');
  body.want('sha256', undefined);
  const ends = Buffer.alloc(64 * 1024, '\n');
  for (let i = 0; i < 64; i++) body.take(ends);
  assert.ok(process.memoryUsage().arrayBuffers - before < 32 * 1024 * 1024);
  body.take(Buffer.from('x'));
  const expected = createHash('sha256');
  for (let i = 0; i < 64; i++) expected.update('\r\n'.repeat(64 * 1024));
  assert.equal(body.digest('sha256', undefined).toString('hex'), expected.update('x\r\n').digest('hex'));
});
