/**
 * What the name of a message in a maildir tells: when it was delivered, how large it is, its flags, and the part that
 * stays while the flags change, by which the message is known.
 */

import { crypto } from '../lib/crypto.ts';

/** The part of a name that stays when flags are set. */
export function lastingName(name: string): string {
  const info = name.lastIndexOf(':2,');
  return info <= 0 ? name : name.slice(0, info);
}

/** The lasting name itself, when it can be sent; else a digest of it (RFC 1939, UIDL). */
export function uniqueIdOf(lasting: string): string {
  if (/^[!-~]{1,70}$/.test(lasting)) return lasting;
  return `=${crypto().createHash('sha256').update(lasting, 'latin1').digest('base64url')}`;
}

/** What `tag` (`S`: octets of the file, `W`: octets as they are sent) says in a name. */
export function tagged(name: string, tag: 'S' | 'W'): number | undefined {
  const found = (tag === 'S' ? /,S=(\d{1,15})(?=[,:]|$)/ : /,W=(\d{1,15})(?=[,:]|$)/).exec(name);
  return found === null ? undefined : Number(found[1]);
}

/** A name with the flag that says the message was seen. */
export function seenName(name: string): string {
  const lasting = lastingName(name);
  const flags = new Set(name.slice(lasting.length + ':2,'.length));
  return `${lasting}:2,${[...flags.add('S')].sort().join('')}`;
}

/** Puts what has names into the order of delivery: by the time in the name, down to microseconds. */
export function inOrder<T extends { readonly name: string }>(entries: Iterable<T>): T[] {
  const keyed = Array.from(entries, (entry) => {
    const found = /^(\d{1,15})\.(?:M(\d{1,7}))?/.exec(entry.name);
    return { entry, seconds: Number(found?.[1] ?? Number.MAX_SAFE_INTEGER), micro: Number(found?.[2] ?? 0) };
  });
  keyed.sort((a, b) => a.seconds - b.seconds || a.micro - b.micro || (a.entry.name < b.entry.name ? -1 : 1));
  return keyed.map(({ entry }) => entry);
}
