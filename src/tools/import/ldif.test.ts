import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ldifEntries } from './ldif.ts';
import { addition, dnValue, ldifLine, normalDn } from './ldif-text.ts';
import { TestTeller, withFile } from './test-teller.ts';

function read(text: string): { readonly entries: readonly unknown[]; readonly losses: readonly string[] } {
  return withFile(text, (path) => {
    const teller = new TestTeller();
    const entries = [...ldifEntries(path, teller)].map(({ dn, attributes }) => ({
      dn,
      ...Object.fromEntries(attributes),
    }));
    return { entries, losses: teller.losses };
  });
}

test('entries are read as slapcat and ldapsearch write them', () => {
  const { entries, losses } = read(`version: 1

# a comment
#  that goes on
dn: uid=ann,
 o=top
cn:: w6k=
mail: a@x.example
mail;lang-en: b@x.example\r
empty:

dn: uid=bob,o=top
changetype: add
mail: c@x.example

search: 2
result: 0 Success`);
  assert.deepEqual(losses, []);
  assert.deepEqual(entries, [
    { dn: 'uid=ann,o=top', cn: ['\xc3\xa9'], mail: ['a@x.example', 'b@x.example'], empty: [''] },
    { dn: 'uid=bob,o=top', changetype: ['add'], mail: ['c@x.example'] },
  ]);
});

test('what is no entry is told with its line, and the next one is read', () => {
  const { entries, losses } = read(` x
mail: lost@x.example

dn: a=1
changetype: delete

dn: a=2
jpeg:< file:///etc/passwd
no line
bad:: ***
good: 1
`);
  assert.deepEqual(entries, [{ dn: 'a=2', good: ['1'] }]);
  assert.deepEqual(
    losses.map((line) => line.split(':')[0]),
    ['1', '2', '4', '8', '9', '10'],
  );
});

test('what is written can be read again, whatever the values are', () => {
  const values = ['plain', ' blank', 'blank ', ':colon', '<less', 'a\nb', '\0', '\xe9', '', 'a:b'];
  const { entries, losses } = read(
    addition(
      'cn=x,o=top',
      values.map((value) => ['value', value]),
    ),
  );
  assert.deepEqual(losses, []);
  assert.deepEqual(entries, [{ dn: 'cn=x,o=top', changetype: ['add'], value: values }]);
  assert.equal(ldifLine('cn', 'caf\xe9'), 'cn:: Y2Fm6Q==\n');
});

test('names of entries are escaped, and compared whatever their spelling', () => {
  assert.equal(dnValue('a,b+c"d\\e<f>g;h=i'), 'a\\,b\\+c\\"d\\\\e\\<f\\>g\\;h\\=i');
  assert.equal(dnValue(' #x '), '\\ #x\\ ');
  assert.equal(normalDn('UID=Ann , O = Top'), 'uid=ann,o=top');
  assert.equal(normalDn('mailAlias=a\\2Cb,o=top'), normalDn(`mailAlias=${dnValue('a,b')},o=top`));
});
