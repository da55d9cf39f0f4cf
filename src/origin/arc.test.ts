/** Chains of ARC sets: ours are right for another implementation (the library mailauth) and its for us; broken ones fail. */

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import type { Resolver } from '../net/dns.ts';
import { arcLines } from './arc-sign.ts';
import { type ArcAnswer, ArcVerification, arcResult } from './arc-verify.ts';
import { BodyHashes } from './body-hashes.ts';
import { CanonicalBody } from './canonical-body.ts';

const require = createRequire(import.meta.url);
const { dkimVerify } = require('mailauth/lib/dkim/verify') as {
  dkimVerify(message: Buffer, options: object): Promise<{ readonly arc: object }>;
};
const { arc, sealMessage } = require('mailauth/lib/arc') as {
  arc(
    data: object,
    options: object,
  ): Promise<{ readonly status: { readonly result: string; readonly comment?: string } }>;
  sealMessage(message: Buffer, seal: object): Promise<Buffer>;
};

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
const record = `v=DKIM1; k=rsa; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`;
const resolver = {
  async resolve(name: string) {
    return { outcome: 'found', records: [[record]], asked: name, aliases: [], name, ttl: 1, secure: false };
  },
} as unknown as Pick<Resolver, 'resolve'>;
const libraryOptions = { resolver: async () => [[record]] };

const plain = 'From: Ann <ann@a.example>\nTo: bob@b.example\nSubject: one\n two\n\nHello  you \n\n\n';

function split(message: string): { readonly headers: readonly string[]; readonly body: string } {
  const end = message.indexOf('\n\n');
  return {
    headers: message.slice(0, end + 1).match(/[^\n]+\n(?:[ \t][^\n]*\n)*/g) ?? [],
    body: message.slice(end + 2),
  };
}

async function verified(message: string): Promise<ArcAnswer> {
  const { headers, body } = split(message);
  const bodies = new BodyHashes();
  const verification = new ArcVerification(headers, { rsa: 1024, ed25519: 250 }, bodies);
  bodies.take(Buffer.from(body, 'latin1'));
  return verification.answer(resolver);
}

const onWire = (message: string): Buffer => Buffer.from(message.replaceAll('\n', '\r\n'), 'latin1');

async function libraryResult(message: string): Promise<string> {
  const { arc: data } = await dkimVerify(onWire(message), libraryOptions);
  const { status } = await arc(data, { ...libraryOptions, strict: true });
  return status.result;
}

/** A station that checks the message, says so, and seals it. */
async function pass(message: string, domain: string): Promise<string> {
  const answer = await verified(message);
  const noted = `Authentication-Results: ${domain};\n\t${arcResult(answer, '192.0.2.1')}\n${message}`;
  const { headers, body } = split(noted);
  const canonical = new CanonicalBody('relaxed');
  canonical.want('sha256', undefined);
  canonical.take(Buffer.from(body, 'latin1'));
  const created = Math.floor(Date.now() / 1000);
  const order = { domain, selector: 's', key: privateKey, created, expires: undefined };
  const made = arcLines(order, headers, canonical.digest('sha256', undefined));
  assert.ok('lines' in made, JSON.stringify(made));
  return made.lines + noted;
}

test('a chain of three stations is right for us and for a library', async () => {
  const first = await pass(plain, 'one.example');
  const second = await pass(first, 'two.example');
  const third = await pass(second, 'three.example');
  for (const message of [first, second, third]) {
    assert.equal(await libraryResult(message), 'pass');
    assert.equal((await verified(message)).state, 'pass');
  }
  const { sets, oldestPass } = await verified(third);
  assert.deepEqual(
    sets.map(({ seal }) => seal.domain),
    ['one.example', 'two.example', 'three.example'],
  );
  assert.equal(oldestPass, 1);
});

test('a set of a library is right for us', async () => {
  const seal = {
    signingDomain: 'lib.example',
    selector: 's',
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    authResults: 'lib.example; spf=pass smtp.mailfrom=a.example',
    cv: 'none',
    i: 1,
  };
  const lines = (await sealMessage(onWire(plain), seal)).toString('latin1').replaceAll('\r\n', '\n');
  assert.match(lines, /^ARC-Seal/m);
  assert.equal((await verified(lines + plain)).state, 'pass');
});

test('a message that a station changed is right only as far back as that station', async () => {
  const first = await pass(plain, 'one.example');
  const second = await pass(first.replace('Hello', 'Goodbye'), 'two.example');
  // the second station finds the chain broken, and seals it as broken
  assert.match(second, /cv=fail/);
  const answer = await verified(second);
  assert.equal(answer.state, 'fail');
});

test('changed, missing, doubled and misnumbered lines break a chain', async () => {
  const good = await pass(await pass(plain, 'one.example'), 'two.example');
  assert.equal((await verified(good)).state, 'pass');
  const line = (name: string, i: number): string =>
    split(good).headers.find((each) => each.startsWith(`${name}: i=${i};`)) ?? assert.fail(name);
  const spoilt: Readonly<Record<string, string>> = {
    body: `${good}more\n`,
    subject: good.replace('Subject: one', 'Subject: two'),
    results: good.replace('arc=none', 'arc=pass'),
    missing: good.replace(line('ARC-Message-Signature', 1), ''),
    doubled: line('ARC-Seal', 1) + good,
    number: good.replace('ARC-Seal: i=2', 'ARC-Seal: i=99'),
    gap: good.replaceAll(/^(ARC-[A-Za-z-]+): i=2/gm, '$1: i=3'),
    'chain value': good.replace('cv=pass', 'cv=none'),
    'taken away': good.replace(line('ARC-Seal', 1), '').replace(line('ARC-Message-Signature', 1), ''),
  };
  for (const [what, message] of Object.entries(spoilt)) assert.equal((await verified(message)).state, 'fail', what);
});

test('a station signs only what it has checked itself, and nothing after the end of a chain', () => {
  const order = { domain: 'me.example', selector: 's', key: privateKey, created: undefined, expires: undefined };
  const made = (text: string) => arcLines(order, split(text).headers, Buffer.alloc(32));
  assert.deepEqual(made(plain), { problem: 'no Authentication-Results header for me.example' });
  const other = `Authentication-Results: you.example; arc=none\n${plain}`;
  assert.deepEqual(made(other), { problem: 'no Authentication-Results header for me.example' });
  const unchecked = `Authentication-Results: me.example; spf=pass\nARC-Seal: i=1; a=rsa-sha256\n${plain}`;
  assert.deepEqual(made(unchecked), { problem: 'the chain was not verified' });
});

test('a message without ARC has none', async () => {
  assert.deepEqual(await verified(plain), { state: 'none', reason: '', sets: [], oldestPass: 0 });
});
