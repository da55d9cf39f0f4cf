import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { reviewed, Text } from '../safe/taint.ts';
import { Lookups } from './lookups.ts';
import { mysql } from './mysql.ts';
import { standardSurroundings } from './surroundings.ts';
import { testContext } from './test-context.ts';
import { answerTo, asked } from './test-query.ts';
import { hostile, waysIn } from './test-query-places.ts';
import { startMariadb } from './test-servers.ts';

const server = await startMariadb(`
  create table t(id varchar(50) primary key, num int, val text, f double, n decimal(10,2), d date, bin blob);
  insert into t values ('a', 1, 'one', 1.5, 2.50, '2020-01-02', x'6100ff'), ('b', 2, 'two words', 1e20, 0, null, null),
    ('c', 3, '', null, null, null, ''), ('d', 4, null, null, null, null, null),
    ('q', 5, 'quote " and \\\\ back', null, null, null, null), ('é', 7, 'café', null, null, null, null),
    ('o''hara', 8, 'o', null, null, null, null);
  create table secrets(password text); insert into secrets values('hidden');
`);
const { main, resolver } = standardSurroundings();

function open(...items: readonly string[]): Lookups {
  const servers = items.map((item) => reviewed(item, 'a name of the tests'));
  return new Lookups([mysql], 5, { resolver, main: { ...main, mysql_servers: { items: servers } } });
}

const item = `(${server.directory}/socket)/mail/tester/secret`;
const lookups = open(item);
after(async () => {
  lookups.close();
  await server.remove();
});

async function check(expected: Readonly<Record<string, string>>): Promise<void> {
  for (const [query, value] of Object.entries(expected))
    assert.equal(await asked(lookups, 'mysql', query), value, query);
}

test('one field is answered as it is, several with their names, rows one below the other', async () => {
  await check({
    "select val from t where id='a'": 'one',
    "select * from t where id='a'": 'id=a num=1 val=one f=1.5 n=2.50 d=2020-01-02 bin=a ',
    "select * from t where id='b'": 'id=b num=2 val="two words" f=1e20 n=0.00 d="" bin="" ',
    "select id,val from t where id='q'": 'id=q val="quote \\" and \\\\ back" ',
    "select val from t where id='c'": '',
    "select val from t where id='d'": 'not found',
    "select val from t where id='none'": 'not found',
    'select id from t where num < 4 order by 1': 'a\nb\nc',
    'select null, 1': 'NULL="" 1=1 ',
    'select 1/0': 'not found',
    'show tables': 'secrets\nt',
    "select val from t where id='\xc3\xa9'": 'caf\xc3\xa9',
    'select 1/3, 1e20, pi()': '1/3=0.3333 1e20=1e20 pi()=3.141593 ',
    '': 'not found',
    ';': 'defer: MYSQL: query failed: Query was empty\n',
    'select * from none': "defer: MYSQL: query failed: Table 'mail.none' doesn't exist\n",
  });
});

test('only one statement at a time is taken', async () => {
  assert.match(await asked(lookups, 'mysql', 'select 1; select 2'), /^defer: MYSQL: query failed: You have an error/);
});

test('a statement without rows answers how many it changed, and is carried out each time', async () => {
  const context = testContext(lookups);
  const ask = (query: string): Promise<string> => asked(lookups, 'mysql', query, context);
  assert.equal(await ask('select count(*) from t'), '7');
  assert.equal(await ask("insert into t(id) values ('new')"), '1');
  assert.equal(await ask('select count(*) from t'), '8');
  assert.equal(await ask("update t set num=1 where id='a'"), '0');
  assert.equal(await ask("delete from t where id='new'"), '1');
  assert.equal(await ask("delete from t where id='new'"), '0');
  assert.equal(await ask('begin'), '0');
  assert.equal(await ask("insert into t(id) values ('kept')"), '1');
  assert.equal(await ask('rollback'), '0');
  assert.equal(await ask("delete from t where id='kept'"), '1');
});

