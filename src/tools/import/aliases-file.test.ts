import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aliasesFile } from './aliases-file.ts';
import type { Imported } from './record.ts';
import { targetsText } from './targets.ts';
import { readAll, withFile } from './test-teller.ts';

function read(text: string): { readonly lines: readonly string[]; readonly losses: readonly string[] } {
  return withFile(text, (path) => {
    const { records, teller } = readAll(aliasesFile(path, { domain: 'd.example', otherDomains: [] }));
    const lines = (records as readonly Imported[]).flatMap((record) =>
      record.kind === 'alias' ? [`${record.address}: ${targetsText(record.targets)}`] : [],
    );
    return { lines, losses: teller.losses };
  });
}

test('every form of a line is read', () => {
  for (const [text, line] of [
    ['Postmaster: root', 'postmaster@d.example: root@d.example'],
    ['a:b,c , d@X.example', 'a@d.example: b@d.example, c@d.example, d@x.example'],
    ['a: b,\n\tc,\n  d', 'a@d.example: b@d.example, c@d.example, d@d.example'],
    ['a: b, \\\nc', 'a@d.example: b@d.example, c@d.example'],
    ['a: b,\n# comment\n c', 'a@d.example: b@d.example, c@d.example'],
    ['"two words": b', 'two words@d.example: b@d.example'],
    ['a: "two words"@x.example', 'a@d.example: "two words"@x.example'],
    ['a : \\b', 'a@d.example: b@d.example'],
    ['a: |/bin/p x', 'a@d.example: |/bin/p x'],
    ['a: "|/bin/p x, y"', 'a@d.example: "|/bin/p x, y"'],
    ['a: |"/bin/p x, y"', 'a@d.example: "|/bin/p x, y"'],
    ['a: /var/mail/x', 'a@d.example: /var/mail/x'],
    ['a: /dev/null', 'a@d.example: :blackhole:'],
    ['a: /dev/null, b', 'a@d.example: b@d.example'],
    ['a: :fail: gone away', 'a@d.example: :fail: gone away'],
    ['a: Ann <ann@x.example>', 'a@d.example: ann@x.example'],
    ['a@other.example: b', 'a@other.example: b@d.example'],
  ] as const) {
    const { lines, losses } = read(`${text}\n`);
    assert.deepEqual([lines, losses], [[line], []], text);
  }
});

test('items that follow each other without a comma are no address, and are told', () => {
  const { lines, losses } = read('a: b,\n  c d\n');
  assert.deepEqual(lines, ['a@d.example: b@d.example']);
  assert.match(losses[0] ?? '', /^1: "c d" is no address/);
});

test('an entry of which nothing is left is told, and one without a name is', () => {
  const { lines, losses } = read(' continues nothing\nempty:\nno colon\n: x\n');
  assert.deepEqual(lines, []);
  assert.deepEqual(
    losses.map((line) => line.slice(0, 2)),
    ['1:', '2:', '3:', '4:'],
  );
});
