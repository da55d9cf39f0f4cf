import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Clean, reviewed, Text } from '../safe/taint.ts';
import { Lookups } from './lookups.ts';
import { pgsql } from './pgsql.ts';
import { standardSurroundings } from './surroundings.ts';
import { testContext } from './test-context.ts';
import { answerTo, asked } from './test-query.ts';
import { hostile, waysIn } from './test-query-places.ts';
import { startPostgres } from './test-servers.ts';

const server = await startPostgres(`
  create table t(id text primary key, num int, val text, b boolean, f float8, d date, bin bytea);
  insert into t values('a', 1, 'one', true, 1.5, '2020-01-02', '\\x6100ff'), ('b', 2, 'two words', false, 1e20, null, null),
    ('c', 3, '', null, null, null, ''), ('d', 4, null, null, null, null, null),
    ('q', 5, E'quote " and \\\\ back', null, null, null, null), ('n', 6, E'new\\nline', null, null, null, null),
    ('é', 7, 'café', null, null, null, null), ('o''hara', 8, 'o', null, null, null, null);
  create table secrets(password text); insert into secrets values('hidden');
`);
const clean = (text: string): Clean => reviewed(text, 'a name of the tests');
const socket = `(${server.directory}/.s.PGSQL.5432)`;
const { main, resolver } = standardSurroundings();

function open(...items: readonly string[]): Lookups {
  return new Lookups([pgsql], 5, { resolver, main: { ...main, pgsql_servers: { items: items.map(clean) } } });
}

const lookups = open(`${socket}/postgres/tester/`);
after(async () => {
  lookups.close();
  await server.remove();
});

async function check(expected: Readonly<Record<string, string>>): Promise<void> {
  for (const [query, value] of Object.entries(expected))
    assert.equal(await asked(lookups, 'pgsql', query), value, query);
}

test('one field is answered as it is, several with their names, rows one below the other', async () => {
  await check({
    "select val from t where id='a'": 'one',
    "select * from t where id='a'": 'id=a num=1 val=one b=t f=1.5 d=2020-01-02 bin=\\x6100ff ',
    "select * from t where id='c'": 'id=c num=3 val="" b="" f="" d="" bin=\\x ',
    "select id,val from t where id='q'": 'id=q val="quote \\" and \\\\ back" ',
    "select id,val from t where id='n'": 'id=n val="new\nline" ',
    "select val from t where id='d'": '',
    "select val from t where id='none'": 'not found',
    'select id from t where num < 4 order by 1': 'a\nb\nc',
    'select id,num from t where num < 3 order by 1': 'id=a num=1 \nid=b num=2 ',
    'select null, 1': '?column?="" ?column?=1 ',
    select: '',
    'values (1),(2)': '1\n2',
    'show search_path': '"$user", public',
    "select val from t where id='\xc3\xa9'": 'caf\xc3\xa9',
    'select 1; select 2': '2',
    '': 'not found',
    ';': 'not found',
    begin: 'not found',
  });
});

test('what a statement leaves behind is not there for the next', async () => {
  for (const query of ['begin', 'begin; select 1/0', "set search_path='none'", 'set standard_conforming_strings=off']) {
    await asked(lookups, 'pgsql', query);
    assert.equal(
      await asked(lookups, 'pgsql', "select val from t where id='a' and '\\\\' = chr(92)"),
      'not found',
      query,
    );
    assert.equal(await asked(lookups, 'pgsql', "select val from t where id='a' and '\\' = chr(92)"), 'one', query);
  }
});

test('a statement without rows answers how many it touched, and is carried out each time', async () => {
  const context = testContext(lookups);
  const ask = (query: string): Promise<string> => asked(lookups, 'pgsql', query, context);
  assert.equal(await ask('select count(*) from t'), '8');
  assert.equal(await ask("insert into t(id) values ('new')"), '1');
  assert.equal(await ask('select count(*) from t'), '9');
  assert.equal(await ask("delete from t where id='new'"), '1');
  assert.equal(await ask("insert into t(id) values ('new')"), '1');
  assert.equal(await ask("delete from t where id='new'"), '1');
  assert.equal(await ask("delete from t where id='new'"), '0');
  assert.equal(await ask('create table later(a int)'), 'not found');
  assert.equal(await ask('drop table later'), 'not found');
});

