/** How `ratelimit = …` is read; the texts are those of Exim 4.96. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Phase } from './acl.ts';
import { parseRateSetting } from './rate-setting.ts';

const parse = (text: string, phase: Phase = 'RCPT') =>
  parseRateSetting(text, { phase, hostAddress: '192.0.2.7', recipient: 'u@d.test' });

const wrong: readonly (readonly [text: string, error: string, phase?: Phase])[] = [
  ['', 'sender rate limit not set'],
  ['x/1h', '"x" is not a positive number'],
  ['-1/1h', '"-1" is not a positive number'],
  ['1', '"NULL" is not a time value'],
  ['1/', '"NULL" is not a time value'],
  ['1/x', '"x" is not a time value'],
  ['1/0s', '"0s" is not a time value'],
  ['1/1h/count=x', '"count=x" is not a positive number'],
  ['1/1h/count=-1', '"count=-1" is not a positive number'],
  ['1/1h/per_mail/per_rcpt', 'conflicting per_* options'],
  ['1/1h/per_conn/per_conn', 'conflicting per_* options'],
  ['1/1h/strict/leaky', 'conflicting update modes'],
  ['1/1h/leaky/readonly', 'conflicting update modes'],
  [
    '1/1h/per_byte/leaky',
    '"per_mail" must not have /leaky or /strict option, or cannot be used in connection ACL',
    'connection',
  ],
  [
    '1/1h/per_addr/strict',
    '"per_rcpt" must not have /leaky or /strict option, or cannot be used in PREDATA ACL',
    'PREDATA',
  ],
  [
    '1/1h/per_conn/strict',
    '"per_conn" must not have /leaky or /strict option, or cannot be used in non-SMTP ACL',
    'non-SMTP',
  ],
];

for (const [text, error, phase] of wrong) {
  test(`"${text}" is wrong${phase === undefined ? '' : ` in the ACL for ${phase}`}`, () => {
    assert.deepEqual(parse(text, phase), { error: `error in arguments to "ratelimit" condition: ${error}` });
  });
}

/** The key in the database, the mode, and what is counted. */
function readingOf(text: string, phase?: Phase): string {
  const setting = parse(text, phase);
  if ('error' in setting) return setting.error;
  const { key, mode, limit, period, count = '-', unique = '-' } = setting;
  return `${limit} ${period} ${key} ${mode} ${count} ${unique}`;
}

const read: readonly (readonly [text: string, reading: string, phase?: Phase])[] = [
  ['1/1h', '1 3600 1h/per_mail/192.0.2.7 leaky - -'],
  ['1K / 60m / strict / key with / slash', '1024 3600 60m/per_mail/key with/slash strict - -'],
  ['1.5/1h/STRICT/strict', '1.5 3600 1h/per_mail/192.0.2.7 strict - -'],
  ['1e1/1h/count=', '10 3600 1h/per_mail/192.0.2.7 leaky 0 -'],
  ['1/1h/foo/bar', '1 3600 1h/per_mail/foo/bar leaky - -'],
  ['1/1h/Per_Cmd/k', '1 3600 1h/per_cmd/k leaky - -'],
  ['1/1h/per_addr/k', '1 3600 1h/per_rcpt/unique/k leaky - u@d.test'],
  ['1/1h/per_byte/k', '1 3600 1h/per_mail/k leaky - -'],
  ['1/1h/unique=a/count=1/count=2.5/k', '1 3600 1h/per_mail/unique/k leaky 2.5 a'],
  ['1/1h/noupdate/strict', '1 3600 1h/per_mail/192.0.2.7 readonly - -'],
  ['1/1h/per_mail', '1 3600 1h/per_mail/192.0.2.7 readonly - -', 'EHLO or HELO'],
  ['1/1h/per_rcpt/strict', '1 3600 1h/per_rcpt/192.0.2.7 strict - -', 'DATA'],
];

for (const [text, reading, phase] of read) {
  test(`"${text}" is read${phase === undefined ? '' : ` in the ACL for ${phase}`}`, () => {
    assert.equal(readingOf(text, phase), reading);
  });
}
