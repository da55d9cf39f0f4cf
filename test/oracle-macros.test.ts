/** The macros that tell what a program can do, compared with those of the real Exim, with a reason for each that differs. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { otherBuilds } from './oracle/differences.ts';
import { type Job, runBoth } from './oracle/room.ts';

/** Those of the real one that are not defined here. */
const absent: readonly { readonly why: string; readonly macros: RegExp }[] = [
  {
    why: 'features that are not there yet, or by half',
    macros: /^_HAVE_(?:OCSP|PIPE_CONNECT|TCP_FASTOPEN)$/,
  },
  {
    why: 'features of GnuTLS or of the way Exim uses TLS',
    macros: /^_HAVE_(?:GNUTLS|TLS_CA_CACHE|TLS_OCSP|TLS_OCSP_LIST)$|^_RESUME_DECODE$/,
  },
  { why: 'functions in C', macros: /^_HAVE_DLFUNC$/ },
  { why: 'log selectors that the manual does not know', macros: /^_LOG_(?:PROTOCOL_DETAIL|REJECTED_HEADERS)$/ },
  { why: 'one name for two options', macros: /^_OPT_ROUTERS_(?:FAIL_)?VERIFY$/ },
];

/** Those that the real one lacks. */
const additional: readonly { readonly why: string; readonly macros: RegExp }[] = [
  {
    why: 'drivers and lookup types that Debian does not build',
    macros: /(?:GSASL|HEIMDAL_GSSAPI)|^_HAVE_LOOKUP_(?:LMDB|REDIS)$/,
  },
  {
    why: 'types that Exim counts with others',
    macros: /^_HAVE_LOOKUP_(?:DBMJZ|DBMNZ|IPLSEARCH|LDAPDN|LDAPM|NIS0|NWILDLSEARCH|SPF|WILDLSEARCH)$/,
  },
  {
    why: 'options that Debian does not build',
    macros: new RegExp(`^_OPT_\\w+_(?:${[...otherBuilds].join('|').toUpperCase()})$`),
  },
  { why: 'POP3 and housekeeping, which Exim has not', macros: /^_OPT_MAIN_(?:POP3_|EXPIRE_RULES$)/ },
  {
    why: 'DMARC, ARC and OpenSSL, which Debian does not build',
    macros: /^_ACL_COND_DMARC_STATUS$|^_HAVE_(?:ARC|DMARC|OPENSSL)$/,
  },
];

const without = (names: readonly string[], others: readonly string[], reasons: typeof absent): string[] =>
  names.filter((name) => !others.includes(name) && !reasons.some(({ macros }) => macros.test(name)));

test('the macros are those of the real Exim, but for known reasons', async () => {
  const files = new Map([['conf', 'keep_environment = PATH\n']]);
  const job: Job = { words: ['-C', '/mnt/conf', '-bP', 'macros'] };
  const { real, ours } = await runBoth(files, [job]);
  const lines = (text = ''): string[] => text.trimEnd().split('\n');
  const [theirs, own] = [lines(real[0]?.stdout), lines(ours[0]?.stdout)];
  assert.ok(theirs.length > 800);
  // those with a value of their own have the same one
  assert.deepEqual(
    own.filter((line) => !line.endsWith('=y') && !theirs.includes(line)),
    [],
  );
  const names = (all: readonly string[]): string[] => all.map((line) => line.replace(/=.*/s, ''));
  assert.deepEqual(without(names(theirs), names(own), absent), []);
  assert.deepEqual(without(names(own), names(theirs), additional), []);
});
