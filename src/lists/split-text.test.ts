import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { splitList } from '../lib/list-text.ts';
import { Text } from '../safe/taint.ts';
import { splitText } from './split-text.ts';

const listOf = (...parts: readonly (string | readonly [string])[]): Text =>
  Text.join(parts.map((part) => (typeof part === 'string' ? Text.configured(part) : Text.tainted(part[0]))));

/** Items as their pieces, those from outside in angle brackets. */
const shown = (list: Text): string[] =>
  splitText(list).map((item) =>
    item.pieces.map(({ value, taint }) => (taint === 'clean' || value === '' ? value : `<${value}>`)).join(''),
  );

test('each item has the taint of its own pieces', () => {
  assert.deepEqual(shown(listOf('a.b : ', ['x'], ' : c')), ['a.b', '<x>', 'c']);
  assert.deepEqual(shown(listOf('a', ['x'], 'b : c')), ['a<x>b', 'c']);
  assert.deepEqual(shown(listOf('<; a ; ', ['x:y'])), ['a', '<x:y>']);
});

test('a list from outside may have many items', () => {
  assert.deepEqual(shown(listOf('a : ', ['x : y'], ' : b')), ['a', '<x>', '<y>', 'b']);
});

test('in a query only separators of the configuration end an item', () => {
  assert.deepEqual(shown(listOf("pgsql;select '", ['x : *'], "' : b")), ["pgsql;select '<x : *>'", 'b']);
  assert.deepEqual(shown(listOf("! pgsql,a=b;'", ['::1'], "' : b")), ["! pgsql,a=b;'<::1>'", 'b']);
  assert.deepEqual(shown(listOf("ldap;ldap::///x='", ['a:b'], "'")), ["ldap;ldap:///x='<a:b>'"]);
});

test('a query whose type is from outside is a list like any other', () => {
  assert.deepEqual(shown(listOf('a : ', ['pgsql;x : *'])), ['a', '<pgsql;x>', '<*>']);
});

test('apart from queries the items are those of a plain list', () => {
  const pieces = fc.array(fc.tuple(fc.boolean(), fc.stringMatching(/^[a:< \t/\n!b]{0,6}$/)), { maxLength: 6 });
  fc.assert(
    fc.property(pieces, (parts) => {
      const list = listOf(...parts.map(([clean, text]) => (clean ? text : ([text] as const))));
      assert.deepEqual(
        splitText(list).map(({ value }) => value),
        splitList(list.value).items,
      );
    }),
    { numRuns: 2000 },
  );
});
