/** Lists of Exim 3 in the form of Exim 4. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { convertList, type OldListKind, type Purpose, withItems } from './lists.ts';

const list = (text: string, kind: OldListKind, purpose?: Purpose, wasExpanded?: boolean): string =>
  convertList(text, kind, purpose, wasExpanded).text;

test('a list without anything special stays as it is written', () => {
  for (const text of ['', 'a.b', ' a.b:c.d ', 'partial-lsearch;/x : @', '<; a ; ::1', '! a : *']) {
    assert.equal(list(text, 'domain'), text);
  }
});

test('regular expressions are protected from expansion, unless they were expanded before', () => {
  assert.equal(list('a : ^x\\d+\\.b$ : ! ^y$', 'domain'), 'a : \\N^x\\d+\\.b$\\N : ! \\N^y$\\N');
  assert.equal(list('^x\\\\d\\$', 'domain', 'other', true), '^x\\\\d\\$');
});

test('$key is the thing that is looked for, and is quoted for its server', () => {
  assert.equal(
    list("pgsql;select d from t where d='$key'", 'domain'),
    "pgsql;select d from t where d='${quote_pgsql:$domain}'",
  );
  assert.equal(
    list('ldap;ldap::///dc=${quote_ldap::${key}}?a', 'sender'),
    'ldap;ldap::///dc=${quote_ldap:$sender_address}?a',
  );
  assert.equal(list('<| mysql;select ${key}', 'sender host'), '<| mysql;select ${quote_mysql:$sender_host_address}');
});

test('a table of addresses is asked for the domain first', () => {
  assert.equal(list('a@b : lsearch;/x : !dbm;/y', 'sender'), 'a@b : *@lsearch;/x : lsearch;/x : !*@dbm;/y : !dbm;/y');
  assert.equal(list('@@dbm;/x', 'sender'), '@@dbm;/x');
  assert.equal(list('lsearch;/x', 'domain'), 'lsearch;/x');
});

test('a host without a name is not let in, and is kept out, unless the list says otherwise', () => {
  assert.equal(list('*.a.b', 'sender host', 'accept'), '*.a.b');
  assert.equal(list('+allow_unknown : *.a.b', 'sender host', 'accept'), '+include_unknown : *.a.b');
  assert.equal(list('*.a.b', 'sender host', 'reject'), '+include_unknown : *.a.b');
  assert.equal(list('+warn_unknown : *.a.b', 'sender host', 'reject'), '+include_unknown : +ignore_unknown : *.a.b');
  assert.equal(list('10.0.0.0/8 : net24-dbm;/x', 'sender host', 'reject'), '10.0.0.0/8 : net24-dbm;/x');
});

test('an item that cannot be expressed is told, and stays where it matches nothing', () => {
  const { text, problems } = convertList('! 10.0.0.1 : root@10.0.0.2', 'sender host', 'accept');
  assert.equal(problems.length, 1);
  assert.match(text, /: root@10\.0\.0\.2$/);
});

test('items that are added do not change what a negated end means', () => {
  assert.equal(withItems('a : b', ['@']), 'a : b : @');
  assert.equal(withItems('a : !b', ['@']), '@ : a : !b');
  assert.equal(withItems('', ['@', '@[]']), '@ : @[]');
  assert.equal(withItems('<; a ; b', ['@']), '<; a ; b ; @');
  assert.equal(withItems('a', []), 'a');
});
