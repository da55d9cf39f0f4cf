/**
 * Searches in LDAP directories, and the question of the condition
 * `ldapauth`. What came from outside is always a value (`ldap-octets.ts`).
 */

import type { Context } from '../expand/context.ts';
import type { AuthenticationAnswer } from '../expand/questions.ts';
import type { Text } from '../safe/taint.ts';
import { ldapAnswer } from './ldap-answer.ts';
import { type LdapAnswer, LdapDirectory } from './ldap-directory.ts';
import { parseLdapQuery } from './ldap-query.ts';
import { type Database, type Found, LookupProblem, notFound } from './lookup.ts';
import type { MainOptions, Surroundings } from './surroundings.ts';
import { UnquotedComplaints } from './unquoted.ts';

export type Kind = 'ldap' | 'ldapdn' | 'ldapm';

/** The servers, and what is open of them. */
export class LdapDatabase implements Database {
  readonly #kind: Kind;
  readonly #directory: LdapDirectory;
  readonly #complaints = new UnquotedComplaints();

  constructor(kind: Kind, { main }: Surroundings) {
    this.#kind = kind;
    this.#directory = new LdapDirectory(main);
  }

  async find(text: Text, _options: unknown, context: Context): Promise<Found> {
    if (text.value === '') return notFound;
    const query = parseLdapQuery(text);
    if ('refused' in query) throw new LookupProblem(query.refused);
    if ('error' in query) return { outcome: 'defer', message: query.error };
    if (query.unquoted) this.#complaints.complain(text, context);
    const answer = await this.#directory.search(query);
    if (answer.outcome !== 'found') return withoutEntries(answer);
    const { entries } = answer;
    if (this.#kind !== 'ldapm' && entries.length > 1) {
      const message = `LDAP search: more than one entry (${entries.length}) was returned (filter not specific enough?)`;
      return { outcome: 'defer', message };
    }
    const value =
      this.#kind === 'ldapdn' ? entries[0]?.name : ldapAnswer(entries, query.search.attributes.length === 1);
    return value === undefined ? notFound : { outcome: 'found', value };
  }

  close(): void {
    this.#directory.close();
  }
}

function withoutEntries(answer: Exclude<LdapAnswer, { outcome: 'found' }>): Found {
  return answer.outcome === 'not found' ? notFound : { outcome: 'defer', message: answer.message };
}

/** Asks a server whether it accepts a user and a password (`ldapauth`). An empty password is never accepted. */
export async function askLdapServer(main: MainOptions, text: Text): Promise<AuthenticationAnswer> {
  const query = parseLdapQuery(text);
  if ('refused' in query) return { error: query.refused };
  if ('error' in query) return query;
  if (query.settings.user === undefined || query.settings.password === undefined) {
    return { error: 'ldapauth lookups must specify the username and password' };
  }
  // a server takes a name without a password for a question of nobody's, and accepts it
  if (query.user === '' || query.password === '') return { accepted: false };
  const directory = new LdapDirectory(main);
  try {
    const answer = await directory.authenticate(query);
    return answer.outcome === 'defer' ? { error: answer.message } : { accepted: answer.outcome === 'found' };
  } finally {
    directory.close();
  }
}
