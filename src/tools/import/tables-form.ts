/**
 * Text tables as the demo configuration reads them: domains, aliases, users (Maildir and quota in one row), passwords.
 */

import { literal } from '../../safe/taint.ts';
import type { Form, FormRules } from './form.ts';
import type { Gathered } from './gather.ts';
import { mailboxPlace, tellMove } from './mailbox-place.ts';
import type { Row } from './merge-table.ts';
import type { Imported, Teller } from './record.ts';
import { keyTarget, targetsText } from './targets.ts';
import { domainTables, type Table, writeTables } from './write-tables.ts';

const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1);

/** A value of `name=value` pairs, as the `extract` item reads it. */
function pair(name: string, value: string | number | undefined): string[] {
  if (value === undefined) return [];
  const text = String(value);
  return [`${name}=${/[\s"\\=]|^$/.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : text}`];
}

function* userRows(record: Imported, { mailRoot }: FormRules, teller: Teller): Generator<Row> {
  if (record.kind !== 'user') return;
  const { address, origin, receives, quota, quotaMessages, uid, gid, name } = record;
  if (!receives)
    return teller.lost(origin, `${address}: the account is disabled, and gets no row: mail for it is refused`);
  const place = mailboxPlace(record, mailRoot);
  if (place === undefined) return teller.lost(origin, `${address}: no name of a directory can be made of it`);
  tellMove(record, place, teller);
  const pairs = [
    ...pair('maildir', place.relative),
    ...pair('quota', quota),
    ...pair('messages', quotaMessages),
    ...pair('uid', uid),
    ...pair('gid', gid),
    ...pair('name', name?.replace(/[\r\n]+/g, ' ')),
  ];
  yield { key: address, value: pairs.join(' '), origin };
}

/** In a domain where unknown addresses go somewhere, those who have a mailbox must be named among the aliases, too. */
function* aliasRows(record: Imported, gathered: Gathered): Generator<Row> {
  if (record.kind === 'alias') {
    yield { key: record.address, value: targetsText(record.targets), origin: record.origin };
  } else if (record.kind === 'user' && record.receives) {
    const { address, origin } = record;
    if (gathered.catchAll.has(domainOf(address)) && !gathered.hasAlias(address))
      yield { key: address, value: targetsText([keyTarget(address)]), origin };
  }
}

function* passwordRows(record: Imported, teller: Teller): Generator<Row> {
  if (record.kind !== 'user' || record.password === undefined || !record.mayLogin) return;
  const { address, password, origin } = record;
  if (/[\r\n\0]/.test(password)) teller.lost(origin, `${address}: the password holds a line end or a binary zero`);
  else yield { key: address, value: password, origin };
}

function demoTables(gathered: Gathered, rules: FormRules, teller: Teller): readonly Table[] {
  return [
    ...domainTables(literal('domains')),
    {
      file: literal('aliases'),
      heading:
        '# Aliases: where mail for an address goes. A line with a star is for all that have none of their own.\n',
      mode: 0o644,
      rows: (record) => aliasRows(record, gathered),
    },
    {
      file: literal('users'),
      heading: '# Mailboxes: address, then the Maildir below the mail directory, and the quota.\n',
      mode: 0o644,
      rows: (record) => userRows(record, rules, teller),
    },
    {
      file: literal('passwords'),
      heading: '# Passwords: who may fetch mail.\n',
      mode: 0o600,
      rows: (record) => passwordRows(record, teller),
    },
  ];
}

export const tablesForm: Form = {
  name: 'tables',
  doc: 'text tables: domains, aliases, users, passwords',
  needsOutput: true,
  write: (gathered, rules, teller) => writeTables(demoTables, gathered, rules, teller),
};
