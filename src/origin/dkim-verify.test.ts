/** Signatures that another implementation (the library mailauth) made, and hostile ones. */

import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import type { Resolver } from '../net/dns.ts';
import { BodyHashes } from './body-hashes.ts';
import type { DkimFinding } from './dkim-verdict.ts';
import { type DkimRules, DkimVerification } from './dkim-verify.ts';

interface Signer {
  dkimSign(message: string, options: object): Promise<{ readonly signatures: string; readonly errors: unknown[] }>;
}
const { dkimSign } = createRequire(import.meta.url)('mailauth/lib/dkim/sign') as Signer;

const rules: DkimRules = {
  hashes: new Set(['sha256', 'sha512']),
  keyTypes: new Set(['rsa', 'ed25519']),
  shortestKeys: { rsa: 1024, ed25519: 250 },
  minimal: false,
};

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const edwards = generateKeyPairSync('ed25519');
const spki = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });

/** Questions that were asked. */
let asked: string[] = [];
const zone: Readonly<Record<string, string>> = {
  'r._domainkey.a.example': `v=DKIM1; k=rsa; p=${spki(rsa.publicKey).toString('base64')}`,
  'e._domainkey.a.example': `k=ed25519; p=${spki(edwards.publicKey).subarray(12).toString('base64')}`,
};
const resolver = {
  async resolve(name: string) {
    asked.push(name);
    const text = zone[name];
    const strings = text === undefined ? [] : (text.match(/.{1,200}/g) ?? []);
    return text === undefined
      ? { outcome: 'nothing', kind: 'nxdomain', secure: false }
      : { outcome: 'found', records: [strings], asked: name, aliases: [], name, ttl: 1, secure: false };
  },
} as unknown as Pick<Resolver, 'resolve'>;

async function findings(message: string, changed: Partial<DkimRules> = {}): Promise<readonly DkimFinding[]> {
  asked = [];
  const end = message.indexOf('\n\n');
  const headers = message.slice(0, end + 1).match(/[^\n]+\n(?:[ \t][^\n]*\n)*/g) ?? [];
  const bodies = new BodyHashes();
  const verification = new DkimVerification(headers, { ...rules, ...changed }, bodies);
  bodies.take(Buffer.from(message.slice(end + 2), 'latin1'));
  return (await verification.verdicts(resolver, () => undefined)).map(({ finding }) => finding);
}

const plain = 'From: Ann <ann@a.example>\nTo:  bob@b.example\nSubject: one\n\ttwo\n\nHello  you \n\n\tmore\n\n\n';

async function signed(options: object, message = plain): Promise<string> {
  const data = {
    signingDomain: 'a.example',
    selector: 'r',
    privateKey: rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    ...options,
  };
  const { signatures, errors } = await dkimSign(message.replaceAll('\n', '\r\n'), { signatureData: [data] });
  assert.deepEqual(errors, []);
  return signatures.replaceAll('\r\n', '\n') + message;
}

test('signatures of a library are right in all forms and with both kinds of key', async () => {
  for (const canonicalization of ['simple/simple', 'simple/relaxed', 'relaxed/simple', 'relaxed/relaxed']) {
    assert.deepEqual(await findings(await signed({ canonicalization })), ['pass'], canonicalization);
  }
  const privateKey = edwards.privateKey.export({ type: 'pkcs8', format: 'pem' });
  assert.deepEqual(await findings(await signed({ algorithm: 'ed25519-sha256', selector: 'e', privateKey })), ['pass']);
});

test('what was changed on the way is found out', async () => {
  const message = await signed({ canonicalization: 'relaxed/relaxed' });
  assert.deepEqual(await findings(`${message}more\n`), ['body']);
  assert.deepEqual(asked, [], 'no key is asked for when the body is not right');
  assert.deepEqual(await findings(message.replace('bob@', 'eve@')), ['signature']);
  assert.deepEqual(await findings(message.replace('Hello  you', 'Hello you')), ['pass'], 'blanks do not count');
});

test('options say which hashes, keys and lengths count', async () => {
  const message = await signed({});
  assert.deepEqual(await findings(message, { keyTypes: new Set(['ed25519']) }), []);
  assert.deepEqual(await findings(message, { hashes: new Set(['sha512']) }), []);
  assert.deepEqual(await findings(message, { shortestKeys: { rsa: 4096, ed25519: 250 } }), ['short key']);
});

test('of a great many signatures only some are checked', async () => {
  const message = await signed({ selector: 'none' });
  const [signature = ''] = /^(?:[^\n]+\n)(?:[ \t][^\n]*\n)*/.exec(message) ?? [];
  const found = await findings(signature.repeat(5000) + plain);
  assert.equal(found.length, 100);
  assert.equal(found.filter((finding) => finding === 'not verified').length, 80);
  assert.equal(asked.length, 20);
});

test('a signature that is no such thing is passed over or found wanting, never an error', async () => {
  const good = await signed({});
  const spoilt = [
    good.replace(/a=rsa-sha256/, 'a=rsa-md5'),
    good.replace(/ b=[^;]*?\n(?=From)/s, ' b=\n'),
    good.replace(/v=1/, 'v=9'),
    good.replace(/d=a.example/, `d=${'x'.repeat(300)}.example`),
    `DKIM-Signature: ${';'.repeat(5000)}\n${plain}`,
    `DKIM-Signature: ${'='.repeat(5000)}\n${plain}`,
    `DKIM-Signature:\n${plain}`,
  ];
  const found = await Promise.all(spoilt.map((message) => findings(message)));
  assert.deepEqual(found, [[], ['tag'], ['version'], ['no key'], [], [], []]);
});
