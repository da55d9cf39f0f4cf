/** The extensions of Sieve that are there (RFC 5228 §6; `exim -bI:sieve`). */

/** What `require` may name. */
export const sieveCapabilities: readonly string[] = [
  'comparator-i;ascii-numeric',
  'copy',
  'encoded-character',
  'enotify',
  'envelope',
  'fileinto',
  'subaddress',
  'vacation',
];
