import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { reviewed, Text } from '../safe/taint.ts';
import { ldap, ldapdn, ldapm } from './ldap.ts';
import { askLdapServer } from './ldap-database.ts';
import { Lookups } from './lookups.ts';
import { type MainOptions, standardSurroundings } from './surroundings.ts';
import { testContext } from './test-context.ts';
import { answerTo, asked } from './test-query.ts';
import { hostile, waysIn } from './test-query-places.ts';
import { freePort, startSlapd } from './test-servers.ts';

const port = await freePort();
const server = await startSlapd(
  `dn: o=top
objectClass: organization
o: top

dn: ou=people,o=top
objectClass: organizationalUnit
ou: people

dn: uid=ann,ou=people,o=top
objectClass: inetOrgPerson
uid: ann
cn: Ann
sn: Comma, Here
sn: two
mail: ann@example.com
userPassword: annpw

dn: uid=bob,ou=people,o=top
objectClass: inetOrgPerson
uid: bob
cn: with "quote" and \\ back
sn: Bob
description:: bGluZTEKbGluZTIsY29tbWE=
userPassword: s3cret "x"

dn: uid=o'hara+cn=x,ou=people,o=top
objectClass: inetOrgPerson
uid: o'hara
cn: x
sn: (star*)

dn: ou=refs,o=top
objectClass: organizationalUnit
ou: refs

dn: ou=elsewhere,ou=refs,o=top
objectClass: referral
objectClass: extensibleObject
ou: elsewhere
ref: ldap://127.0.0.1:${port}/ou=people,o=top
`,
  port,
);
const { main, resolver } = standardSurroundings();

function open(options: Partial<MainOptions>): Lookups {
  return new Lookups([ldap, ldapdn, ldapm], 5, { resolver, main: { ...main, ...options } });
}

const servers = (...items: readonly string[]) => ({
  items: items.map((item) => reviewed(item, 'a name of the tests')),
});
const standard = { ldap_default_servers: servers(`${server.directory}/socket`) };
const lookups = open(standard);
after(async () => {
  lookups.close();
  await server.remove();
});

async function check(type: string, expected: Readonly<Record<string, string>>): Promise<void> {
  for (const [query, value] of Object.entries(expected)) assert.equal(await asked(lookups, type, query), value, query);
}

const ann = 'uid=ann,ou=people,o=top';

test('one attribute is answered bare, several with their names', async () => {
  await check('ldap', {
    [`ldap:///${ann}?mail?base`]: 'ann@example.com',
    [`ldap:///${ann}?sn`]: 'Comma,, Here,two',
    [`ldap:///${ann}?sn,mail`]: 'sn="Comma,, Here,two" mail="ann@example.com"',
    [`ldap:///${ann}?name`]: 'Ann,Comma,, Here,two',
    [`ldap:///${ann}`]: 'objectClass="inetOrgPerson" uid="ann" cn="Ann" sn="Comma,, Here,two" mail="ann@example.com"',
    'ldap:///ou=people,o=top?description?sub?(uid=bob)': 'line1\nline2,,comma',
    'ldap:///ou=people,o=top?cn,description?sub?(uid=bob)':
      'cn="with \\"quote\\" and \\\\ back" description="line1\\nline2,,comma"',
    [`ldap:///${ann}?description`]: 'not found',
    [`ldap:///${ann}?1.1`]: 'not found',
    'ldap:///ou=people,o=top?uid?sub?(uid=none)': 'not found',
    'ldap:///ou=none,o=top?uid': 'not found',
    'ldap:///badbase?uid': 'not found',
    '': 'not found',
  });
});

test('ldapm takes several entries, ldapdn the name of one', async () => {
  const people = 'ldap:///ou=people,o=top?uid?one';
  await check('ldapm', {
    [people]: "ann\nbob\no'hara",
    'ldap:///ou=people,o=top?mail?one': 'ann@example.com\n\n',
    [`size=2 ${people}`]: 'ann\nbob',
  });
  await check('ldapdn', {
    'ldap:///ou=people,o=top?uid?sub?(uid=ann)': ann,
    [people]: 'defer: LDAP search: more than one entry (3) was returned (filter not specific enough?)',
  });
  assert.match(await asked(lookups, 'ldap', people), /^defer: LDAP search: more than one entry \(3\)/);
  assert.equal(await asked(lookups, 'ldap', `size=1 ${people}`), 'ann');
});

