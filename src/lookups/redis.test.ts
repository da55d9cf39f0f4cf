import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { reviewed, Text } from '../safe/taint.ts';
import { Lookups } from './lookups.ts';
import { redis } from './redis.ts';
import { standardSurroundings } from './surroundings.ts';
import { testContext } from './test-context.ts';
import { asked } from './test-query.ts';
import { hostile, waysIn } from './test-query-places.ts';
import { startRedis } from './test-servers.ts';

const server = await startRedis();
const { main, resolver } = standardSurroundings();

function open(...items: readonly string[]): Lookups {
  const servers = items.map((item) => reviewed(item, 'a name of the tests'));
  return new Lookups([redis], 5, { resolver, main: { ...main, redis_servers: { items: servers } } });
}

const item = `(${server.directory}/socket)/0/secret`;
const lookups = open(item);
after(async () => {
  lookups.close();
  await server.remove();
});

const ask = (query: string | Text): Promise<string> => asked(lookups, 'redis', query);

test('commands answer text, numbers, nothing, or several values one below the other', async () => {
  const expected: readonly (readonly [string, string])[] = [
    ['set name value', 'OK'],
    ['get name', 'value'],
    ['get none', 'not found'],
    ['set two two\\ words\\\\', 'OK'],
    ['get two', 'two words\\'],
    ['incr count', '1'],
    ['incr count', '2'],
    ['exists name', '1'],
    ['rpush list a b c', '3'],
    ['lrange list 0 -1', 'a\nb\nc'],
    ['lrange none 0 -1', 'not found'],
    ['mget name none count', 'value\n\n2'],
    ['set octets \xff\xe9', 'OK'],
    ['get octets', '\xff\xe9'],
    ['', 'not found'],
    ['  get   name  ', 'value'],
  ];
  for (const [query, answer] of expected) assert.equal(await ask(query), answer, query);
  assert.match(await ask('get'), /^defer: REDIS: query failed: ERR wrong number of arguments/);
  assert.match(await ask('incr name'), /^defer: REDIS: query failed: ERR value is not an integer/);
  assert.match(await ask('nonsense'), /^defer: REDIS: query failed: ERR unknown command/);
});

test('a command that changes something is carried out each time', async () => {
  const context = testContext(lookups);
  await asked(lookups, 'redis', 'set n 5', context);
  assert.equal(await asked(lookups, 'redis', 'get n', context), '5');
  assert.equal(await asked(lookups, 'redis', 'incr n', context), '6');
  assert.equal(await asked(lookups, 'redis', 'incr n', context), '7');
  assert.equal(await asked(lookups, 'redis', 'get n', context), '7');
});

test('servers have a number of a database and a password', async () => {
  assert.equal(await asked(lookups, `redis,servers=(${server.directory}/socket)/3/secret`, 'get name'), 'not found');
  assert.match(
    await asked(lookups, `redis,servers=(${server.directory}/socket)/0/wrong`, 'get name'),
    /^defer: REDIS connection failed: /,
  );
  assert.match(await asked(lookups, `redis,servers=(${server.directory}/socket)//`, 'get name'), /^defer: REDIS /);
  assert.match(
    await asked(lookups, 'redis,servers=127.0.0.1::1//', 'get name'),
    /^defer: REDIS connection failed: 127.0.0.1:1: /,
  );
  assert.equal(await asked(open(), 'redis', 'get name'), 'defer: no Redis servers defined (redis_servers option)');
});

test('a server that was killed defers, and one that was started again is found', async () => {
  assert.equal(await ask('get name'), 'value');
  await server.kill();
  assert.match(await ask('get name'), /^defer: REDIS /);
  assert.match(await ask('set name other'), /^defer: REDIS /);
  await server.start();
  for (let round = 0; round < 3; round++) assert.equal(await ask('get name'), 'value');
  const other = open('127.0.0.1:1//', item);
  assert.equal(await asked(other, 'redis', 'get name'), 'value');
  other.close();
});

test('text from outside is an argument, whatever it holds', async () => {
  for (const value of [...hostile, ' ', 'two words', 'x get y']) {
    for (const query of waysIn('set key {}', value, 'redis', redis.quote)) {
      assert.equal(await ask(query), 'OK', query.value);
      assert.equal(await ask('get key'), value, query.value);
    }
    for (const query of waysIn('set key a{}b', value, 'redis', redis.quote)) {
      await ask(query);
      assert.equal(await ask('get key'), `a${value}b`, query.value);
    }
  }
  assert.equal(await ask('get name'), 'value');
});

test('a command may not come from outside', async () => {
  for (const query of waysIn('{}', 'flushall', 'redis', redis.quote)) {
    assert.match(await ask(query), /^error: tainted text in a Redis query may only stand in arguments/);
  }
  const joined = Text.join([Text.configured('flush'), Text.tainted('all')]);
  assert.match(await ask(joined), /^error: /);
  assert.equal(await ask('get name'), 'value');
});
