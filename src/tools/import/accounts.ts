/** The accounts of a passwd file as users, without qmail: each has a mailbox under the first domain, and is an alias in the others. */

import type { Clean } from '../../safe/taint.ts';
import { accounts } from './qmail-users.ts';
import { type Imported, type ImportSource, plainUser } from './record.ts';
import { keyTarget } from './targets.ts';

export function accountsOf(path: Clean, domain: string, otherDomains: readonly string[]): ImportSource {
  return function* (teller): Generator<Imported> {
    for (const { exact, user, home, uid, gid, origin } of accounts(path, teller)) {
      if (!exact) continue;
      const address = `${user}@${domain}`;
      yield { ...plainUser, address, home, uid, gid, origin };
      for (const other of otherDomains) {
        yield { kind: 'alias', address: `${user}@${other}`, targets: [keyTarget(address)], origin };
      }
    }
  };
}