test('filters of every kind', async () => {
  const found = async (filter: string): Promise<string> =>
    asked(lookups, 'ldapm', `referrals=nofollow ldap:///ou=people,o=top?uid?sub?${filter}`);
  const expected: Readonly<Record<string, string>> = {
    'uid=ann': 'ann',
    '(&(uid=a*)(mail=*))': 'ann',
    '(|(uid=ann)(uid=bob))': 'ann\nbob',
    '(&(objectClass=inetOrgPerson)(!(uid=ann)))': "bob\no'hara",
    '(uid=a*n)': 'ann',
    '(uid=*n*)': 'ann',
    '(uid~=ann)': 'ann',
    '(uid:caseExactMatch:=ann)': 'ann',
    '(uid=\\61nn)': 'ann',
    '(uid=%61nn)': 'ann',
    '(sn=%5C28star%5C2a%5C29)': "o'hara",
  };
  for (const [filter, value] of Object.entries(expected)) {
    assert.equal(await found(filter), value, filter);
  }
  for (const filter of [
    '(uid=',
    '(uid=ann)x',
    '(uid=ann)(uid=bob)',
    '( uid = ann )',
    '(uid)',
    '(=x)',
    '(&(uid=ann)',
    '(',
  ]) {
    assert.equal(await found(filter), 'defer: ldap_search failed: -7, Bad search filter', filter);
  }
  assert.match(await found(`${'(!'.repeat(1000)}(uid=ann)${')'.repeat(1000)}`), /Bad search filter/);
});

test('what is wrong with a query is told in the words of Exim', async () => {
  const expected: Readonly<Record<string, string>> = {
    'http:///o=top': 'malformed parameter setting precedes LDAP URL',
    'o=top': 'malformed parameter setting precedes LDAP URL',
    'user="x" y" ldap:///': 'malformed parameter setting precedes LDAP URL',
    'foo=bar ldap:///o=top': 'unknown parameter "foo=" precedes LDAP URL',
    'user = "x" ldap:///o=top': 'unknown parameter "user =" precedes LDAP URL',
    'referrals=maybe ldap:///o=top': 'LDAP option REFERRALS is not "follow" or "nofollow"',
    'ldap:o=top': 'LDAP URL does not start with "ldap://", "ldaps://", or "ldapi://" (it starts with "ldap:o=top...")',
    'ldap:///o=top?uid?foo': 'ldap_url_parse: (error 8) parsing "ldap:///o=top?uid?foo"\n',
    'ldap:///ou=people,o=top?uid?sub?(uid=ann)?':
      'ldap_url_parse: (error 10) parsing "ldap:///ou=people,o=top?uid?sub?(uid=ann)?"\n',
    'ldapi://127.0.0.1/o=top': 'ldapi requires an absolute path ("127.0.0.1" given)',
    'ldap://127.0.0.1:1/o=top': 'failed to bind the LDAP connection to server 127.0.0.1:1 - ldap_bind() returned -1',
    'user="cn=manager,o=top" pass=wrong ldap:///o=top': `failed to bind the LDAP connection to server ${server.directory}/socket - LDAP error 49: Invalid credentials`,
  };
  for (const [query, message] of Object.entries(expected)) {
    assert.equal(await asked(lookups, 'ldap', query), `defer: ${message}`, query);
  }
});

test('a server is named in the URL, in a setting or in the main section', async () => {
  const socket = encodeURIComponent(`${server.directory}/socket`);
  await check('ldap', {
    [`ldapi://${socket}/o=top?o`]: 'top',
    [`ldap://${socket}/o=top?o`]: 'top',
    [`ldap://127.0.0.1:${port}/o=top?o`]: 'top',
    [`servers=127.0.0.1::${port} ldap:///o=top?o`]: 'top',
    [`servers="127.0.0.1::1:127.0.0.1::${port}" ldap:///o=top?o`]: 'top',
    [`user="cn=manager,o=top" pass=secret size=1 time=5 nettime=5 connect=3 dereference=always ldap:///o=top?o`]: 'top',
    [`user=uid=ann%2Cou=people,o=top pass=annpw ldap:///o=top?o`]: 'top',
  });
  const own = open({ ldap_default_servers: servers('127.0.0.1:1', `127.0.0.1:${port}`) });
  assert.equal(await asked(own, 'ldap', 'ldap:///o=top?o'), 'top');
  own.close();
});

