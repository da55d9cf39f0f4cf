import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bindMysql } from './mysql-query.ts';
import { bindPgsql } from './pgsql-query.ts';
import { Text } from './taint.ts';

/** Text from outside stands between braces, quoted for the type between brackets. */
function queryOf(text: string, driver: string): Text {
  const parts = text.split(/(\{[^}]*\}|\[[^\]]*\])/).filter((part) => part !== '');
  return Text.join(
    parts.map((part) => {
      const inner = part.slice(1, -1);
      if (part.startsWith('{')) return Text.tainted(inner);
      return part.startsWith('[') ? Text.quoted(inner, driver, Text.tainted(inner)) : Text.configured(part);
    }),
  );
}

function bound(text: string, standardStrings = true): readonly (readonly [string, ...string[]])[] | string {
  const found = bindPgsql(queryOf(text, 'pgsql'), standardStrings);
  return 'error' in found ? 'refused' : found.statements.map(({ sql, values }) => [sql, ...values] as const);
}

test('PostgreSQL: text from outside in a string of any kind becomes a value', () => {
  const expected: Readonly<Record<string, readonly [string, ...string[]]>> = {
    "select '{x}'": ['select  $1 ', 'x'],
    "select '{x}@{y}' , '{z}'": ['select  $1  ,  $2 ', 'x@y', 'z'],
    "select 'it''s {x}'": ['select  $1 ', "it's x"],
    "select '[a''b]'": ['select  $1 ', "a'b"],
    "select '[a\\\\b]'": ['select  $1 ', 'a\\\\b'],
    "select E'\\n\\x41\\101\\u00e9[a\\\\b]{\\}'": ['select  $1 ', '\nAAéa\\b\\'],
    'select $$a{$$}$$': ['select  $1 ', 'a$$'],
    'select $q$a{$q$}$$$q$': ['select  $1 ', 'a$q$$$'],
    "select 'a'\n  '{x}'": ['select  $1 ', 'ax'],
    "select '{x}'::text": ['select  $1 ::text', 'x'],
    'where a={x}': ['where a= $1 ', 'x'],
    'where a in ({x}, {y})': ['where a in ( $1 ,  $2 )', 'x', 'y'],
    'limit {5} offset {2}': ['limit  $1  offset  $2 ', '5', '2'],
  };
  for (const [query, statement] of Object.entries(expected)) assert.deepEqual(bound(query), [statement], query);
});

test('PostgreSQL: with backslashes as escapes they are read as such', () => {
  assert.deepEqual(bound("select '[a\\\\b]'", false), [['select  $1 ', 'a\\b']]);
  assert.deepEqual(bound("select 'a\\'[b]'", false), [['select  $1 ', "a'b"]]);
});

test('PostgreSQL: in any other place text from outside is refused', () => {
  for (const query of [
    '{x}',
    'select {x}from t',
    'select a{x}',
    'select * from {t}',
    'select * from t order by {x}',
    'where a={x}{y}b',
    'select 1 -- {x}',
    'select /* a /* {x} */ b */ 1',
    'select "a{x}"',
    "select x'{41}'",
    "select U&'{x}'",
    'select ${q}$a$q$',
    "select '{x}",
    "select '[x']'",
    "select '[\\]'",
    "select $1, '{x}'",
    "where a='b'{x}",
  ]) {
    const refused = bound(query);
    if (query === "select '[\\]'") assert.deepEqual(refused, [['select  $1 ', '\\']]);
    else assert.equal(refused, 'refused', query);
  }
  assert.equal(bound("select '\\{x}'", false), 'refused');
  assert.equal(bound("select E'[\\]\\'{x}'"), 'refused');
});

test('PostgreSQL: statements are told apart, comments may hold comments', () => {
  assert.deepEqual(bound("select ';'; /* ; /* ; */ ; */ select $$;$$ ; -- ;\n"), [
    ["select ';';"],
    [' /* ; /* ; */ ; */ select $$;$$ ;'],
  ]);
});

test('MySQL: a value is a constant of hexadecimal digits, a number alone stays one', () => {
  const sql = (text: string): string => {
    const found = bindMysql(queryOf(text, 'mysql'));
    return 'error' in found ? 'refused' : found.statements.map((statement) => statement.sql).join('|');
  };
  assert.equal(sql("select '{ab}'"), "select  _utf8mb4 X'6162' ");
  assert.equal(sql('select "a{\'}"'), "select  _utf8mb4 X'6127' ");
  assert.equal(sql("select '[a\\'b]', 'c\\n{d}'"), "select  _utf8mb4 X'612762' ,  _utf8mb4 X'630a64' ");
  assert.equal(sql('limit {10}'), 'limit  10 ');
  assert.equal(sql("x = '{10}'"), "x =  _utf8mb4 X'3130' ");
  assert.equal(sql('limit {10 or 1}'), "limit  _utf8mb4 X'3130206f722031' ");
  for (const query of ['{x}', 'select `{x}`', 'select 1 # {x}', 'select 1 -- {x}', '/*! {x} */ select 1', 'from {x}']) {
    assert.equal(sql(query), 'refused', query);
  }
});

const marked = '\u0001\u0002';
const piece = fc.oneof(
  fc.constantFrom(
    "'",
    '"',
    '$$',
    '$q$',
    "E'",
    '/*',
    '*/',
    '--',
    '\n',
    '\\',
    ';',
    ' ',
    'select',
    '=',
    '(',
    ')',
    '`',
    '#',
    '$1',
  ),
  fc.string({ maxLength: 4 }).map((text) => Buffer.from(text, 'utf8').toString('latin1')),
);

test('however clean and outside text are mixed, no octet from outside reaches a statement', () => {
  const parts = fc.array(fc.tuple(fc.constantFrom('clean', 'tainted', 'pgsql', 'mysql'), piece), { maxLength: 12 });
  fc.assert(
    fc.property(parts, fc.boolean(), (mixed, standardStrings) => {
      const query = Text.join(
        mixed.map(([kind, text]) => {
          // outside text is told by two octets that are nowhere else
          const outside = Text.tainted(marked + text + marked);
          if (kind === 'clean') return Text.configured(text.replace(/[\u0001\u0002]/g, ''));
          return kind === 'tainted' ? outside : Text.quoted(outside.value, kind, outside);
        }),
      );
      for (const found of [bindPgsql(query, standardStrings), bindMysql(query)]) {
        if ('error' in found) continue;
        for (const { sql } of found.statements) assert.doesNotMatch(sql, /[\u0001\u0002]/);
      }
    }),
    { numRuns: 5000 },
  );
});

test('a query that ends in the middle of an escape is read to its end', () => {
  for (const query of ["select E'{x}\\', '\\", "select E'a\\", "'\\"]) {
    bound(query, false);
    assert.ok(bindMysql(queryOf(query, 'mysql')));
  }
});

test('a long query costs no more than its length', () => {
  for (const part of ["'a' ", '$$ ', '/* ', "'{x}',", '-- a\n', '((((']) {
    const query = queryOf(part.repeat(100_000), 'pgsql');
    const start = performance.now();
    bindPgsql(query, true);
    bindMysql(query);
    assert.ok(performance.now() - start < 3000, part);
  }
});
