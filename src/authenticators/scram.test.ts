import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  attributesOf,
  clientProof,
  escapedName,
  isProof,
  keysOf,
  plainName,
  type ScramHash,
  saltedPassword,
  serverSignature,
} from './scram.ts';

/** The examples of RFC 5802 §5 and RFC 7677 §3; the password is "pencil". */
const examples: readonly (readonly [
  hash: ScramHash,
  salt: string,
  conversation: string,
  proof: string,
  signature: string,
])[] = [
  [
    'sha1',
    'QSXCR+Q6sek8bf92',
    'n=user,r=fyko+d2lbbFgONRv9qkxdawL,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096,c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j',
    'v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
    'rmF9pqV8S7suAoZWja4dJRkFsKQ=',
  ],
  [
    'sha256',
    'W22ZaJ0SNY7soEsUEjb6gQ==',
    'n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
    'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
  ],
];

test('proof and signature are those of the examples in the RFCs', async () => {
  for (const [hash, salt, conversation, proof, signature] of examples) {
    const salted = await saltedPassword(hash, 'pencil', Buffer.from(salt, 'base64'), 4096);
    assert.equal(clientProof(hash, salted, conversation).toString('base64'), proof);
    const keys = keysOf(hash, salted);
    assert.ok(isProof(hash, Buffer.from(proof, 'base64'), keys, conversation));
    assert.ok(!isProof(hash, Buffer.from(proof, 'base64'), keys, `${conversation}x`));
    assert.ok(!isProof(hash, Buffer.from(proof, 'base64').subarray(1), keys, conversation));
    assert.equal(serverSignature(hash, keys, conversation), signature);
  }
});

test('names with commas and equals signs go through messages, others are refused', () => {
  assert.equal(plainName(escapedName('a=b,c')), 'a=b,c');
  assert.equal(plainName('a=b'), undefined);
  assert.deepEqual(
    [...(attributesOf('r=x,s=y=,i=1') ?? [])],
    [
      ['r', 'x'],
      ['s', 'y='],
      ['i', '1'],
    ],
  );
  for (const bad of ['', 'r', 'r=x,,i=1', 'r=x,r=y', '1=x']) assert.equal(attributesOf(bad), undefined, bad);
});