test('a statement that fails defers with the words of the server', async () => {
  await check({
    selec:
      'defer: PGSQL: query failed: ERROR:  syntax error at or near "selec"\nLINE 1: selec\n        ^\n (PGRES_FATAL_ERROR) (selec)\n',
    'select 1/0': 'defer: PGSQL: query failed: ERROR:  division by zero\n (PGRES_FATAL_ERROR) (select 1/0)\n',
  });
  assert.match(
    await asked(lookups, 'pgsql', "select '\xe9'"),
    /^defer: PGSQL: query failed: ERROR: {2}invalid byte sequence/,
  );
  assert.match(await asked(lookups, 'pgsql', 'copy t to stdout'), /^defer: PGSQL: query failed: {2}\(PGRES_COPY_OUT\)/);
  assert.match(await asked(lookups, 'pgsql', 'copy t from stdin'), /^defer: PGSQL: query failed: /);
  assert.equal(await asked(lookups, 'pgsql', 'select 1'), '1');
});

test('servers are named in the main section, behind the type or in the query', async () => {
  const item = `${socket}/postgres/tester/x`;
  assert.equal(await asked(lookups, `pgsql,servers=${item}`, 'select 1'), '1');
  assert.equal(await asked(lookups, 'pgsql', `servers=${item}; select 1`), '1');
  assert.equal(await asked(lookups, 'pgsql', `servers = ${item} ; select 1`), '1');
  const expected: Readonly<Record<string, string>> = {
    'servers=nobody; select 1': 'PostgreSQL server "nobody" not found in pgsql_servers',
    'servers=nobody select 1': 'missing ; after "servers=" in PostgreSQL lookup',
    'servers=; select 1': '"servers=" defines no servers in "servers=; select 1"',
    'servers=host/database/user; select 1': 'incomplete pgSQL server data: host/database',
    'servers=(/none)/d/u/p; select 1': 'PGSQL invalid filename for socket: /none',
    'servers=h::99999/d/u/p; select 1': 'PGSQL connection failed: invalid port number: "99999"\n',
    'servers=h::abc/d/u/p; select 1':
      'PGSQL connection failed: invalid integer value "abc" for connection option "port"\n',
  };
  for (const [query, message] of Object.entries(expected)) {
    assert.equal(await asked(lookups, 'pgsql', query), `defer: ${message}`, query);
  }
  const none = open();
  assert.equal(await asked(none, 'pgsql', 'select 1'), 'defer: no PostgreSQL servers defined (pgsql_servers option)');
});

test('what keeps a server from answering is told as libpq tells it', async () => {
  const expected: Readonly<Record<string, string>> = {
    '127.0.0.1::1/d/u/p':
      'connection to server at "127.0.0.1", port 1 failed: Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?\n',
    '(/none/.s.PGSQL.1)/d/u/p':
      'connection to server on socket "/none/.s.PGSQL.1" failed: No such file or directory\n\tIs the server running locally and accepting connections on that socket?\n',
    [`${socket}/none/tester/p`]: `connection to server on socket "${server.directory}/.s.PGSQL.5432" failed: FATAL:  database "none" does not exist\n`,
    [`${socket}/postgres/none/p`]: `connection to server on socket "${server.directory}/.s.PGSQL.5432" failed: FATAL:  role "none" does not exist\n`,
  };
  for (const [item, message] of Object.entries(expected)) {
    assert.equal(
      await asked(lookups, `pgsql,servers=${item}`, 'select 1'),
      `defer: PGSQL connection failed: ${message}`,
      item,
    );
  }
});

test('the next server is asked when one is away', async () => {
  const own = open('127.0.0.1:1/d/u/p', `${socket}/postgres/tester/`);
  assert.equal(await asked(own, 'pgsql', 'select 1'), '1');
  own.close();
});

test('a server that was killed defers, and one that was started again is found', async () => {
  assert.equal(await asked(lookups, 'pgsql', 'select 1'), '1');
  await server.kill();
  assert.match(await asked(lookups, 'pgsql', 'select 1'), /^defer: /);
  assert.match(await asked(lookups, 'pgsql', "insert into t(id) values ('lost')"), /^defer: /);
  await server.start();
  for (let round = 0; round < 3; round++) assert.equal(await asked(lookups, 'pgsql', 'select 1'), '1');
  const killed = Promise.all([1, 2, 3, 4].map((n) => asked(lookups, 'pgsql', `select ${n} from pg_sleep(5)`)));
  await server.kill();
  for (const answer of await killed) assert.match(answer, /^defer: /);
  await server.start();
  assert.equal(await asked(lookups, 'pgsql', 'select 1'), '1');
});

