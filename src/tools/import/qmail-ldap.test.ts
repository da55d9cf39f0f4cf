import assert from 'node:assert/strict';
import { test } from 'node:test';
import { qmailLdap } from './qmail-ldap.ts';
import type { Imported } from './record.ts';
import { targetsText } from './targets.ts';
import { readAll, withFile } from './test-teller.ts';

interface Read {
  /** Users as `ADDRESS MAILBOX`, aliases as `ADDRESS: TARGETS`. */
  readonly lines: readonly string[];
  readonly records: readonly Partial<Record<string, unknown>>[];
  readonly losses: readonly string[];
}

function read(text: string, host?: string): Read {
  return withFile(text, (path) => {
    const { records, teller } = readAll(qmailLdap(path, { messageStore: '/store', host }));
    const lines = (records as readonly Imported[]).flatMap((record) => {
      if (record.kind === 'domain') return [];
      return [
        record.kind === 'user'
          ? `${record.address} ${record.mailbox}`
          : `${record.address}: ${targetsText(record.targets)}`,
      ];
    });
    return { lines, records: records as Read['records'], losses: teller.losses };
  });
}

const user = (attributes: string): string =>
  `dn: uid=a,o=x\nobjectClass: qmailUser\nmail: a@x.example\n${attributes}\n`;

test('where mail is kept, forwarded and piped follows deliveryMode', () => {
  const forward = 'mailForwardingAddress: b@y.example\ndeliveryProgramPath: /bin/p -x';
  for (const [mode, lines] of [
    ['', ['a@x.example undefined', 'a@x.example: a@x.example, b@y.example, |/bin/p -x']],
    ['deliveryMode: nolocal', ['a@x.example undefined', 'a@x.example: b@y.example, |/bin/p -x']],
    ['deliveryMode: noforward', ['a@x.example undefined', 'a@x.example: a@x.example, |/bin/p -x']],
    ['deliveryMode: noprogram', ['a@x.example undefined', 'a@x.example: a@x.example, b@y.example']],
    ['deliveryMode: forwardonly', ['a@x.example undefined', 'a@x.example: b@y.example']],
    ['deliveryMode: noforward,noprogram', ['a@x.example undefined']],
  ] as const) {
    const { lines: found, losses } = read(user(mode === '' ? forward : `${forward}\n${mode}`));
    assert.deepEqual(found, lines, mode);
    assert.deepEqual(losses, [], mode);
  }
});

test('message stores, quotas and states of accounts are read in their forms', () => {
  const record = (attributes: string): Partial<Record<string, unknown>> => read(user(attributes)).records[1] ?? {};
  assert.equal(record('mailMessageStore: a/b').mailbox, '/store/a/b/Maildir/');
  assert.equal(record('mailMessageStore: /m/a/').mailbox, '/m/a/');
  assert.equal(record('mailMessageStore: /m/a/Maildir').mailbox, '/m/a/Maildir/');
  assert.equal(record('mailMessageStore: /m/a/Mailbox').mailbox, '/m/a/Mailbox');
  assert.equal(record('homeDirectory: /h/a').mailbox, '/h/a/Maildir/');
  assert.deepEqual([record('mailQuota: 1000S,20C').quota, record('mailQuota: 1000S,20C').quotaMessages], [1000, 20]);
  assert.equal(record('mailQuotaSize: 5\nmailQuota: 1000S').quota, 5);
  assert.equal(record('mailQuotaSize: 0').quota, undefined);
  for (const [status, receives, mayLogin] of [
    ['active', true, true],
    ['noaccess', true, false],
    ['disabled', false, false],
  ]) {
    const found = record(`accountStatus: ${status}`);
    assert.deepEqual([found.receives, found.mayLogin], [receives, mayLogin]);
  }
});

test('further addresses lead to the first; one without a local part is for all others', () => {
  const { lines } = read(
    user(
      'mailAlternateAddress: B@x.example\nmailAlternateAddress: @y.example\nmailAlternateAddress: catchall@z.example',
    ),
  );
  assert.deepEqual(lines.slice(1), [
    'b@x.example: a@x.example',
    '*@y.example: a@x.example',
    '*@z.example: a@x.example',
  ]);
});

test('groups have members by address and by name', () => {
  const group =
    'dn: cn=g,o=x\nobjectClass: qmailGroup\nmail: g@x.example\nrfc822Member: c@y.example\ndnMember: UID=a, o=x\ndnMember: uid=none,o=x\n\n';
  const { lines, losses } = read(group + user(''));
  assert.deepEqual(lines, ['g@x.example: c@y.example, a@x.example', 'a@x.example undefined']);
  assert.match(losses.join(), /uid=none,o=x has no address/);
});

test('whatever has no place in our tables is told', () => {
  for (const [attributes, reason] of [
    ['accountStatus: deleted', /deleted/],
    ['accountStatus: odd', /unknown/],
    ['deliveryMode: reply', /automatic reply/],
    ['deliveryMode: odd', /unknown/],
    ['mailSizeMax: 5', /mailSizeMax/],
    ['mailHost: other.example', /mailHost/],
    ['mailForwardingAddress: nothing', /no domain/],
    ['mailAlternateAddress: a b', /no address/],
    ['mailQuotaSize: lots', /no quota/],
    ['deliveryMode: nolocal', /neither a mailbox nor/],
  ] as const) {
    assert.match(read(user(attributes)).losses.join(), reason, attributes);
  }
  assert.deepEqual(read(user('mailHost: Here.example'), 'here.example').losses, []);
  assert.match(read('dn: uid=a,o=x\nobjectClass: qmailUser\n').losses.join(), /without mail/);
});
