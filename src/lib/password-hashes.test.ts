/** Hashes that other programs made (slappasswd with its modules, openssl, Python's hashlib) of one password, and what is no match. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { passwordMatches, schemeNames } from './password-hashes.ts';

/** UTF-8, as a client sends it. */
const password = Buffer.from('päss wörd').toString('latin1');

const stored: readonly string[] = [
  '{MD5}dXVbOF+Z2Dhtyx7XTnx1JQ==',
  '{md5}75755b385f99d8386dcb1ed74e7c7525',
  '{SHA}/i4CfWuUyOmLaC9O8e9k/TBfbK8=',
  '{SHA1}/i4CfWuUyOmLaC9O8e9k/TBfbK8=',
  '{SHA256}nZeOKZw+IphR1Bgwa5CX4YW3jBofBqPGXszHb5xN75k=',
  '{SHA384}99mAy2LeJTNRObXtvxDWdiDmWXZrh+CnBeorujIFY+JUGNrIjumOZU9uGdZcz759',
  '{SHA512}wPSLvqJa09dVpu1yACeVU+xsmRLkw8NS+HnXqihn8FjsLrCFi3LTzyVZvUP6Rejv6swr/Ao2OINvzQwmYVvwDg==',
  '{SMD5}hzasWUzsQCYqcE47MK5s+bCoa/E=',
  '{SSHA}vO0Mx/I1SvpiAt3TgWl1UmHcEHe2pLAw',
  '{SSHA256}I9eJe8qdaSvpyBpzhLetjWkEeUvD8AMb8vGuCC2HYaxzYWx0c2FsdA==',
  '{SSHA384}7IW4KMO2WnIiAZCK7jplP0osaUoyzfDtEdMkxOEwCYc3dSw4KGla+uxqaW81M3rPc2FsdHNhbHQ=',
  '{SSHA512}pkGZOA1nMVBL1ES3ZOkUeXd9jw7xfR5IQ2LcEz6Hq6YPD+lQ+l68ANM8hhcpz4/p3pPt86yQgKkvOujLYX7JfnNhbHRzYWx0',
  '{PBKDF2-SHA1}1000$c2FsdHNhbHQ$BikDStdgRk7XawibBFR1KbpGx0Q',
  '{PBKDF2}1000$c2FsdHNhbHQ$BikDStdgRk7XawibBFR1KbpGx0Q',
  '{PBKDF2-SHA256}1000$c2FsdHNhbHQ$IoWXE.Gh/0e0rYPyThtASpE/QrJbRYX676YT6JSBJ2U',
  '{PBKDF2-SHA512}1000$c2FsdHNhbHQ$U.Hw6hR5fUOggOZXeUqcx1ZyDawp4XZ.vQmCeY69lvaIFF.jWV6sYGwI7btLgT61dj56ZetYlXipgI0lfGy/RA',
  '$1$F0fNhCO3$ecmcbFpPsiJkgaEEIvaYJ.',
  '{MD5-CRYPT}$1$F0fNhCO3$ecmcbFpPsiJkgaEEIvaYJ.',
  '{SHA256-CRYPT}$5$eX7/MpBOQ83yuqQn$7lNwt5i.rIhuFOnyGrQRRoUc8ajJ0MWmWu3i0ZOr926',
  '$6$abcdefgh$gFQ4j2hLSmpS.7keFyrqjaz.yP0vtAgLGrbTNijD.NsUMM77g0a9Cd/xGJ6M85e.y8grpxMBPvccjd7nWeHO./',
  '{BLF-CRYPT}$2b$05$abcdefghijklmnopqrstuucAlS3LCZL9LcVSWwMtNJG6yF5tEYLy2',
  '$2b$05$abcdefghijklmnopqrstuucAlS3LCZL9LcVSWwMtNJG6yF5tEYLy2',
  '{ARGON2}$argon2i$v=19$m=4096,t=3,p=1$kSCCFFQ5R5p58YpxTIuoWQ$pwtDAE2/xIA4aBf5zkU/OCFxw8+6T16svcC9/s0awiM',
  '$argon2i$v=19$m=4096,t=3,p=1$kSCCFFQ5R5p58YpxTIuoWQ$pwtDAE2/xIA4aBf5zkU/OCFxw8+6T16svcC9/s0awiM',
  '{CLEARTEXT}päss wörd',
].map((text) => Buffer.from(text).toString('latin1'));

describe('a password', () => {
  for (const text of stored) {
    it(`is known by ${text.slice(0, 40)}`, async () => {
      assert.equal(await passwordMatches(password, text), true);
    });

    it(`is not mistaken for another by ${text.slice(0, 40)}`, async () => {
      for (const other of [`${password}x`, password.slice(1), '', `${password}\0`]) {
        assert.equal(await passwordMatches(other, text), false, other);
      }
    });
  }

  it('is known by the old crypt, which looks at eight characters', async () => {
    assert.equal(await passwordMatches('test', 'aaqPiZY5xR5l.'), true);
    assert.equal(await passwordMatches('tesu', 'aaqPiZY5xR5l.'), false);
  });

  it('is known by the published example of bcrypt', async () => {
    const text = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';
    assert.equal(await passwordMatches('U*U', text), true);
    assert.equal(await passwordMatches('U*V', text), false);
  });

  it('never matches a stored text that is empty or broken', async () => {
    for (const name of schemeNames) {
      for (const rest of ['', '$', 'x', '!!!!', '$argon2id$v=19$m=1,t=1,p=1$AAAAAAAAAAA$AAAA', '10$$', '$1$']) {
        assert.equal(await passwordMatches('', `{${name}}${rest}`), false, `${name} ${rest}`);
      }
    }
    assert.equal(await passwordMatches('', ''), false);
  });

  it('is not compared by a scheme that nobody knows', () => {
    assert.equal(passwordMatches('x', '{NOSUCH}x'), undefined);
    assert.equal(passwordMatches('x', '{MD5'), undefined);
  });

  it('is not compared when the stored text asks for gigabytes or hours', async () => {
    const argon2 = (cost: string): string => `$argon2id$v=19$${cost}$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA`;
    for (const text of [
      argon2('m=999999999,t=1,p=1'),
      argon2('m=64,t=999999999,p=1'),
      '{PBKDF2}99999999$AAAA$AAAAAAAA',
    ]) {
      await assert.rejects(async () => passwordMatches('x', text));
    }
  });
});
