/** What we sign is right for us and for another implementation (the library mailauth); what Exim writes is recorded in test/golden. */

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import fc from 'fast-check';
import { BodyHashes } from './body-hashes.ts';
import { CanonicalBody } from './canonical-body.ts';
import { namesToSign, type SigningOrder, signatureLine, standardNames } from './dkim-sign.ts';
import { DkimVerification } from './dkim-verify.ts';

interface Verified {
  readonly results: readonly { readonly status: { readonly result: string; readonly comment?: string } }[];
}
const { dkimVerify } = createRequire(import.meta.url)('mailauth/lib/dkim/verify') as {
  dkimVerify(message: string, options: object): Promise<Verified>;
};

const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
const edwards = generateKeyPairSync('ed25519');
const record = (octets: Buffer, type: string): string => `v=DKIM1; k=${type}; p=${octets.toString('base64')}`;
const keys: Readonly<Record<string, string>> = {
  rsa: record(rsa.publicKey.export({ type: 'spki', format: 'der' }), 'rsa'),
  ed25519: record(edwards.publicKey.export({ type: 'spki', format: 'der' }).subarray(12), 'ed25519'),
};
const textOf = (name: string): string[] => [keys[name.split('.')[0] ?? ''] ?? ''];
const resolver = {
  async resolve(name: string) {
    return { outcome: 'found', records: [textOf(name)], asked: name, aliases: [], name, ttl: 1, secure: false };
  },
} as unknown as ConstructorParameters<typeof Object>[0];

const order: SigningOrder = {
  domain: 'a.example',
  selector: 'rsa',
  identity: '',
  key: rsa.privateKey,
  hash: 'sha256',
  form: 'relaxed',
  names: standardNames.split(':'),
  times: undefined,
};
const rules = {
  hashes: new Set(['sha256']),
  keyTypes: new Set(['rsa', 'ed25519']),
  shortestKeys: { rsa: 1024, ed25519: 250 },
  minimal: false,
};

function signed(changed: Partial<SigningOrder>, headers: readonly string[], body: string): string {
  const whole = { ...order, ...changed };
  const canonical = new CanonicalBody(whole.form);
  canonical.want(whole.hash, undefined);
  canonical.take(Buffer.from(body, 'latin1'));
  return signatureLine(whole, headers, canonical.digest(whole.hash, undefined));
}

async function ours(line: string, headers: readonly string[], body: string): Promise<string | undefined> {
  const bodies = new BodyHashes();
  const verification = new DkimVerification([line, ...headers], rules, bodies);
  bodies.take(Buffer.from(body, 'latin1'));
  return (await verification.verdicts(resolver, () => undefined))[0]?.finding;
}

async function theirs(line: string, headers: readonly string[], body: string): Promise<string | undefined> {
  const message = `${line}${headers.join('')}\n${body}`.replaceAll('\n', '\r\n');
  const { results } = await dkimVerify(message, { resolver: async (name: string) => [textOf(name)] });
  return results[0]?.status.result;
}

const headers = ['From: Ann <ann@a.example>\n', 'To: bob@b.example,\n\teve@b.example\n', 'Subject:  one\n two \n'];

test('signatures of both kinds, in both forms, are right for us and for a library', async () => {
  const times = { created: Math.floor(Date.now() / 1000), expires: Math.floor(Date.now() / 1000) + 1000 };
  for (const form of ['simple', 'relaxed'] as const) {
    for (const [selector, key] of [['rsa', rsa.privateKey] as const, ['ed25519', edwards.privateKey] as const]) {
      const line = signed({ form, selector, key, times, identity: 'ann@a.example' }, headers, 'Hello  you\n\n');
      assert.match(line, new RegExp(`t=${times.created};[ \n\t]+x=${times.expires};`));
      assert.equal(await ours(line, headers, 'Hello  you\n\n'), 'pass', `${form} ${selector}`);
      assert.equal(await theirs(line, headers, 'Hello  you\n\n'), 'pass', `${form} ${selector}`);
    }
  }
});

test('any message, and a domain and a selector of any length, can be signed and read again', async () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', '-', '.'), minLength: 1, maxLength: 60 });
  const text = fc.string({ unit: fc.constantFrom('a', ' ', '\t', '\n', ':', ';', '=', '\xe9'), maxLength: 60 });
  const line = text.map((body) => `X-A:${body.replace(/\n/g, '\n\t')}\n`);
  await fc.assert(
    fc.asyncProperty(
      word,
      fc.array(line, { maxLength: 4 }),
      text,
      fc.constantFrom('simple', 'relaxed'),
      async (domain, lines, body, form) => {
        const all = [...headers, ...lines];
        const made = signed(
          { domain, form: form as 'simple' | 'relaxed', names: ['From', '=X-A', '+Subject'] },
          all,
          body,
        );
        assert.ok(
          made.split('\n').every((each) => each.length <= 78),
          made,
        );
        assert.equal(await ours(made, all, body), 'pass');
      },
    ),
    { numRuns: 60 },
  );
});

test('names are listed as the header lines come from below, then those that are missing', () => {
  const lines = ['From: a\n', 'to: b\n', 'X: 1\n', 'x: 2\n', 'Subject: s\n'];
  assert.deepEqual(namesToSign(lines, ['From', 'To', 'Cc']), ['to', 'From', 'Cc']);
  assert.deepEqual(namesToSign(lines, ['X', 'From', 'From']), ['x', 'From', 'From']);
  assert.deepEqual(namesToSign(lines, ['=X', '=Cc', '+Subject']), ['Subject', 'x', 'X', 'Subject']);
});

test('a line that was signed as missing cannot be added, and one that was signed cannot be changed', async () => {
  const line = signed({ names: ['+Subject', 'From'] }, headers, 'x\n');
  assert.equal(await ours(line, ['Subject: other\n', ...headers], 'x\n'), 'signature');
  assert.equal(await ours(line, headers.toSpliced(0, 1, 'From: Eve <eve@a.example>\n'), 'x\n'), 'signature');
  assert.equal(await ours(line, [...headers, 'X-Other: y\n'], 'x\n'), 'pass');
});

test('a key that is too short for the hash is an error', () => {
  const { privateKey: key } = generateKeyPairSync('rsa', { modulusLength: 512 });
  assert.throws(() => signed({ key, hash: 'sha512' }, headers, 'x\n'));
});