test('referrals are followed unless it says not to', async () => {
  const query = 'ldap:///ou=refs,o=top?uid?sub?(uid=ann)';
  assert.equal(await asked(lookups, 'ldap', query), 'ann');
  assert.equal(await asked(lookups, 'ldap', `referrals=nofollow ${query}`), 'not found');
});

test('a server that was killed defers, and one that was started again is found', async () => {
  assert.equal(await asked(lookups, 'ldap', 'ldap:///o=top?o'), 'top');
  await server.kill();
  assert.match(await asked(lookups, 'ldap', 'ldap:///o=top?o'), /^defer: failed to bind the LDAP connection/);
  await server.start();
  for (let round = 0; round < 3; round++) assert.equal(await asked(lookups, 'ldap', 'ldap:///o=top?o'), 'top');
});

test('with TLS the server has to prove who it is, unless it says otherwise', async () => {
  const query = `ldap://127.0.0.1:${port}/o=top?o`;
  const refused = /^defer: failed to bind the LDAP connection/;
  const expected: readonly (readonly [Partial<MainOptions>, RegExp])[] = [
    [{}, refused],
    [{ ldap_require_cert: 'hard' }, refused],
    [{ ldap_require_cert: 'never' }, /^top$/],
    [{ ldap_require_cert: 'allow' }, /^top$/],
    [{ ldap_ca_cert_file: `${server.directory}/certificate.pem` }, /^top$/],
    [{ ldap_ca_cert_file: `${server.directory}/none.pem`, ldap_require_cert: 'never' }, refused],
  ];
  for (const [options, answer] of expected) {
    const own = open({ ldap_start_tls: true, ...options });
    assert.match(await asked(own, 'ldap', query), answer, JSON.stringify(options));
    assert.match(await asked(own, 'ldap', query), answer, JSON.stringify(options));
    own.close();
  }
});

test('TLS is not for sockets of this machine, and a port without it is not spoken to in TLS', async () => {
  const own = open({ ...standard, ldap_start_tls: true });
  assert.match(await asked(own, 'ldap', `ldap://127.0.0.1:${port}/o=top?o`), /^defer: failed to bind/);
  // the option is not for sockets of this machine
  assert.equal(await asked(own, 'ldap', 'ldap:///o=top?o'), 'top');
  own.close();
  assert.match(await asked(lookups, 'ldap', `ldaps://127.0.0.1:${port}/o=top?o`), /^defer: failed to bind/);
});

test('quoting is what Exim does', () => {
  assert.equal(ldap.quote(' a(bc)*, a<yz>; '), '%20a%5C28bc%5C29%5C2A%2C%20a%3Cyz%3E%3B%20');
  const name = (text: string): unknown => lookups.quote('ldap', text, 'dn');
  assert.deepEqual(name(' a(bc)*, a<yz>; '), { text: '%5C%20a(bc)*%5C%2C%20a%5C%3Cyz%5C%3E%5C%3B%5C%20' });
  assert.deepEqual(name(' #a=b/c?'), { text: '%5C%20%5C%23a%3Db%2Fc%3F' });
  assert.deepEqual(name('  '), { text: '%5C%20%5C%20' });
  assert.deepEqual(lookups.quote('ldap', 'x', 'foo'), { error: '"foo" unrecognized after "${quote_ldap"' });
});

test('text from outside is a value, quoted or not', async () => {
  const value = "o'hara";
  for (const query of waysIn('ldap:///ou=people,o=top?sn?sub?(uid={})', value, 'ldap', ldap.quote)) {
    assert.equal(await asked(lookups, 'ldap', query), '(star*)', query.value);
  }
  for (const query of waysIn('ldap:///uid={},ou=people,o=top?uid?base', 'ann', 'ldap', ldap.quote)) {
    assert.equal(await asked(lookups, 'ldap', query), 'ann', query.value);
  }
  for (const query of waysIn('ldap:///ou=people,o=top?uid?sub?(sn={})', '(star*)', 'ldap', ldap.quote)) {
    assert.equal(await asked(lookups, 'ldap', query), value, query.value);
  }
});

