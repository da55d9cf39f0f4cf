import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SqlFile } from './sql.ts';
import { bindSqlite } from './sqlite-query.ts';
import { literal, Text } from './taint.ts';

const sql = (text: string): Text => Text.configured(text);
const outside = (text: string): Text => Text.tainted(text);
const quoted = (text: string): Text => Text.quoted(text.replaceAll("'", "''"), 'sqlite', outside(text));

function bound(...parts: readonly Text[]): readonly { readonly sql: string; readonly values: readonly string[] }[] {
  const found = bindSqlite(Text.join(parts));
  if ('error' in found) throw new Error(found.error);
  return found.statements.map((statement) => ({ sql: statement.sql, values: Object.values(statement.values) }));
}

function refusal(...parts: readonly Text[]): string {
  const found = bindSqlite(Text.join(parts));
  return 'error' in found ? found.error.replace(/:.*/s, '') : 'bound';
}

test('text from outside within quotes becomes the value of a parameter', () => {
  const parts = [sql("select '"), outside('a'), sql('@'), outside("b'--"), sql("' from t")];
  assert.deepEqual(bound(...parts), [{ sql: 'select :piece1  from t', values: ["a@b'--"] }]);
});

test('a query without text from outside stays as it is', () => {
  const text = `select 'it''s', "a""b", [c'd], \`e'\`, x'00' -- 'comment\n/* ' */ from t where a = :piece`;
  assert.deepEqual(bound(sql(text)), [{ sql: text, values: [] }]);
  assert.deepEqual(bound(sql("select 'not closed")), [{ sql: "select 'not closed", values: [] }]);
});

test('quoting for SQLite is undone, that for another is text like any other', () => {
  assert.deepEqual(bound(sql("select '"), quoted("a'b''c"), sql("'"))[0]?.values, ["a'b''c"]);
  const other = Text.quoted("a\\'b", 'pgsql', outside("a'b"));
  assert.deepEqual(bound(sql("select '"), other, sql("'"))[0]?.values, ["a\\'b"]);
});

test('it is known whether all was quoted', () => {
  const unquoted = (part: Text): boolean => {
    const found = bindSqlite(Text.join([sql("select '"), part, sql("'")]));
    return 'unquoted' in found && found.unquoted;
  };
  assert.equal(unquoted(outside('a')), true);
  assert.equal(unquoted(Text.quoted('a', 'pgsql', outside('a'))), true);
  assert.equal(unquoted(quoted('a')), false);
  assert.equal(unquoted(sql('a')), false);
});

test('in any other place text from outside is refused, quoted or not', () => {
  const places: readonly (readonly [string, string])[] = [
    ['select ', ''],
    ['select * from t where a = ', ''],
    ['select * from t where a = 1', ''],
    ['select "', '" from t'],
    ['select `', '` from t'],
    ['select [', '] from t'],
    ["select x'", "'"],
    ["select X'", "'"],
    ['select 1 -- ', '\n'],
    ['select 1 /* ', ' */'],
    ['select 1 /* ', ''],
    ["select 'a' ", " 'b'"],
    ["select 'a'", "'b'"],
    ["select 'a''", ''],
    ['select :', ''],
    ['select 1;', ''],
    ['', ' select 1'],
    ["select ''", "''"],
  ];
  for (const [before, after] of places) {
    for (const text of ['1', 'a', "'", "' or '1'='1", '-- ', "*/ '", '"', ']', '`', ';']) {
      for (const part of [outside(text), quoted(text)]) {
        assert.notEqual(refusal(sql(before), part, sql(after)), 'bound', `${before}<${text}>${after}`);
      }
    }
  }
});

test('a quote from outside never ends a string, nor does half of a quoted one', () => {
  assert.equal(refusal(sql("select '"), outside("'")), 'a string with tainted text has no closing quote in a query');
  const half = Text.quoted("'", 'sqlite', outside("'"));
  assert.equal(refusal(sql("select '"), half, sql("'")), 'half of a quoted quote in a query');
  assert.deepEqual(bound(sql("select '"), outside("'"), sql("''"), outside("'"), sql("'"))[0]?.values, ["'''"]);
});

