import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSecureContext, getCiphers } from 'node:tls';
import { isPriorities, rulesOfPriorities } from './gnutls-priorities.ts';

test('a string that begins with a word of GnuTLS is one of its', () => {
  for (const text of ['NORMAL', 'SECURE192:-VERS-TLS1.0', 'NONE:+VERS-TLS1.2']) assert.ok(isPriorities(text));
  for (const text of ['HIGH:!aNULL', 'NORMALLY', 'ECDHE-RSA-AES128-GCM-SHA256', '']) assert.ok(!isPriorities(text));
});

test('all names are such as the library has', () => {
  const { ciphers = '' } = rulesOfPriorities('NORMAL');
  const known = new Set(getCiphers());
  const names = ciphers.split(':').map((name) => name.toLowerCase());
  assert.ok(names.length > 20);
  for (const name of names) assert.ok(known.has(name), name);
  createSecureContext(rulesOfPriorities('NORMAL'));
});

test('words take away, add, and forbid', () => {
  for (const [text, minVersion, maxVersion, ciphers] of [
    [
      'NONE:+VERS-TLS1.2:+AES-128-GCM:+ECDHE-RSA:+AEAD',
      'TLSv1.2',
      'TLSv1.2',
      'TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256',
    ],
    [
      'SUITEB192:-VERS-TLS1.3:%SERVER_PRECEDENCE:+GROUP-ALL',
      'TLSv1',
      'TLSv1.2',
      'TLS_AES_256_GCM_SHA384:ECDHE-ECDSA-AES256-GCM-SHA384',
    ],
    ['NORMAL:-KX-ALL:-CIPHER-ALL:+AES-128-GCM:-VERS-ALL:+VERS-TLS1.3', 'TLSv1.3', 'TLSv1.3', 'TLS_AES_128_GCM_SHA256'],
    [
      'SECURE256:!AES-256-GCM:+AES-256-GCM:-MAC-ALL:+AEAD:-KX-ALL:+DHE-RSA',
      ...(['TLSv1', 'TLSv1.3', 'TLS_CHACHA20_POLY1305_SHA256:DHE-RSA-CHACHA20-POLY1305'] as const),
    ],
  ] as const) {
    assert.deepEqual(rulesOfPriorities(text), { minVersion, maxVersion, ciphers }, text);
  }
});

test('a string that leaves nothing is a mistake, and not everything', () => {
  for (const text of ['NONE', 'NORMAL:-VERS-ALL', 'NORMAL:-CIPHER-ALL', 'NORMAL:-VERS-TLS1.3:-KX-ALL']) {
    assert.throws(() => rulesOfPriorities(text), /leaves no ciphers/, text);
  }
});
