import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import type { Context } from '../expand/context.ts';
import { compileTemplate } from '../expand/expand.ts';
import { TestDirectory } from '../lib/test-directory.ts';
import * as files from '../safe/files.ts';
import { SqlFile } from '../safe/sql.ts';
import { type Clean, literal, Text } from '../safe/taint.ts';
import { Lookups } from './lookups.ts';
import { sqlite } from './sqlite.ts';
import { standardSurroundings } from './surroundings.ts';
import { testContext } from './test-context.ts';
import { answerTo, asked } from './test-query.ts';

const directory = new TestDirectory();
const { main } = standardSurroundings();
const resolver = standardSurroundings().resolver;
const lookups = new Lookups([sqlite], 5, { resolver, main: { ...main, sqlite_lock_timeout: 1 } });
after(() => {
  lookups.close();
  directory.remove();
});

const content = literal(`
  create table t(id text unique, num int, val text, r real, b blob);
  insert into t values('a', 1, 'one', 1.5, x'61ff');
  insert into t values('b', 2, 'two words', 2.0, x'00');
  insert into t values('c', 3, '', 1e20, null);
  insert into t values('d', 4, null, 0.1, 'x');
  insert into t values('q', 5, 'quote " and \\ back', 3, 'y');
  insert into t values('n', 7, 'new' || char(10) || 'line', 3, 'y');
  insert into t values('é', 8, 'café', 3, 'y');
  create table secrets(password text);
  insert into secrets values('hidden');
`);

function make(name: string): Clean {
  const path = directory.file(name);
  const file = new SqlFile(path, 0);
  file.execute(content);
  file.close();
  return path;
}

const table = make('table');
const type = `sqlite,file=${table}`;

async function check(expected: Readonly<Record<string, string>>): Promise<void> {
  for (const [query, value] of Object.entries(expected)) assert.equal(await asked(lookups, type, query), value, query);
}

/** A context whose log lines are kept. */
function listening(): { readonly context: Context; readonly lines: string[] } {
  const lines: string[] = [];
  const context = testContext(lookups);
  return { context: { ...context, services: { ...context.services, log: (text) => void lines.push(text) } }, lines };
}

test('one field is answered as it is', async () => {
  await check({
    "select val from t where id='a'": 'one',
    "select val from t where id='b'": 'two words',
    "select val from t where id='c'": '',
    "select val from t where id='d'": '<NULL>',
    "select val from t where id='none'": 'not found',
    "select val from t where id='q'": 'quote " and \\ back',
    'select num+1 from t where num=1': '2',
    'select null': '<NULL>',
    'select "no column"': 'no column',
    'select ?': '<NULL>',
    'pragma user_version': '0',
  });
});

test('several fields have their names, and quotes when they need them', async () => {
  await check({
    "select val,num from t where id='a'": 'val=one num=1 ',
    "select * from t where id='b'": 'id=b num=2 val="two words" r=2.0 b="" ',
    "select * from t where id='c'": 'id=c num=3 val="" r=1.0e+20 b=<NULL> ',
    "select id,val from t where id='q'": 'id=q val="quote \\" and \\\\ back" ',
    "select id,val from t where id='n'": 'id=n val="new\nline" ',
    'select 1 as a, 2 as a': 'a=1 a=2 ',
    [`select 1 as "my name", 'x' as "a=b"`]: 'my name=1 a=b=x ',
    [`select 'a"b' as a, '"' as b, 'a\\b' as c, 'a=b' as d, char(39) as e`]: `a=a"b b="\\"" c=a\\b d=a=b e=' `,
    'select char(97,9,98) as a, char(97,13) as b, char(97,11) as c, char(97,12) as d':
      'a="a\tb" b="a\r" c=a\x0b d=a\x0c ',
  });
});

test('rows are put one below the other, those of several statements, too', async () => {
  await check({
    'select val from t where num < 5 order by num': 'one\ntwo words\n\n<NULL>',
    'select id,num from t where num < 3 order by num': 'id=a num=1 \nid=b num=2 ',
    'select 1; select 2': '1\n2',
    'select 1 where 0; select 2;': '2',
    'select 1;': '1',
    '': 'not found',
    ';': 'not found',
  });
});

test('numbers are written as SQLite writes them', async () => {
  await check({
    'select 1/3.0': '0.333333333333333',
    'select 1e100': '1.0e+100',
    'select -0.0': '0.0',
    'select 123456789012345678.5': '1.23456789012346e+17',
    'select 9223372036854775807': '9223372036854775807',
    'select 9e999': 'Inf',
    'select -9e999': '-Inf',
    'select 1e15': '1.0e+15',
    'select 1e14': '100000000000000.0',
    'select 0.0001': '0.0001',
    'select 0.00001': '1.0e-05',
    'select 123456.789': '123456.789',
    'select 999999999999999.9': '1.0e+15',
    'select -2.5': '-2.5',
  });
});

