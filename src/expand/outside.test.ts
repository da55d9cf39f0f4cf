import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { TestDirectory } from '../lib/test-directory.ts';
import { Lookups } from '../lookups/lookups.ts';
import { lsearch } from '../lookups/lsearch.ts';
import { testContext } from '../lookups/test-context.ts';
import * as files from '../safe/files.ts';
import { Text } from '../safe/taint.ts';
import type { Outside } from './context.ts';
import { expandText } from './expand.ts';
import { emptyFilterFacts } from './facts.ts';

const directory = new TestDirectory();
after(() => directory.remove());

async function expanded(text: string, facts: Partial<ReturnType<typeof emptyFilterFacts>>): Promise<string> {
  const context = { ...testContext(new Lookups([lsearch], 5)), filter: { ...emptyFilterFacts(), ...facts } };
  const expansion = await expandText(Text.configured(text), context);
  return expansion.ok ? expansion.text.value : `${expansion.kind}: ${expansion.message}`;
}

const forbidden: readonly (readonly [Outside, string, string])[] = [
  ['dlfunc', '${dlfunc{/x}{y}}', 'dynamically-loaded functions are not permitted'],
  ['existstest', '${if exists{/}{a}{b}}', 'File existence tests are not permitted'],
  ['lookup', '${lookup{a}lsearch{/x}}', 'lookup expansions are not permitted'],
  ['perl', '${perl{x}}', 'Perl calls are not permitted'],
  ['readfile', '${readfile{/etc/passwd}}', 'file insertions are not permitted'],
  ['readsocket', '${readsocket{/x}{y}}', 'socket insertions are not permitted'],
  ['run', '${run{/bin/true}}', 'running a command is not permitted'],
  ['stat', '${stat:/}', 'Use of the stat() expansion is not permitted'],
];

for (const [what, text, message] of forbidden) {
  test(`a filter that may not is kept from ${text}`, async () => {
    assert.equal(await expanded(text, { forbidden: new Set([what]) }), `failed: ${message}`);
    assert.notEqual(await expanded(text, { forbidden: new Set() }).catch(String), `failed: ${message}`);
  });
}

test('what is forbidden hurts nobody where it is not evaluated', async () => {
  const text = '${if eq{a}{a}{x}{${readfile{/etc/passwd}}}}';
  assert.equal(await expanded(text, { forbidden: new Set<Outside>(['readfile']) }), 'x');
});

const isRoot = process.getuid?.() === 0;

test("a filter sees files with its user's rights, and not with those of the server", { skip: !isRoot }, async () => {
  const secret = directory.write('secret', 'secret: found');
  files.setMode(secret, 0o600);
  const user = { uid: 65534, gid: 65534 };
  assert.equal(await expanded(`\${readfile{${secret}}}`, {}), 'secret: found');
  assert.match(await expanded(`\${readfile{${secret}}}`, { user }), /^failed: failed to open .*: Permission denied/);
  assert.equal(await expanded(`\${lookup{secret}lsearch{${secret}}}`, {}), 'found');
  assert.match(await expanded(`\${lookup{secret}lsearch{${secret}}}`, { user }), /^failed: failed to open/);
  assert.equal(process.geteuid?.(), 0);
});

test('what works in other processes is refused to the filter of another user', async () => {
  const user = { uid: 65534, gid: 65534 };
  assert.equal(await expanded('${perl{x}}', { user }), 'failed: Perl calls are not permitted');
});
