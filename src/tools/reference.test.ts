/** The reference pages hold everything that a configuration can name. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clauseDrivers } from '../acl/drivers.ts';
import { authenticators, routers, transports } from '../config/drivers.ts';
import { mainOptions } from '../config/main-options.ts';
import { conditions } from '../expand/conditions.ts';
import { operators } from '../expand/operators.ts';
import { variables } from '../expand/variables.ts';
import { lookups } from '../lookups/drivers.ts';
import { compatibilityPart } from './compatibility.ts';
import { driverFamilies } from './inventory.ts';
import { mainOptionSubjects } from './main-option-subjects.ts';
import { referencePages } from './reference.ts';

const commandLine = [{ option: '-bV', takes: 'nothing', doc: 'Shows the version.' }];
const pages = referencePages(commandLine);

/** Names in the first column of the tables of a page. */
const namesOn = (file: string): Set<string> =>
  new Set([...(pages.get(file) ?? '').matchAll(/^\| (`+) ?(.*?) ?\1 \|/gm)].map(([, , name = '']) => name));

function assertNamed(file: string, names: Iterable<string>): void {
  const found = namesOn(file);
  assert.deepEqual(
    [...names].filter((name) => !found.has(name)),
    [],
  );
}

describe('the reference', () => {
  it('has every main option under one subject', () => {
    const named = mainOptionSubjects.flatMap(({ options }) => Object.keys(options));
    assert.deepEqual(named.toSorted(), Object.keys(mainOptions).toSorted());
    assertNamed('main-options.md', named);
  });

  it('has every driver with its options', () => {
    for (const [file, drivers] of [
      ['routers.md', routers],
      ['transports.md', transports],
      ['authenticators.md', authenticators],
    ] as const) {
      for (const { name, options } of drivers.values()) {
        assert.ok(pages.get(file)?.includes(`\n## ${name}\n`), name);
        assertNamed(file, Object.keys(options));
      }
    }
  });

  it('has everything that ACLs, expansions and lookups know', () => {
    assertNamed('acl.md', [...clauseDrivers.keys(), 'acl', 'deny']);
    assertNamed('expansions.md', [...conditions.keys(), ...Object.keys(variables).map((name) => `$${name}`)]);
    assertNamed(
      'expansions.md',
      [...operators.keys(), 'expand'].map((name) => `\${${name}:…}`),
    );
    assertNamed(
      'lookups.md',
      lookups.map(({ name }) => name),
    );
    assertNamed('command-line.md', ['-bV']);
  });

  it('lists all pages', () => {
    for (const file of pages.keys()) {
      if (file !== 'README.md') assert.ok(pages.get('README.md')?.includes(`](${file})`), file);
    }
  });

  it('is the same each time it is made', () => {
    assert.deepEqual(referencePages(commandLine), pages);
    assert.equal(compatibilityPart(), compatibilityPart());
  });
});

describe('the page on compatibility', () => {
  it('names what cannot run or has no effect, and nothing that works', () => {
    const part = compatibilityPart();
    for (const { available, unavailable } of driverFamilies) {
      for (const { name } of unavailable) assert.match(part, new RegExp(`^\\| \\w+ \\| \`${name}\` \\|`, 'm'));
      for (const { name } of available) assert.doesNotMatch(part, new RegExp(`^\\| \\w+ \\| \`${name}\` \\|`, 'm'));
    }
    for (const { options } of mainOptionSubjects) {
      for (const [name, { unused }] of Object.entries(options)) {
        if (unused) assert.ok(part.includes(`\`${name}\``), name);
      }
    }
    assert.doesNotMatch(part, /`qualify_domain`|`lsearch`/);
  });
});