test('text is octets, and ends at a binary zero', async () => {
  await check({
    "select val from t where id='\xc3\xa9'": 'caf\xc3\xa9',
    "select val from t where id='\xe9'": 'not found',
    "select b from t where id='a'": 'a\xff',
    "select b from t where id='b'": '',
  });
});

test('the file is named by an option, before the query, or in the main section', async () => {
  assert.equal(await asked(lookups, 'sqlite', `${table}   select 1`), '1');
  assert.equal(await asked(lookups, 'sqlite,foo=bar', `  ${table} select 1`), '1');
  assert.equal(await asked(lookups, 'sqlite', `${table}`), 'not found');
  const sqlite_dbfile = compileTemplate(`\${if eq{a}{a}{${table}}}`);
  const own = new Lookups([sqlite], 5, { resolver, main: { ...main, sqlite_dbfile } });
  assert.equal(await asked(own, 'sqlite', 'select 1'), '1');
  own.close();
  const broken = compileTemplate('${no}');
  const other = new Lookups([sqlite], 5, { resolver, main: { ...main, sqlite_dbfile: broken } });
  assert.match(await asked(other, 'sqlite', 'select 1'), /^error: failed to expand sqlite_dbfile "\$\{no\}": /);
  other.close();
});

test('a file that cannot be opened is a failure', async () => {
  const message = 'error: absolute file name expected for "sqlite" lookup';
  for (const option of ['sqlite', 'sqlite,file=relative', 'sqlite,file=']) {
    assert.equal(await asked(lookups, option, 'select 1'), message, option);
  }
  for (const file of [directory.file('none'), `${directory.path}/no/file`, directory.path]) {
    const answer = await asked(lookups, `sqlite,file=${file}`, 'select 1');
    assert.equal(answer, 'error: unable to open database file', file);
  }
  assert.equal(files.stat(directory.file('none')), undefined);
});

test('a file that is no database, or a broken one, defers', async () => {
  const garbage = directory.write('garbage', 'no database, '.repeat(1000));
  assert.equal(
    await asked(lookups, `sqlite,file=${garbage}`, 'select 1 from t'),
    'defer: sqlite: file is not a database',
  );
  const octets = files.read(make('broken'));
  octets.fill(0xaa, 4096);
  const broken = directory.write('broken', octets);
  const answer = await asked(lookups, `sqlite,file=${broken}`, 'select * from t');
  assert.match(answer, /^defer: sqlite: database disk image is malformed/);
});

test('a statement that SQLite does not take finds nothing, and the log says why', async () => {
  const { context, lines } = listening();
  for (const query of ['select foo from t', 'select val from nope', 'selct', "select 'abc", 'select 1; selct']) {
    assert.equal(await asked(lookups, type, query, context), 'not found', query);
  }
  assert.equal(lines[0], 'sqlite query failed: no such column: foo: select foo from t');
  assert.equal(lines.length, 5);
});

test('statements that change something do so, and a constraint is no failure', async () => {
  const path = make('changing');
  const ask = (query: string): Promise<string> => asked(lookups, `sqlite,file=${path}`, query);
  assert.equal(await ask("select val from t where id='new'"), 'not found');
  assert.equal(await ask("insert into t values('new', 10, 'x', 1, '')"), 'not found');
  assert.equal(await ask("select val from t where id='new'"), 'x');
  assert.equal(await ask("insert into t values('new', 10, 'x', 1, '')"), 'not found');
  assert.equal(await ask("insert into t values('new2', 10, 'x', 1, '') returning id"), 'new2');
  assert.equal(await ask("delete from t where id='new2'; select changes()"), '1');
  assert.equal(await ask("with a as (select 'w' as id) insert into t(id) select id from a returning id"), 'w');
  assert.equal(await ask('pragma user_version = 5; pragma user_version'), '5');
  assert.equal(await ask('begin; delete from t; selct; commit'), 'not found');
  assert.equal(await ask('select count(*) from t'), '9');
  assert.equal(await ask('begin; delete from t; rollback'), 'not found');
  assert.equal(await ask('select count(*) from t'), '9');
});

test('a query that only reads opens the file for reading', async () => {
  const path = make('read-only');
  files.setMode(path, 0o444);
  assert.equal(await asked(lookups, `sqlite,file=${path}`, 'select count(*) from t'), '7');
  const missing = directory.file('made');
  assert.equal(await asked(lookups, `sqlite,file=${missing}`, 'create table t(a)'), 'not found');
  assert.equal(files.stat(missing)?.isFile(), true);
});

