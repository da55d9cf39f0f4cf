/**
 * SQL for the tables transport, users and aliases of virtual mail in PostgreSQL. The statements may be run again: rows are
 * brought into temporary tables, and only those that are missing go on from there. What the tables say otherwise, and what
 * is too long for their columns, is told by psql.
 */

import type { Form, FormRules } from './form.ts';
import { mailboxPlace, tellMove } from './mailbox-place.ts';
import { type Output, withOutput } from './output-file.ts';
import type { Imported, Origin, Teller } from './record.ts';
import { targetsText } from './targets.ts';

const rowsPerStatement = 500;

const beginning = `-- Written by "tabella import". Load it with: psql -v ON_ERROR_STOP=1 -q -t -f FILE DATABASE
-- It may be loaded again: what is there already stays as it is.
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
BEGIN;
CREATE TEMPORARY TABLE import_transport (domain text, local boolean) ON COMMIT DROP;
CREATE TEMPORARY TABLE import_users
  (email text, password text, maildir text, mail boolean, active boolean, name text) ON COMMIT DROP;
CREATE TEMPORARY TABLE import_aliases (source text, destination text) ON COMMIT DROP;
CREATE TEMPORARY TABLE import_widths ON COMMIT DROP AS
  SELECT table_name || '.' || column_name AS place, character_maximum_length AS width FROM information_schema.columns
  WHERE table_name IN ('transport', 'users', 'aliases') AND table_schema = ANY (current_schemas(false));
`;

/** The condition that a value is too long for its column. */
const tooLong = (value: string, place: string): string =>
  `length(${value}) > (SELECT width FROM import_widths WHERE place = '${place}')`;

const shortening = `
DELETE FROM import_transport WHERE ${tooLong('domain', 'transport.domain')}
  RETURNING 'left out: the domain ' || domain || ' is too long for its column';
DELETE FROM import_users
  WHERE ${tooLong('email', 'users.email')} OR ${tooLong('email', 'users.username')} OR ${tooLong('maildir', 'users.maildir')}
  RETURNING 'left out: the user ' || email || ' (' || maildir || ') is too long for a column';
UPDATE import_users SET password = NULL WHERE ${tooLong('password', 'users.password')}
  RETURNING 'left out: the password of ' || email || ' is too long for its column';
UPDATE import_users SET name = NULL WHERE ${tooLong('name', 'users.name')}
  RETURNING 'left out: the name of ' || email || ' is too long for its column';
DELETE FROM import_aliases
  WHERE ${tooLong('source', 'aliases.source')} OR ${tooLong('destination', 'aliases.destination')}
  RETURNING 'left out: the alias ' || source || ' is too long for a column';
`;

const differences = {
  transport: 't.domain = i.domain AND t.local IS DISTINCT FROM i.local',
  users: 't.email = i.email AND (t.maildir, t.mail, t.active) IS DISTINCT FROM (i.maildir::varchar, i.mail, i.active)',
  aliases: 't.source = i.source AND t.destination IS DISTINCT FROM i.destination',
} as const;

const changes = {
  transport: 'local = i.local',
  users:
    'maildir = i.maildir, mail = i.mail, active = i.active, password = coalesce(i.password, t.password), name = coalesce(i.name, t.name)',
  aliases: 'destination = i.destination',
} as const;

const keys = { transport: 'domain', users: 'email', aliases: 'source' } as const;