test('the names of parameters are not those of the query', () => {
  const parts = [sql("select :piece1, :piece_1, '"), outside('a'), sql("'")];
  assert.deepEqual(bound(...parts), [{ sql: 'select :piece1, :piece_1, :piece__1 ', values: ['a'] }]);
});

test('statements are told apart, and those that read', () => {
  const found = bindSqlite(
    sql("select ';'; -- nothing;\n; INSERT into t values(1);/* ; */ with a as (select 1) select 2;"),
  );
  assert.ok('statements' in found);
  assert.deepEqual(
    found.statements.map(({ sql: text, reads }) => [text.trim(), reads]),
    [
      ["select ';';", true],
      ['INSERT into t values(1);', false],
      ['/* ; */ with a as (select 1) select 2;', true],
    ],
  );
  assert.deepEqual(bound(sql('')), []);
  assert.deepEqual(bound(sql(' ;; ')), []);
});

test('values and statements are UTF-8', () => {
  const found = bound(sql("select 'caf\xc3\xa9', '"), outside('na\xc3\xafve'), sql("'"));
  assert.deepEqual(found, [{ sql: "select 'café', :piece1 ", values: ['naïve'] }]);
});

test('a query may not be too long, and a long one costs no more than its length', () => {
  assert.equal(refusal(sql('a'.repeat(1024 * 1024 + 1))), 'a query is longer than 1 MB');
  const parts = Array.from({ length: 20_000 }, (_, i) => [
    sql("'"),
    outside('x'),
    sql(i === 19_999 ? "'" : "',"),
  ]).flat();
  assert.equal(bound(sql('select '), ...parts)[0]?.values.length, 20_000);
  assert.equal(refusal(sql(`select "${'a""'.repeat(200_000)}`)), 'bound');
});

const hostile = fc.array(
  fc.constantFrom(
    "'",
    "''",
    '"',
    '`',
    '[',
    ']',
    '--',
    '/*',
    '*/',
    ';',
    '\\',
    '\n',
    '\0',
    ' or 1=1 ',
    'x',
    ':piece1',
    '\xff',
  ),
  { maxLength: 8 },
);
const hostileText = hostile.map((words) => words.join(''));

test('whatever comes from outside, SQLite sees just that value', () => {
  const file = new SqlFile(literal(':memory:'), 0);
  try {
    fc.assert(
      fc.property(hostileText, hostileText, fc.boolean(), (a, b, isQuoted) => {
        const part = isQuoted ? quoted : outside;
        const query = Text.join([sql("select '<"), part(a), sql("|''|"), part(b), sql(">', 'clean'")]);
        const found = bindSqlite(query);
        assert.ok('statements' in found);
        assert.equal(found.statements.length, 1);
        for (const statement of found.statements) {
          const rows = [...file.rows(statement.sql, statement.values).rows];
          const expected = Buffer.from(`<${a}|'|${b}>`, 'latin1').toString('utf8');
          assert.deepEqual(rows, [[expected, 'clean']]);
        }
      }),
      { numRuns: 1000 },
    );
  } finally {
    file.close();
  }
});

test('however clean and outside text are mixed, no octet from outside reaches a statement', () => {
  const cleanWord = fc.constantFrom(
    'select ',
    "'",
    "''",
    '"',
    '`',
    '[',
    ']',
    '--',
    '/*',
    '*/',
    ';',
    '\n',
    "x'",
    ' 1',
    ' ',
  );
  const piece = fc.oneof(
    cleanWord.map(sql),
    fc
      .constantFrom('\xfe', "\xfe'", "'\xfe''", '\xfe--', "\xfe*/ '")
      .chain((text) => fc.constantFrom(outside(text), quoted(text))),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (parts) => {
      const found = bindSqlite(Text.join(parts));
      if ('error' in found) return;
      for (const statement of found.statements) assert.doesNotMatch(statement.sql, /[\xfe\ufffd]/);
    }),
    { numRuns: 3000 },
  );
});
