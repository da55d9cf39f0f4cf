import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CdbWriter } from '../../lib/cdb.ts';
import { TestDirectory } from '../../lib/test-directory.ts';
import * as files from '../../safe/files.ts';
import { assignments, assignmentsOfCdb, type NameSpace, NameSpaces } from './qmail-users.ts';
import { TestTeller, withFile } from './test-teller.ts';

const shown = ({ name, exact, user, uid, home, dash, extension }: NameSpace): string =>
  `${exact ? '=' : '+'}${name}:${user}:${uid}:${home}:${dash}:${extension}`;

test('all forms of assignments are read, up to the dot', () => {
  withFile(
    '=Joe:joe:500:500:/h/joe:::\n+joe-:joe:500:500:/h/joe/:-::\n+:alias:7:7:/a:-::\nodd\n=x:y:z:1:/h:::\n=k:k:1:1:rel:::\n.\n=late:l:1:1:/l:::\n',
    (path) => {
      const teller = new TestTeller();
      assert.deepEqual([...assignments(path, teller)].map(shown), [
        '=joe:joe:500:/h/joe::',
        '+joe-:joe:500:/h/joe:-:',
        '+:alias:7:/a:-:',
      ]);
      assert.deepEqual(
        teller.losses.map((line) => line.slice(0, 2)),
        ['4:', '5:', '6:'],
      );
    },
  );
});

test('the table of qmail-newu says the same', () => {
  const directory = new TestDirectory();
  const file = files.open(directory.file('cdb'), files.createNew);
  const table = new CdbWriter(file);
  const octets = (text: string): Buffer => Buffer.from(text, 'latin1');
  table.add(octets('!joe\0'), octets(['joe', '500', '500', '/h/joe', '', '', ''].join('\0')), false);
  table.add(octets('!joe-'), octets(['joe', '500', '500', '/h/joe', '-', '', ''].join('\0')), false);
  table.add(octets(''), octets('-'), false);
  table.add(octets('!bad'), octets('x'), false);
  table.finish();
  files.close(file);
  const teller = new TestTeller();
  const found = [...assignmentsOfCdb(directory.file('cdb'), teller)].map(shown);
  assert.deepEqual(found, ['=joe:joe:500:/h/joe::', '+joe-:joe:500:/h/joe:-:']);
  assert.deepEqual(teller.losses, ['the entry of "bad" is damaged']);
  const short = directory.write('short', 'no cdb');
  assert.deepEqual([...assignmentsOfCdb(short, teller)], []);
  assert.equal(teller.losses.at(-1), 'too short');
  directory.remove();
});

test('a name belongs to its assignment, to the longest prefix, to an account, or to alias, in this order', () => {
  const space = (name: string, exact: boolean, user: string): NameSpace => ({
    name,
    exact,
    user,
    uid: 1,
    gid: 1,
    home: '/h',
    dash: '',
    extension: '',
    origin: { file: 'x' },
  });
  const spaces = new NameSpaces(space('', false, 'alias'));
  spaces.assigned.add(space('ann', true, 'assigned'));
  spaces.assigned.add(space('ann-', false, 'prefix'));
  spaces.assigned.add(space('ann-lists-', false, 'longer'));
  spaces.accounts.add(space('ann', true, 'account'));
  spaces.accounts.add(space('bob', true, 'account'));
  assert.equal(spaces.assigned.add(space('ann', true, 'second')), false);
  const owners = ['ann', 'ann-x', 'ann-lists-x', 'bob', 'eve'].map((name) => spaces.of(name).user);
  assert.deepEqual(owners, ['assigned', 'prefix', 'longer', 'account', 'alias']);
});
