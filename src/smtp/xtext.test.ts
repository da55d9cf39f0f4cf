import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromXtext, xtext } from './xtext.ts';

test('Every octet comes back from the xtext it was made into', () => {
  const all = Array.from({ length: 256 }, (_, octet) => String.fromCharCode(octet)).join('');
  assert.match(xtext(all), /^[!-<>-~]*$/);
  assert.equal(fromXtext(xtext(all)), all);
});

test('Hexadecimal digits of an xtext may be large or small', () => {
  assert.equal(fromXtext('a+3Db+3db'), 'a=b=b');
});

for (const text of ['a+', 'a+3', 'a+3g', 'a=b', 'a b', 'a\x80']) {
  test(`${JSON.stringify(text)} is no xtext`, () => assert.equal(fromXtext(text), undefined));
}
