/** Result codes of LDAP servers in OpenLDAP's words (RFC 4511 §A.2), which administrators search their logs for. */

const texts: ReadonlyMap<number, string> = new Map([
  [1, 'Operations error'],
  [2, 'Protocol error'],
  [3, 'Time limit exceeded'],
  [4, 'Size limit exceeded'],
  [7, 'Authentication method not supported'],
  [8, 'Strong(er) authentication required'],
  [10, 'Referral'],
  [11, 'Administrative limit exceeded'],
  [12, 'Critical extension is unavailable'],
  [13, 'Confidentiality required'],
  [16, 'No such attribute'],
  [17, 'Undefined attribute type'],
  [18, 'Inappropriate matching'],
  [19, 'Constraint violation'],
  [21, 'Invalid syntax'],
  [32, 'No such object'],
  [33, 'Alias problem'],
  [34, 'Invalid DN syntax'],
  [36, 'Alias dereferencing problem'],
  [48, 'Inappropriate authentication'],
  [49, 'Invalid credentials'],
  [50, 'Insufficient access'],
  [51, 'Server is busy'],
  [52, 'Server is unavailable'],
  [53, 'Server is unwilling to perform'],
  [54, 'Loop detected'],
  [80, 'Internal (implementation specific) error'],
]);

export const invalidCredentials = 49;

/** The server's result code, nothing for an error of another kind. */
export function ldapResultCode(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}

export function ldapErrorText(code: number): string {
  return `LDAP error ${code}: ${texts.get(code) ?? 'Unknown error'}`;
}

/** Entries that are not there, or names that no entry can have: nothing was found. */
export const meansNotFound: ReadonlySet<number | undefined> = new Set([32, 34]);
/** The server cannot do its work now; another may. */
export const meansBusy: ReadonlySet<number | undefined> = new Set([3, 51, 52, 80]);
