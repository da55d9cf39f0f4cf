import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { userWithId } from '../safe/users.ts';
import { Lookups } from './lookups.ts';
import { passwd } from './passwd.ts';
import { answerTo, asked } from './test-query.ts';

const lookups = new Lookups([passwd], 5);
after(() => lookups.close());

const root = userWithId(0);

test('a user is answered as in /etc/passwd, with an asterisk for the password', async () => {
  assert.ok(root);
  const line = `*:0:${root.gid}:${root.gecos}:${root.home}:${root.shell}`;
  assert.equal(await asked(lookups, 'passwd', 'root'), line);
  assert.equal(await asked(lookups, 'passwd', ' root'), line);
});

test('only the name itself is looked for', async () => {
  for (const name of [
    '',
    '0',
    '65534',
    '123456',
    'ROOT',
    'root:',
    'root ',
    'root\0',
    'no such user',
    'x'.repeat(10_000),
  ]) {
    assert.equal(await asked(lookups, 'passwd', name), 'not found', name);
  }
});

test('the answer and, with ret=key, the name may be used where outside text may not', async () => {
  for (const type of ['passwd', 'passwd,ret=key']) {
    const answer = await answerTo(lookups, type, 'root');
    assert.equal(answer.outcome === 'found' && answer.value.isClean, true);
  }
  assert.equal(await asked(lookups, 'passwd,ret=key', 'root'), 'root');
  assert.equal(await asked(lookups, 'passwd,ret=key', 'no such user'), 'not found');
});
