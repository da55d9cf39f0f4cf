/** The options of `verify`, as they are written. What is wrong with them is said in Exim's words. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VerifyOptions } from '../verifier.ts';
import { parseVerifyOptions, type Subject } from './verify-options.ts';

function read(text: string, subject: Subject): ReturnType<typeof parseVerifyOptions> {
  return parseVerifyOptions(text.split('/').slice(1), subject, text);
}

function good(text: string, subject: Subject): VerifyOptions {
  const options = read(text, subject);
  if ('error' in options) throw new Error(options.error);
  return options;
}

test('times that are not given follow from the timeout', () => {
  const { callout } = good('recipient/callout', 'recipient');
  assert.deepEqual([callout?.timeout, callout?.connectTimeout, callout?.longest], [30, 30, 120]);
  const short = good('recipient/callout=5s', 'recipient').callout;
  assert.deepEqual([short?.timeout, short?.connectTimeout, short?.longest], [5, 5, 20]);
  const given = good('recipient/callout = 5s , connect = 1s, maxwait=7s', 'recipient').callout;
  assert.deepEqual([given?.timeout, given?.connectTimeout, given?.longest], [5, 1, 7]);
});

test('the last of postmaster and postmaster_mailfrom counts', () => {
  const of = (text: string): string | undefined => good(text, 'sender').callout?.postmasterSender;
  assert.equal(of('sender/callout=no_cache'), undefined);
  assert.equal(of('sender/callout=postmaster_mailfrom=a@b.example,postmaster'), '');
  assert.equal(of('sender/callout=postmaster,postmaster_mailfrom=a@b.example'), 'a@b.example');
});

test('the older words still ask for a callout', () => {
  const { callout } = good('recipient/callout_defer_ok/check_postmaster', 'recipient');
  assert.deepEqual([callout?.deferOk, callout?.postmasterSender], [true, '']);
});

test('what is known of a quota is good for five minutes and an hour, or as long as is said', () => {
  const of = (text: string) => good(text, 'recipient').quota;
  assert.equal(of('recipient'), undefined);
  assert.deepEqual(of('recipient/quota'), { positive: 300, negative: 3600 });
  assert.deepEqual(of('recipient/quota = cachepos=1h, cacheneg = 1d'), { positive: 3600, negative: 86_400 });
  assert.deepEqual(of('recipient/quota=cachepos=1h,no_cache'), { positive: 0, negative: 0 });
  assert.deepEqual(of('recipient/quota=bogus,cachepos'), { positive: 300, negative: 3600 });
});

const wrong: readonly (readonly [string, Subject, string])[] = [
  ['recipient/nosuch', 'recipient', 'unknown option "nosuch" in ACL condition "verify recipient/nosuch"'],
  ['recipient/callouts', 'recipient', `'=' expected after "callout" in ACL condition "recipient/callouts"`],
  ['recipient/callout=5x', 'recipient', 'bad time value in ACL condition "verify recipient/callout=5x"'],
  [
    'recipient/callout=connect',
    'recipient',
    `'=' expected after "connect" in ACL verify condition "recipient/callout=connect"`,
  ],
  [
    'sender/callout=mailfrom=a@b.example',
    'sender',
    '"mailfrom" is allowed as a callout option only for verify=header_sender (detected in ACL condition "sender/callout=mailfrom=a@b.example")',
  ],
  ['sender/callout=use_sender', 'sender', 'use_sender or use_postmaster cannot be used for a sender verify callout'],
  ['recipient/quota=cachepos=x', 'recipient', 'bad time value in ACL condition "verify recipient/quota=cachepos=x"'],
  ['sender/quota', 'sender', 'can only verify quota of recipient'],
];

for (const [text, subject, error] of wrong) {
  test(`"${text}" is refused`, () => assert.deepEqual(read(text, subject), { error }));
}