test('with text from outside in any position nothing is found but what the query says', async () => {
  const places = [
    'ldap:///ou=people,o=top?uid?sub?(uid={})',
    'ldap:///ou=people,o=top?uid?sub?(&(uid=none)(cn={}))',
    'ldap:///ou=people,o=top?uid?sub?(uid=x{}y)',
    'ldap:///uid={},ou=people,o=top?uid?base',
    'ldap:///uid={},o=top?uid?sub',
    'ldap:///{}?uid?sub',
    'ldap:///ou=people,o=top?{}?sub?(uid=none)',
    'ldap:///o=top?uid?{}?(uid=none)',
    'ldap:///ou=people,o=top?uid?sub?{}',
    'ldap:///ou=people,o=top?uid?sub?({}=ann)',
    'ldap:///ou=people,o=top?uid?sub?(uid=none)?{}',
    'ldap://{}/o=top?uid?sub?(uid=none)',
    '{}',
    'size={} ldap:///ou=people,o=top?uid?sub?(uid=none)',
    'user={} ldap:///ou=people,o=top?uid?sub?(uid=none)',
    'servers={} ldap:///ou=people,o=top?uid?sub?(uid=none)',
    'user="cn={},o=top" pass={} ldap:///ou=people,o=top?uid?sub?(uid=none)',
  ];
  for (const place of places) {
    for (const value of [...hostile, 'x)(uid=*', ' servers=evil ldap:///', 'x,ou=people,o=top', '\\2a', '%5c2a']) {
      for (const query of waysIn(place, value, 'ldap', ldap.quote)) {
        const answer = await answerTo(lookups, 'ldapm', query);
        assert.notEqual(answer.outcome, 'found', query.value);
      }
    }
  }
});

test('a query with misplaced text from outside is refused with the remedy', async () => {
  const query = Text.join([Text.configured('ldap:///ou=people,o=top?uid?sub?'), Text.tainted('(uid=*)')]);
  assert.match(
    await asked(lookups, 'ldap', query),
    /^error: tainted text in an LDAP query .*\$\{quote_ldap:\$local_part\}/,
  );
});

test('what was not quoted is told of once', async () => {
  const lines: string[] = [];
  const context = testContext(lookups);
  const listening = { ...context, services: { ...context.services, log: (text: string) => void lines.push(text) } };
  const [bare, quoted] = waysIn('ldap:///ou=people,o=top?uid?sub?(uid={})', 'none', 'ldap', ldap.quote);
  for (const query of [bare, quoted, bare]) if (query !== undefined) await asked(lookups, 'ldap', query, listening);
  assert.deepEqual(lines, ['tainted search query is not properly quoted: ldap:///ou=people,o=top?uid?sub?(uid=none)']);
});

test('ldapauth accepts a user with the right password and nobody else', async () => {
  const options = { ...main, ...standard };
  const answer = async (query: string | Text): Promise<unknown> => {
    const found = await askLdapServer(options, typeof query === 'string' ? Text.configured(query) : query);
    return 'error' in found ? found.error : found.accepted;
  };
  assert.equal(await answer(`user="${ann}" pass=annpw ldap:///`), true);
  assert.equal(await answer(`user="${ann}" pass=annpw ldap://127.0.0.1:${port}`), true);
  assert.equal(await answer(`user="${ann}" pass=wrong ldap:///`), false);
  assert.equal(await answer(`user="${ann}" pass="" ldap:///`), false);
  assert.equal(await answer('user="" pass="x" ldap:///'), false);
  assert.equal(await answer('user="cn=nobody,o=top" pass="x" ldap:///'), false);
  assert.equal(await answer('pass="x" ldap:///'), 'ldapauth lookups must specify the username and password');
  assert.match(String(await answer('user="bad" pass="x" ldap:///')), /LDAP error 34: Invalid DN syntax$/);
  assert.match(String(await answer(`user="${ann}" pass=annpw ldap://127.0.0.1:1/`)), /ldap_bind\(\) returned -1$/);
  const bindAs = (name: string, password: Text): Text =>
    Text.join([
      Text.configured('user="uid='),
      Text.tainted(name),
      Text.configured(',ou=people,o=top" pass='),
      password,
      Text.configured(' ldap:///'),
    ]);
  assert.equal(await answer(bindAs('ann', Text.tainted('annpw'))), true);
  assert.equal(await answer(bindAs('bob', Text.tainted('"s3cret \\"x\\""'))), true);
  assert.equal(await answer(bindAs('ann,ou=people,o=top" pass=x', Text.tainted('annpw'))), false);
  assert.equal(await answer(bindAs('ann', Text.tainted('x ldap:/// user="x" pass=annpw'))), false);
  assert.equal(await answer(bindAs('ann', Text.tainted('""'))), false);
});