test('many questions at a time share few connections', async () => {
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, n) => asked(lookups, 'pgsql', `select ${n} as n, pg_backend_pid() as pid`)),
  );
  const other = answers.filter((answer, n) => !answer.startsWith(`n=${n} pid=`));
  assert.deepEqual(other, []);
  const connections = new Set(answers.map((answer) => answer.replace(/.*pid=/, '')));
  assert.ok(connections.size <= 10, `${connections.size} connections`);
});

test('an answer that is too long defers', async () => {
  assert.match(await asked(lookups, 'pgsql', "select repeat('x', 40000000)"), /^(?:defer|error): .*longer than/);
  assert.match(await asked(lookups, 'pgsql', "select repeat('x', 17000000)"), /^(?:defer|error): .*longer than 16 MB/);
  assert.equal(await asked(lookups, 'pgsql', 'select 1'), '1');
});

test('bare text from outside between quotes or alone as a value works, and is told of', async () => {
  const lines: string[] = [];
  const context = testContext(lookups);
  const listening = { ...context, services: { ...context.services, log: (text: string) => void lines.push(text) } };
  const from = (...parts: readonly (string | Text)[]): Text =>
    Text.join(parts.map((part) => (typeof part === 'string' ? Text.configured(part) : part)));
  const name = Text.tainted("o'hara");
  assert.equal(await asked(lookups, 'pgsql', from("select val from t where id='", name, "'"), listening), 'o');
  assert.deepEqual(lines, ["tainted search query is not properly quoted: select val from t where id='o'hara'"]);
  assert.equal(await asked(lookups, 'pgsql', from('select val from t where num=', Text.tainted('8')), listening), 'o');
  assert.equal(await asked(lookups, 'pgsql', from("select upper('", name, "'::text)"), listening), "O'HARA");
  assert.equal(await asked(lookups, 'pgsql', from('select $$', name, '$$'), listening), "o'hara");
  assert.equal(await asked(lookups, 'pgsql', from("select 1; select '", name, "'"), listening), "o'hara");
  const quoted = Text.quoted(pgsql.quote("o'hara"), 'pgsql', name);
  lines.length = 0;
  assert.equal(await asked(lookups, 'pgsql', from("select val from t where id='", quoted, "'"), listening), 'o');
  assert.deepEqual(lines, []);
});

test('with text from outside in any position nothing is read or changed but what the query says', async () => {
  const places = [
    "select val from t where id='{}'",
    "select val from t where id=E'{}'",
    'select val from t where id=$q${}$q$',
    'select val from t where id={}',
    "select val from t where id='{}' and num={}",
    "select val from t where id='x' or id = '{}' -- '{}'",
    'select {} from t',
    'select val from {}',
    "select val from t where id='a'{}",
    '{}',
    "select val from t /* {} */ where id='x'",
    'select val as "{}" from t where 1=0',
    "update t set val='{}' where id='none'",
    "select 'a' '{}'",
    "select val from t where id='\\{}'",
    "select val from t where id='a' limit {}",
    "select '{}'::date",
  ];
  for (const place of places) {
    for (const value of hostile) {
      for (const query of waysIn(place, value, 'pgsql', pgsql.quote)) {
        const answer = await answerTo(lookups, 'pgsql', query);
        const text = answer.outcome === 'found' ? answer.value.value : '';
        assert.ok(!text.includes('hidden') && !text.includes('two words'), `${query.value}: ${text}`);
      }
    }
  }
  assert.equal(await asked(lookups, 'pgsql', 'select count(*) from t'), '8');
  assert.equal(await asked(lookups, 'pgsql', "select count(*) from t where val is distinct from ''"), '7');
});

test('a server where backslashes are escapes sees the same value', async () => {
  const own = await startPostgres('create table t(id text); ', 'standard_conforming_strings=off');
  const others = open(`(${own.directory}/.s.PGSQL.5432)/postgres/tester/`);
  for (const value of hostile) {
    for (const query of waysIn("select '{}'", value, 'pgsql', pgsql.quote).slice(0, 2)) {
      assert.equal(await asked(others, 'pgsql', query), value);
    }
  }
  others.close();
  await own.remove();
});

test('servers may not come from outside', async () => {
  const query = Text.join([Text.configured('servers='), Text.tainted('evil/d/u/p'), Text.configured('; select 1')]);
  assert.match(await asked(lookups, 'pgsql', query), /^(?:defer|error): tainted text in "servers="/);
});
