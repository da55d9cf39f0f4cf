/** Hashes and random numbers, loaded when they are first needed: short commands do without. */

type Crypto = typeof import('node:crypto');

export function crypto(): Crypto {
  return process.getBuiltinModule('node:crypto');
}
