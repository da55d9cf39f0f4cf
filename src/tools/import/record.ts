/**
 * What an old mail system says, in words that are neither its own nor those of our tables: each source makes such
 * records, each form of output writes them. Addresses are in lower case, as our tables have them.
 */

/** Where a record comes from, for what is told about it. */
export interface Origin {
  readonly file: string;
  readonly line?: number | undefined;
}

/** Where mail for an alias goes. */
export type Target =
  | { readonly kind: 'address'; readonly address: string }
  /** Without its bar. */
  | { readonly kind: 'pipe'; readonly command: string }
  /** A directory, with a slash at its end, is a Maildir. */
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'special'; readonly word: 'blackhole' | 'fail' | 'defer'; readonly text: string };

export interface ImportedDomain {
  readonly kind: 'domain';
  /** A name, or `*.name` for all below it. */
  readonly domain: string;
  /** Its mail is delivered here, or only taken in for another server. */
  readonly use: 'local' | 'relay';
  readonly origin: Origin;
}

export interface ImportedAlias {
  readonly kind: 'alias';
  /** `local@domain`, or `*@domain` for all that have no line of their own. */
  readonly address: string;
  readonly targets: readonly Target[];
  readonly origin: Origin;
}

export interface ImportedUser {
  readonly kind: 'user';
  readonly address: string;
  /** Where the mail lay; a slash at the end tells a Maildir from a file. */
  readonly mailbox: string | undefined;
  readonly home: string | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** Octets and messages. */
  readonly quota: number | undefined;
  readonly quotaMessages: number | undefined;
  /** As it was kept, hashed or not. */
  readonly password: string | undefined;
  readonly name: string | undefined;
  /** Mail for him is taken in. */
  readonly receives: boolean;
  /** He may fetch it. */
  readonly mayLogin: boolean;
  readonly origin: Origin;
}

export type Imported = ImportedDomain | ImportedAlias | ImportedUser;

/** A user of whom nothing is known but where his mail goes. */
export const plainUser = {
  kind: 'user',
  mailbox: undefined,
  home: undefined,
  uid: undefined,
  gid: undefined,
  quota: undefined,
  quotaMessages: undefined,
  password: undefined,
  name: undefined,
  receives: true,
  mayLogin: true,
} as const;

/** Who is told of what is not as it was. */
export interface Teller {
  /** Something is left out. */
  lost(origin: Origin, reason: string): void;
  /** Something is carried over, but somebody has to look at it. */
  remark(origin: Origin, reason: string): void;
}

/** Reads one old system. Problems of the whole source (a file that is not there) are thrown. */
export type ImportSource = (teller: Teller) => Iterable<Imported>;

/** The whole source cannot be read. */
export class Unreadable extends Error {}
