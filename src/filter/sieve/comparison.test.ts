import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { asciiCasemap, comparators, compare, InvalidPattern, NoSubstrings } from './comparison.ts';

const free = (): void => undefined;
const matches = (pattern: string, text: string): boolean => compare('matches', asciiCasemap, pattern, text, free);

/** What a pattern matches, said as the RFC says it. */
function plainly(pattern: string, text: string): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return text === '';
  const others = rest.join('');
  if (first === '*') return plainly(others, text) || (text !== '' && plainly(pattern, text.slice(1)));
  return text !== '' && (first === '?' || first === text[0]) && plainly(others, text.slice(1));
}

describe('Strings in Sieve', () => {
  it('match with * and ?', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 7 });
    fc.assert(
      fc.property(word, word, (pattern, text) => {
        assert.equal(matches(pattern, text), plainly(pattern, text));
      }),
      { numRuns: 2000 },
    );
  });

  it('match with a backslash before what is meant as it is', () => {
    assert.equal(matches('\\*\\?\\\\', '*?\\'), true);
    assert.equal(matches('\\*', 'a'), false);
    assert.throws(() => matches('a*\\', 'abc'), InvalidPattern);
  });

  it('match in a time that does not explode', () => {
    let steps = 0;
    const spend = (more: number): void => {
      steps += more;
    };
    const text = 'a'.repeat(2000);
    assert.equal(compare('matches', asciiCasemap, `${'*a'.repeat(200)}b`, text, spend), false);
    assert.ok(steps < 1_000_000, String(steps));
  });

  it('are numbers only to be equal', () => {
    const numeric = comparators.get('i;ascii-numeric') ?? asciiCasemap;
    assert.equal(compare('is', numeric, '12', '12 apples', free), true);
    assert.equal(compare('is', numeric, 'x', '', free), true);
    assert.equal(compare('is', numeric, '12', '012', free), false);
    assert.throws(() => compare('contains', numeric, '1', '12', free), NoSubstrings);
  });
});