function ending(replace: boolean): string {
  const statements = (['transport', 'users', 'aliases'] as const).map((table) =>
    replace
      ? `UPDATE ${table} t SET ${changes[table]} FROM import_${table} i WHERE ${differences[table]};`
      : `SELECT 'kept as it was: ${table} ' || i.${keys[table]} FROM ${table} t JOIN import_${table} i ON ${differences[table]};`,
  );
  return `${shortening}
${statements.join('\n')}
INSERT INTO transport (domain, local) SELECT domain, local FROM import_transport i
  WHERE NOT EXISTS (SELECT 1 FROM transport t WHERE t.domain = i.domain);
INSERT INTO users (email, username, password, maildir, mail, active, name)
  SELECT email, email, password, maildir, mail, active, name FROM import_users i
  WHERE NOT EXISTS (SELECT 1 FROM users t WHERE t.email = i.email)
    AND NOT EXISTS (SELECT 1 FROM users t WHERE t.username = i.email);
INSERT INTO aliases (source, destination) SELECT source, destination FROM import_aliases i
  WHERE NOT EXISTS (SELECT 1 FROM aliases t WHERE t.source = i.source);
COMMIT;
`;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Whether a database in UTF-8 takes the octets. */
function isUtf8(text: string): boolean {
  if (!/[\x80-\xff]/.test(text)) return true;
  try {
    utf8.decode(Buffer.from(text, 'latin1'));
    return true;
  } catch {
    return false;
  }
}

type Value = string | boolean | undefined;

function literalOf(value: Value): string {
  if (value === undefined) return 'NULL';
  return typeof value === 'boolean' ? String(value) : `'${value.replaceAll("'", "''")}'`;
}

/** Collects rows to statements. */
class Inserts {
  readonly #output: Output;
  readonly #table: string;
  readonly #teller: Teller;
  #rows: string[] = [];
  count = 0;

  constructor(output: Output, table: string, teller: Teller) {
    this.#output = output;
    this.#table = table;
    this.#teller = teller;
  }

  add(origin: Origin, ...values: readonly Value[]): void {
    const wrong = values.find((value) => typeof value === 'string' && (value.includes('\0') || !isUtf8(value)));
    if (wrong !== undefined) {
      this.#teller.lost(origin, `${String(values[0])}: a value is no UTF-8 text`);
      return;
    }
    this.#rows.push(`(${values.map(literalOf).join(', ')})`);
    this.count++;
    if (this.#rows.length >= rowsPerStatement) this.flush();
  }

  flush(): void {
    if (this.#rows.length > 0) this.#output.write(`INSERT INTO ${this.#table} VALUES\n${this.#rows.join(',\n')};\n`);
    this.#rows = [];
  }
}

interface Tables {
  readonly transport: Inserts;
  readonly users: Inserts;
  readonly aliases: Inserts;
}

function take(record: Imported, { transport, users, aliases }: Tables, rules: FormRules, teller: Teller): void {
  const { origin } = record;
  const lost = (reason: string): void => teller.lost(origin, reason);
  if (record.kind === 'domain') {
    const { domain, use } = record;
    if (domain.startsWith('*')) lost(`${domain}: the table names each domain, and has no wildcards`);
    else transport.add(origin, domain, use === 'local');
  } else if (record.kind === 'alias') {
    const { address, targets } = record;
    if (address.startsWith('*@')) lost(`${address}: the table has no default for a whole domain`);
    else aliases.add(origin, address, targetsText(targets));
  } else {
    const { address, quota, quotaMessages, password, receives, mayLogin, name } = record;
    const place = mailboxPlace(record, rules.mailRoot);
    if (place === undefined) {
      lost(`${address}: no name of a directory can be made of it`);
      return;
    }
    if (quota !== undefined || quotaMessages !== undefined)
      lost(`${address}: the quota is left out, for the table has no column for it`);
    tellMove(record, place, teller);
    users.add(origin, address, password, place.relative, receives, receives && mayLogin, name);
  }
}

export const sqlForm: Form = {
  name: 'sql',
  doc: 'SQL for the tables transport, users and aliases in PostgreSQL',
  needsOutput: false,
  async write(gathered, rules, teller) {
    await withOutput(rules, (output) => {
      output.write(beginning);
      const tables: Tables = {
        transport: new Inserts(output, 'import_transport', teller),
        users: new Inserts(output, 'import_users', teller),
        aliases: new Inserts(output, 'import_aliases', teller),
      };
      let count = 0;
      for (const record of gathered.records()) {
        take(record, tables, rules, teller);
        if (++count % 1000 === 0) rules.progress('written', count);
      }
      for (const table of Object.values(tables)) table.flush();
      output.write(ending(rules.replace));
      const { transport, users, aliases } = tables;
      const what = `${transport.count} domains, ${users.count} users, ${aliases.count} aliases`;
      rules.say(`${rules.output ?? 'SQL'}: ${what}${rules.dryRun ? ' (nothing is written)' : ''}`);
    });
  },
};
