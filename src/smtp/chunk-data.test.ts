/** Octets of BDAT as the message that they are. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChunkData } from './chunk-data.ts';

function read(...chunks: readonly string[]): { readonly text: string; readonly firstIsBare: boolean } {
  const data = new ChunkData();
  const parts = chunks.map((chunk) => data.take(Buffer.from(chunk, 'latin1')).toString('latin1'));
  return { text: parts.join('') + data.end().toString('latin1'), firstIsBare: data.firstIsBare };
}

test('CRLF becomes LF, also where a chunk ends between the two', () => {
  assert.equal(read('A: b\r\n\r\nx\r', '\ny\r\n').text, 'A: b\n\nx\ny\n');
});

test('in the body a CR or LF alone ends a line, and dots stay', () => {
  assert.equal(read('A: b\r\n\r\n.\r\n..a\nb\rc\r').text, 'A: b\n\n.\n..a\nb\nc\n');
});

test('in the header section a line end that is no CRLF begins no header line', () => {
  assert.equal(read('A: b\rC: d\n E: f\r\n\r\n').text, 'A: b\n C: d\n E: f\n\n');
});

test('it is known when the first line ended with LF alone', () => {
  assert.equal(read('A: b\nC: d\r\n').firstIsBare, true);
  assert.equal(read('A: b\r\nC: d\n').firstIsBare, false);
});