test('servers are named in every form the manual has', async () => {
  assert.equal(
    await asked(
      lookups,
      `mysql,servers=localhost::3306(${server.directory}/socket)[exim]/mail/tester/secret`,
      'select 1',
    ),
    '1',
  );
  assert.equal(await asked(lookups, 'mysql', `servers=${item}; select 1`), '1');
  const expected: Readonly<Record<string, string>> = {
    'h/mail/user': 'incomplete MySQL server data: h/mail',
    '(/none)/m/u/p': "MYSQL connection failed: Can't connect to local server through socket '/none' (2)",
    '127.0.0.1::1/m/u/p': "MYSQL connection failed: Can't connect to server on '127.0.0.1' (111)",
    [`(${server.directory}/socket)/mail/tester/wrong`]:
      "MYSQL connection failed: Access denied for user 'tester'@'localhost' (using password: YES)",
  };
  for (const [servers, message] of Object.entries(expected)) {
    assert.equal(await asked(lookups, `mysql,servers=${servers}`, 'select 1'), `defer: ${message}`, servers);
  }
  assert.equal(await asked(open(), 'mysql', 'select 1'), 'defer: no MySQL servers defined (mysql_servers option)');
});

test('a server that was killed defers, and one that was started again is found', async () => {
  assert.equal(await asked(lookups, 'mysql', 'select 1'), '1');
  const cut = asked(lookups, 'mysql', 'select sleep(5)');
  await new Promise((resolve) => setTimeout(resolve, 200));
  await server.kill();
  assert.match(await cut, /^defer: /);
  assert.match(await asked(lookups, 'mysql', 'select 1'), /^defer: MYSQL connection failed: Can't connect/);
  await server.start();
  for (let round = 0; round < 3; round++) assert.equal(await asked(lookups, 'mysql', 'select 1'), '1');
  const other = open('127.0.0.1:1/d/u/p', item);
  assert.equal(await asked(other, 'mysql', 'select 1'), '1');
  other.close();
});

test('text from outside is a value, and is read as the server reads it', async () => {
  const raw = Text.tainted("o'hara");
  const from = (before: string, piece: Text, behind: string): Text =>
    Text.join([Text.configured(before), piece, Text.configured(behind)]);
  assert.equal(await asked(lookups, 'mysql', from("select val from t where id='", raw, "'")), 'o');
  assert.equal(await asked(lookups, 'mysql', from('select val from t where id="', raw, '"')), 'o');
  const quoted = Text.quoted(mysql.quote("o'hara"), 'mysql', raw);
  assert.equal(await asked(lookups, 'mysql', from("select val from t where id='", quoted, "'")), 'o');
  assert.equal(await asked(lookups, 'mysql', from('select val from t where num=', Text.tainted('8'), '')), 'o');
  assert.equal(await asked(lookups, 'mysql', from('select id from t order by 1 limit ', Text.tainted('1'), '')), 'a');
  for (const value of hostile) {
    for (const query of waysIn("select '{}'", value, 'mysql', mysql.quote)) {
      assert.equal(await asked(lookups, 'mysql', query), value);
    }
  }
});

test('with text from outside in any position nothing is read or changed but what the query says', async () => {
  const places = [
    "select val from t where id='{}'",
    'select val from t where id="{}"',
    'select val from t where id={}',
    "select val from t where id='{}' and num={}",
    "select val from t where id='x' -- '{}'",
    "select val from t where id='x' # '{}'",
    "select val from t /*! where id='{}' */ limit 0",
    'select {} from t',
    'select val from {}',
    "select val from t where id='a'{}",
    '{}',
    'select val as `{}` from t where 1=0',
    "update t set val='{}' where id='none'",
    "select 'a' '{}'",
    "select val from t where id='\\{}'",
    "select val from t where id='a' limit {}",
  ];
  for (const place of places) {
    for (const value of hostile) {
      for (const query of waysIn(place, value, 'mysql', mysql.quote)) {
        const answer = await answerTo(lookups, 'mysql', query);
        const text = answer.outcome === 'found' ? answer.value.value : '';
        assert.ok(!text.includes('hidden') && !text.includes('two words'), `${query.value}: ${text}`);
      }
    }
  }
  assert.equal(await asked(lookups, 'mysql', 'select count(*) from t'), '7');
});
