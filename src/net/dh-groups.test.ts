import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { createSecureContext } from 'node:tls';
import { derValues } from '../lib/der.ts';
import { groupNamed, groupParameters, parameterBits } from './dh-groups.ts';

test('sets have the size of their name, and the library takes them', () => {
  for (const [name, bits] of [
    ['ffdhe2048', 2048],
    ['ffdhe3072', 3072],
    ['ffdhe4096', 4096],
    ['ffdhe6144', 6144],
    ['ffdhe8192', 8192],
    ['ike14', 2048],
    ['ike18', 8192],
  ] as const) {
    const parameters = groupParameters(name);
    assert.equal(parameterBits(Buffer.from(parameters)), bits, name);
    createSecureContext({ dhparam: parameters });
  }
});

test('the primes of RFC 7919 are those that OpenSSL has', () => {
  // hashes of what `openssl genpkey -genparam -algorithm DH -pkeyopt group:NAME` prints
  for (const [name, digest] of [
    ['ffdhe2048', '9cd3b7f336872f46c09428d1bbc19877a4d440512cda8d1c1cf0cd6e33698966'],
    ['ffdhe3072', '0eaf67db3a839156d5013494a5318a772b5697d270d721f37f092efc69ea5a17'],
    ['ffdhe4096', '4648414224ac881b3d0dc59b466f96d06a558278776807797ecf1f66ff397b3e'],
    ['ffdhe6144', '227ac9066b3ddd9e193670cda2388fa884f65ba0cf98b742d1fe77a6687c79c7'],
    ['ffdhe8192', '770b14efaf6f049929c523113b3fa99a8d11dab1b18af3609590122075d19833'],
  ] as const) {
    const octets = Buffer.from(groupParameters(name).replace(/-----.*-----/g, ''), 'base64');
    // without the octet that says it is positive
    const prime = derValues(derValues(octets)[0]?.content ?? octets)[0]?.content.subarray(1) ?? octets;
    assert.equal(createHash('sha256').update(prime).digest('hex'), digest, name);
  }
});

test('without a name a set is taken that is small enough, if one is', () => {
  assert.deepEqual(
    [2236, 3072, 8192, 1024].map((bits) => groupNamed('', bits)),
    ['ffdhe2048', 'ffdhe3072', 'ffdhe3072', 'ffdhe2048'],
  );
  assert.equal(groupNamed('ffdhe4096', 1024), 'ffdhe4096');
  assert.equal(groupNamed('exim.dev.20160529.3', 2236), 'ffdhe2048');
  assert.equal(groupNamed('nosuch', 2236), undefined);
  assert.equal(parameterBits(Buffer.from('nothing')), 0);
});
