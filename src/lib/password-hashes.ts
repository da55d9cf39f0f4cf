/**
 * Passwords against what is stored of them: the forms of Exim's `crypteq`, those that LDAP directories hold (RFC 2307 and
 * its heirs), and the strings of crypt(3) and argon2. Slow hashes are made away from the thread that serves everybody; what
 * they cost is bounded, whatever the stored text asks for.
 */

import { systemCrypt } from '../safe/native.ts';
import { crypto } from './crypto.ts';
import type { Eventual } from './eventual.ts';
import { lower } from './octets.ts';

/** Answers whether the password is the one behind a stored text. @throws Error when the text asks for too much */
type Scheme = (password: string, stored: string) => Eventual<boolean>;

const octets = (text: string): Buffer => Buffer.from(text, 'latin1');

function same(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && crypto().timingSafeEqual(a, b);
}

/** Base 64 in any of its dresses; nothing when there are other letters in it. */
function decoded(text: string): Buffer | undefined {
  return /^[A-Za-z0-9+/._-]*=*$/.test(text) ? Buffer.from(text.replaceAll('.', '+'), 'base64') : undefined;
}

/** A plain digest in base 64 or in hexadecimal digits; the length tells which (Exim spec 11.7). */
const digest =
  (algorithm: string): Scheme =>
  (password, stored) => {
    const found = crypto().createHash(algorithm).update(octets(password)).digest();
    if (stored.length === Math.ceil(found.length / 3) * 4)
      return same(octets(found.toString('base64')), octets(stored));
    return stored.length === found.length * 2 && same(octets(found.toString('hex')), octets(lower(stored)));
  };

/** A digest of password and salt, and behind it the salt. */
const salted =
  (algorithm: string): Scheme =>
  (password, stored) => {
    const all = decoded(stored);
    const { length } = crypto().createHash(algorithm).digest();
    if (all === undefined || all.length < length) return false;
    const salt = all.subarray(length);
    const found = crypto().createHash(algorithm).update(octets(password)).update(salt).digest();
    return same(found, all.subarray(0, length));
  };

const mostRounds = 10_000_000;

/** `ROUNDS$SALT$HASH`, as the module pw-pbkdf2 of OpenLDAP writes it. */
const pbkdf2 =
  (algorithm: string): Scheme =>
  (password, stored) => {
    const [rounds = '', salt = '', hash = ''] = stored.split('$');
    const [saltOctets, expected] = [decoded(salt), decoded(hash)];
    if (!/^\d{1,8}$/.test(rounds) || saltOctets === undefined || !expected?.length) return false;
    if (Number(rounds) < 1 || Number(rounds) > mostRounds) throw new Error(`PBKDF2 with ${rounds} rounds`);
    return new Promise((resolve, reject) => {
      crypto().pbkdf2(octets(password), saltOctets, Number(rounds), expected.length, algorithm, (error, found) => {
        if (error === null) resolve(same(found, expected));
        else reject(error);
      });
    });
  };

/** Kilobytes and passes that a hash by argon2 may take. */
const argon2Memory = 1 << 20;
const argon2Passes = 100;
const argon2Form = /^\$(argon2(?:id|i|d))\$v=(\d+)\$m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,3})\$([^$]*)\$([^$]*)$/;

/** `$argon2id$v=19$m=65536,t=3,p=4$SALT$HASH` */
const argon2: Scheme = (password, stored) => {
  const [, algorithm = '', version = '', m = '', t = '', p = '', salt = '', hash = ''] = argon2Form.exec(stored) ?? [];
  const [nonce, expected] = [decoded(salt), decoded(hash)];
  const [memory, passes, parallelism] = [Number(m), Number(t), Number(p)];
  if (algorithm === '' || nonce === undefined || expected === undefined) return false;
  if (nonce.length < 8 || expected.length < 4 || expected.length > 1024 || passes < 1 || parallelism < 1) return false;
  if (version !== '19') throw new Error(`argon2 of version ${version}`);
  if (memory > argon2Memory || passes > argon2Passes) throw new Error(`argon2 with m=${m},t=${t}`);
  if (memory < 8 * parallelism) return false;
  return new Promise((resolve, reject) => {
    const settings = { message: octets(password), nonce, parallelism, tagLength: expected.length, memory, passes };
    crypto().argon2(algorithm as 'argon2id' | 'argon2i' | 'argon2d', settings, (error, found) => {
      if (error === null) resolve(same(found, expected));
      else reject(error);
    });
  });
};

/** A string of crypt(3), whatever its method, or of argon2, which crypt(3) does not know. */
const crypt: Scheme = async (password, stored) => {
  if (stored.startsWith('$argon2')) return argon2(password, stored);
  if (stored === '') return false;
  const hash = await systemCrypt(password, stored);
  return hash !== undefined && same(octets(hash), octets(stored));
};

/** Two hashes behind one salt: of the first eight characters of the password, and of those behind them. */
const crypt16: Scheme = async (password, stored) => {
  const first = await systemCrypt(password.slice(0, 8), stored);
  const second = await systemCrypt(password.slice(8), stored);
  return first !== undefined && second !== undefined && same(octets(first + second.slice(2)), octets(stored));
};

const cleartext: Scheme = (password, stored) => password !== '' && same(octets(password), octets(stored));

const schemes: ReadonlyMap<string, Scheme> = new Map([
  ['md5', digest('md5')],
  ['sha1', digest('sha1')],
  ['sha', digest('sha1')],
  ...['256', '384', '512'].map((bits): [string, Scheme] => [`sha${bits}`, digest(`sha${bits}`)]),
  ['smd5', salted('md5')],
  ['ssha', salted('sha1')],
  ...['256', '384', '512'].map((bits): [string, Scheme] => [`ssha${bits}`, salted(`sha${bits}`)]),
  ['pbkdf2', pbkdf2('sha1')],
  ['pbkdf2-sha1', pbkdf2('sha1')],
  ['pbkdf2-sha256', pbkdf2('sha256')],
  ['pbkdf2-sha512', pbkdf2('sha512')],
  ...['crypt', 'bcrypt', 'blf-crypt', 'md5-crypt', 'sha256-crypt', 'sha512-crypt'].map((name): [string, Scheme] => [
    name,
    crypt,
  ]),
  ['crypt16', crypt16],
  ...['argon2', 'argon2i', 'argon2d', 'argon2id'].map((name): [string, Scheme] => [name, argon2]),
  ['cleartext', cleartext],
]);

/** The names that may stand in braces. */
export const schemeNames: readonly string[] = [...schemes.keys()];

/** Nothing when the text names a scheme that is not known. @throws Error, now or later, when it asks for too much */
export function passwordMatches(password: string, stored: string): Eventual<boolean> | undefined {
  // libraries in C read only what stands before it, and HMAC does not count it at the end
  if (/\0/.test(password + stored)) return false;
  const found = /^\{([^}]*)\}(.*)$/s.exec(stored);
  if (found === null) return stored.startsWith('{') ? undefined : crypt(password, stored);
  const [, name = '', rest = ''] = found;
  return schemes.get(lower(name))?.(password, rest);
}
