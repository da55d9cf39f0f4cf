import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodePunycode, encodePunycode } from './punycode.ts';

test('the examples of RFC 3492 section 7.1 are encoded and decoded', () => {
  for (const [text, code] of [
    ['他们为什么不说中文', 'ihqwcrb4cv8a8dqg056pqjye'],
    ['Pročprostěnemluvíčesky', 'Proprostnemluvesky-uyb24dma41a'],
    ['3年B組金八先生', '3B-ww4c5e180e575a65lsy2b'],
    ['bücher', 'bcher-kva'],
  ] as const) {
    assert.equal(encodePunycode(text), code);
    assert.deepEqual(decodePunycode(code), { text });
  }
});

test('what was encoded is decoded again', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      assert.deepEqual(decodePunycode(encodePunycode(text)), { text });
    }),
  );
});

test('codes that break off, grow too great or hold other octets are refused', () => {
  assert.deepEqual(decodePunycode('4'), { error: 'Invalid input' });
  assert.deepEqual(decodePunycode('99999999'), { error: 'String size limit exceeded' });
  assert.deepEqual(decodePunycode('a-b-\xff'), { error: 'Invalid input' });
});
