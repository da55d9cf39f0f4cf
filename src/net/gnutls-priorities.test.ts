import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createSecureContext, type SecureVersion } from 'node:tls';
import { isPriorities, rulesOfPriorities } from './gnutls-priorities.ts';

const inOrder: readonly SecureVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

/** The suites that can come about, in their order: those of versions that are not spoken do not count. */
function suitesOf(priorities: string): string {
  const { ciphers = '', minVersion = 'TLSv1', maxVersion = 'TLSv1.3' } = rulesOfPriorities(priorities);
  const [first, last] = [inOrder.indexOf(minVersion), inOrder.indexOf(maxVersion)];
  const goes = (name: string): boolean => {
    if (name.startsWith('TLS_')) return last === 3;
    return first <= 2 && (name.endsWith('-SHA') || last >= 2);
  };
  return ciphers.split(':').filter(goes).join(':');
}

test('a string that begins with a word of GnuTLS is one of its', () => {
  for (const text of ['NORMAL', 'normal', 'SECURE192:-VERS-TLS1.0', 'NONE:+VERS-TLS1.2']) assert.ok(isPriorities(text));
  for (const text of ['HIGH:!aNULL', 'NORMALLY', 'ECDHE-RSA-AES128-GCM-SHA256', '']) assert.ok(!isPriorities(text));
});

test('suites are those of GnuTLS 3.7.9, in its order, and so are the strings that it refuses', () => {
  const lines = readFileSync(new URL('../../test/fixtures/gnutls-priorities.txt', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  assert.ok(lines.length > 150);
  for (const line of lines) {
    const [priorities = '', versions, names = ''] = line.split('\t');
    // where GnuTLS takes a string that leaves no suite, no session can begin
    if (versions === '!' || names === '') assert.throws(() => rulesOfPriorities(priorities), Error, priorities);
    else assert.equal(suitesOf(priorities), names, priorities);
  }
});

test('the library takes all names', () => {
  const every = `NORMAL:+AES-256-CCM-8:+AES-128-CCM-8:+CAMELLIA-256-CBC:+CAMELLIA-128-CBC:+SHA256:+SHA384`;
  assert.ok(suitesOf(every).split(':').length > 50);
  for (const name of suitesOf(every).split(':')) {
    createSecureContext({ ...rulesOfPriorities(every), ciphers: name });
  }
});

test('versions are the least and the greatest that can be spoken', () => {
  for (const [text, minVersion, maxVersion] of [
    ['NORMAL', 'TLSv1', 'TLSv1.3'],
    ['NORMAL:-VERS-TLS1.0:-VERS-TLS1.1', 'TLSv1.2', 'TLSv1.3'],
    ['NORMAL:-VERS-TLS1.3:-SHA1', 'TLSv1.2', 'TLSv1.2'],
    ['SECURE256', 'TLSv1.2', 'TLSv1.3'],
    ['SUITEB192', 'TLSv1.2', 'TLSv1.2'],
    ['NORMAL:-VERS-TLS1.2', 'TLSv1', 'TLSv1.1'],
    ['NORMAL:-SIGN-ALL', 'TLSv1', 'TLSv1.1'],
    ['NORMAL:-GROUP-ALL', 'TLSv1', 'TLSv1.2'],
    ['NORMAL:+SRP', 'TLSv1', 'TLSv1.2'],
    ['NORMAL:-KX-ALL', 'TLSv1.3', 'TLSv1.3'],
  ] as const) {
    const rules = rulesOfPriorities(text);
    assert.deepEqual([rules.minVersion, rules.maxVersion], [minVersion, maxVersion], text);
  }
});

test('a string that leaves nothing is a mistake, and not everything', () => {
  for (const text of ['NONE', 'NORMAL:-VERS-ALL', 'NORMAL:-CIPHER-ALL', 'NORMAL:-VERS-TLS1.3:-KX-ALL']) {
    assert.throws(() => rulesOfPriorities(text), /leaves no ciphers/, text);
  }
});

test('a word that is none is told, with the one that is near', () => {
  assert.throws(
    () => rulesOfPriorities('NORMAL:-VERS-TLS1.4'),
    /no priority "-VERS-TLS1.4" .*did you mean "-VERS-TLS1/,
  );
  assert.throws(() => rulesOfPriorities('NORMAL:%server_precedence'), /no priority "%server_precedence"/);
  assert.throws(() => rulesOfPriorities('NORMAL:-SECURE256'), /no priority "-SECURE256"/);
});