test('a file that took the place of another is seen at the next query', async () => {
  const path = make('replaced');
  const ask = (): Promise<string> => asked(lookups, `sqlite,file=${path}`, 'select count(*) from t');
  assert.equal(await ask(), '7');
  const other = make('other');
  await asked(lookups, `sqlite,file=${other}`, 'delete from t where num > 2');
  files.rename(other, path);
  assert.equal(await ask(), '2');
});

test('a lock is waited for while other work goes on; in the end the query defers', async () => {
  const path = make('locked');
  const other = new SqlFile(path, 0);
  other.execute(literal('begin exclusive'));
  const query = asked(lookups, `sqlite,file=${path}`, 'select count(*) from t');
  const behind = asked(lookups, `sqlite,file=${path}`, "select val from t where id='a'");
  assert.equal(await asked(lookups, type, 'select 1'), '1');
  await new Promise((resolve) => setTimeout(resolve, 50));
  other.execute(literal('delete from t where num = 2'));
  other.execute(literal('commit'));
  assert.equal(await query, '6');
  assert.equal(await behind, 'one');
  other.execute(literal('begin exclusive'));
  const begun = performance.now();
  assert.equal(await asked(lookups, `sqlite,file=${path}`, 'select 5 from t'), 'defer: sqlite: database is locked');
  assert.ok(performance.now() - begun >= 900);
  other.close();
});

test('the answer is no longer from outside', async () => {
  const answer = await answerTo(lookups, type, "select val from t where id='a'");
  assert.equal(answer.outcome === 'found' && answer.value.isClean, true);
});

const outside = (text: string): Text => Text.tainted(text);
const sql = (text: string): Text => Text.configured(text);

test('bare text from outside between quotes works and is told of once for each place', async () => {
  const { context, lines } = listening();
  const ask = (id: string): Promise<string> =>
    asked(lookups, type, Text.join([sql("select val from t where id='"), outside(id), sql("'")]), context);
  assert.equal(await ask('a'), 'one');
  assert.equal(await ask('b'), 'two words');
  assert.equal(await ask("' or '1'='1"), 'not found');
  assert.deepEqual(lines, ["tainted search query is not properly quoted: select val from t where id='a'"]);
  const quoted = Text.quoted("''", 'sqlite', outside("'"));
  assert.equal(await asked(lookups, type, Text.join([sql("select '"), quoted, sql("'")]), context), "'");
  assert.equal(lines.length, 1);
});

test('text from outside in any other place is refused, and no file is opened', async () => {
  for (const place of ['select * from t where num=', 'select "', '-- ', '']) {
    const query = Text.join([sql(place), outside('1')]);
    assert.match(
      await asked(lookups, type, query),
      /^error: tainted text in a query may only stand within single quotes/,
    );
  }
  const all = outside("select val from t where id='a'");
  assert.match(await asked(lookups, `sqlite,file=${directory.file('none')}`, all), /^error: tainted text/);
});

test('the name of the file may not come from outside', async () => {
  const query = Text.join([outside(table), sql(' select 1')]);
  assert.equal(await asked(lookups, 'sqlite', query), `error: Tainted filename for search: '${table}'`);
});

test('with text from outside in any position nothing is read or changed but what the query says', async () => {
  const word = fc.constantFrom(
    "'",
    "''",
    '"',
    ';',
    '--',
    '/*',
    ' union select password from secrets',
    ' or 1=1',
    '\0',
    '\\',
    ')',
  );
  const text = fc.array(word, { minLength: 1, maxLength: 5 }).map((words) => words.join(''));
  const slots = [
    'select ',
    "'",
    'val',
    "' || '",
    "' from t where id = '",
    "' and num in (",
    '1',
    ") limit '",
    "'",
    '; delete from t',
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.option(text), { minLength: 10, maxLength: 10 }),
      fc.boolean(),
      async (texts, isQuoted) => {
        const parts = slots.flatMap((slot, number) => {
          const hostile = texts[number] ?? undefined;
          if (hostile === undefined) return [sql(slot)];
          const part = isQuoted
            ? Text.quoted(hostile.replaceAll("'", "''"), 'sqlite', outside(hostile))
            : outside(hostile);
          return [part, sql(slot)];
        });
        const answer = await asked(lookups, type, Text.join(parts.slice(0, -1)));
        assert.doesNotMatch(answer.replace(/^error: .*/s, ''), /hidden/);
        assert.equal(await asked(lookups, type, 'select count(*) from t'), '7');
      },
    ),
    { numRuns: 500 },
  );
});
