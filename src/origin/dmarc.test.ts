/** DMARC: alignment, policies and records that are none (RFC 7489), and the list of public suffixes. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Resolver } from '../net/dns.ts';
import { checkDmarc, type DmarcQuestion, dmarcResult, parseDmarcRecord } from './dmarc.ts';
import { PublicSuffixes } from './public-suffixes.ts';

const suffixes = new PublicSuffixes(`// a comment
com
uk
co.uk

*.ck
!www.ck
example // with a remark
\u516c\u53f8.cn
`);

test('an organization has one label more than a suffix', () => {
  for (const [domain, organization] of [
    ['a.b.Org.com', 'org.com'],
    ['org.com.', 'org.com'],
    ['a.org.co.uk', 'org.co.uk'],
    ['co.uk', 'co.uk'],
    ['com', 'com'],
    ['a.b.c.ck', 'b.c.ck'],
    ['a.www.ck', 'www.ck'],
    ['a.b.unknown', 'b.unknown'],
    ['unknown', 'unknown'],
    ['a.b.example', 'b.example'],
    ['', ''],
  ]) {
    assert.equal(suffixes.organization(domain ?? ''), organization, domain);
  }
  const list = new PublicSuffixes(Buffer.from('\u516c\u53f8.cn\ncn\n').toString('latin1'));
  assert.equal(list.organization('a.b.xn--55qx5d.cn'), 'b.xn--55qx5d.cn');
});

type Zone = Readonly<Record<string, readonly string[] | 'again'>>;

async function check(zone: Zone, question: Partial<DmarcQuestion> = {}) {
  const resolver = {
    async resolve(name: string) {
      const found = zone[name];
      if (found === 'again') return { outcome: 'again', kind: 'silence', message: '' };
      if (found === undefined) return { outcome: 'nothing', kind: 'nxdomain', secure: false };
      const records = found.map((text) => [text]);
      return { outcome: 'found', records, asked: name, aliases: [], name, ttl: 1, secure: false };
    },
  } as unknown as Pick<Resolver, 'resolve'>;
  return checkDmarc({ from: 'mail.org.com', spf: undefined, dkim: [], ...question }, suffixes, resolver);
}

const record = (text: string): Zone => ({ '_dmarc.org.com': [text] });

test('a message is accepted when SPF or DKIM vouches for the organization in From:', async () => {
  const zone = record('v=DMARC1; p=reject');
  assert.equal((await check(zone, { spf: 'org.com' })).status, 'accept');
  assert.equal((await check(zone, { dkim: ['other.com', 'x.org.com'] })).status, 'accept');
  assert.equal((await check(zone, { spf: 'other.com', dkim: ['other.com'] })).status, 'reject');
  assert.equal((await check(zone)).status, 'reject');
  assert.equal((await check(zone, { spf: 'co.uk', dkim: ['com', 'evilorg.com'] })).status, 'reject');
});

test('a strict record wants the very domain', async () => {
  const zone = record('v=DMARC1; p=quarantine; adkim=s; aspf=s');
  assert.equal((await check(zone, { spf: 'org.com', dkim: ['org.com'] })).status, 'quarantine');
  assert.equal((await check(zone, { dkim: ['MAIL.org.com.'] })).status, 'accept');
});

test("the domain's own record counts before the organization's, which may have a policy for names below", async () => {
  const zone = record('v=DMARC1; p=reject; sp=none');
  assert.equal((await check(zone)).status, 'none');
  assert.equal((await check(zone, { from: 'org.com' })).status, 'reject');
  const own = await check({ ...zone, '_dmarc.mail.org.com': ['v=DMARC1; p=quarantine'] });
  assert.deepEqual([own.status, own.usedDomain], ['quarantine', 'mail.org.com']);
});

test('without a domain, without a record, and without an answer nothing is asked for', async () => {
  assert.equal((await check({}, { from: undefined })).status, 'nofrom');
  assert.equal((await check({})).status, 'norecord');
  assert.equal((await check({ '_dmarc.mail.org.com': 'again' })).status, 'temperror');
  assert.equal((await check({ '_dmarc.org.com': ['v=DMARC1; p=reject', 'v=DMARC1; p=none'] })).status, 'norecord');
  assert.equal((await check(record(`v=DMARC1; p=reject; x=${'y'.repeat(5000)}`))).status, 'norecord');
});

test('a record must begin with its version and have a policy, or at least ask for reports', () => {
  for (const text of ['p=reject; v=DMARC1', 'v=DMARC2; p=reject', 'v=DMARC1', 'v=DMARC1; p=', 'v=spf1 -all', '']) {
    assert.equal(parseDmarcRecord(text), undefined, text);
  }
  assert.equal(parseDmarcRecord('v=DMARC1; p=maybe; rua=mailto:a@b.example')?.policy, 'none');
  assert.equal(parseDmarcRecord('v = DMARC1 ; P=x; p = Reject ; pct=7')?.percent, 7);
});

test('the result is told in the words of RFC 8601', async () => {
  const zone = record('v=DMARC1; p=reject; sp=none');
  assert.equal(
    dmarcResult(await check(zone, { spf: 'org.com' })),
    'dmarc=pass (p=reject sp=none) header.from=mail.org.com',
  );
  assert.equal(dmarcResult(await check(zone)), 'dmarc=fail (p=reject sp=none) header.from=mail.org.com');
  assert.equal(dmarcResult(await check({})), 'dmarc=none header.from=mail.org.com');
});
