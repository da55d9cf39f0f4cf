/** The macro that stands for a value from outside in the name of a file lets nothing out of its directory. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { expandText } from '../../expand/expand.ts';
import { testContext } from '../../lookups/test-context.ts';
import { factsOf, originalAddress } from '../../mta/address.ts';
import { clean, pathComponent, Text } from '../../safe/taint.ts';
import { variablesInNames, vouchedText } from './vouched.ts';

async function vouched(localPart: string): Promise<string | undefined> {
  const facts = { ...factsOf(originalAddress('a@b.example')), localPart: localPart };
  const expansion = await expandText(Text.configured(vouchedText('local_part')), { ...testContext(), address: facts });
  return expansion.ok ? clean(expansion.text) : undefined;
}

describe('what stands for $local_part in the name of a file', () => {
  it('is the value itself, vouched for', async () => {
    for (const name of ['ann', 'Ann.B', "o'hara", 'a+b-c_d', 'x=y', 'a..b', '-rf', 'a'.repeat(255)]) {
      assert.equal(await vouched(name), name);
    }
  });

  it('is nothing for a value that could leave the directory, or is none', async () => {
    for (const name of [
      '',
      '.',
      '..',
      '.hidden',
      '../x',
      'a/b',
      '/etc/passwd',
      'a\nb',
      'a\n',
      'a\u0000b',
      'a'.repeat(256),
    ]) {
      assert.equal(await vouched(name), undefined, JSON.stringify(name));
    }
  });

  it('is never anything but the value, and that only when it is one component of a path', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: fc.nat(255).map((code) => String.fromCharCode(code)), maxLength: 12 }),
        async (name) => {
          const result = await vouched(name);
          if (result === undefined) return;
          assert.equal(result, name);
          assert.notEqual(pathComponent(name), undefined);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('variables in names of files', () => {
  const found = (text: string, isName: boolean): string[] =>
    variablesInNames(text, isName).map(({ at, length }) => text.slice(at, at + length));

  it('are found in the whole text of a name, and not in what is only looked for', () => {
    assert.deepEqual(found('/mail/$domain/${local_part}', true), ['$domain', '${local_part}']);
    assert.deepEqual(found('/mail/${lc:$local_part}', true), ['$local_part']);
    assert.deepEqual(found('/x/${if eq{$domain}{a}{$local_part}{b}}', true), ['$local_part']);
    assert.deepEqual(found('/x/\\$local_part', true), []);
  });

  it('are found in the files of lookups of any text', () => {
    assert.deepEqual(found('${lookup{$local_part}lsearch{/etc/$domain}{$value}}', false), ['$domain']);
    assert.deepEqual(found('${lookup mysql{select $domain}}', false), []);
    assert.deepEqual(found('$local_part', false), []);
  });
});
