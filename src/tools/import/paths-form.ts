/**
 * Text tables in which addresses lead to directories, and directories have quotas: vdomains, valiases and mquota, which
 * `tabella rebuild` makes into DBM files.
 */

import { lower } from '../../lib/octets.ts';
import * as files from '../../safe/files.ts';
import { literal, pathOf } from '../../safe/taint.ts';
import { listName } from '../table-list.ts';
import type { Form, FormRules } from './form.ts';
import type { Gathered } from './gather.ts';
import { mailboxPlace } from './mailbox-place.ts';
import type { Row } from './merge-table.ts';
import type { Imported, ImportedAlias, ImportedUser, Target, Teller } from './record.ts';
import { keyTarget, targetsText } from './targets.ts';
import { domainTables, type Table, writeTables } from './write-tables.ts';

/** exim_dbmbuild takes no longer ones. */
const longestDbmValue = 99_998;
const longestDbmKey = 255;

/** The mailboxes of users who are aliases, too: their row holds both. */
function doubled(gathered: Gathered, rules: FormRules): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const record of gathered.records()) {
    if (record.kind !== 'user' || !gathered.hasAlias(record.address)) continue;
    const path = mailboxPath(record, rules);
    if (path !== undefined && record.receives) found.set(record.address, path);
  }
  return found;
}

/** A mailbox below the mail directory, or a file of its own, as it was. */
function mailboxPath(user: ImportedUser, { mailRoot }: FormRules): string | undefined {
  return user.mailbox ?? mailboxPlace(user, mailRoot)?.absolute;
}

function pathTables(gathered: Gathered, rules: FormRules, teller: Teller): readonly Table[] {
  const mailboxes = doubled(gathered, rules);
  const checked = function* (row: Row): Generator<Row> {
    const tooLong = row.value.length > longestDbmValue || row.key.length > longestDbmKey;
    if (tooLong) teller.lost(row.origin, `${row.key.slice(0, 80)}: it is too long for exim_dbmbuild`);
    else yield row;
  };
  const addressRows = function* (record: Imported): Generator<Row> {
    if (record.kind === 'alias') yield* checked(aliasWithMailbox(record, mailboxes));
    if (record.kind !== 'user' || gathered.hasAlias(record.address)) return;
    const { address, origin, receives } = record;
    const path = mailboxPath(record, rules);
    if (!receives) teller.lost(origin, `${address}: the account is disabled, and gets no row: mail for it is refused`);
    else if (path === undefined) teller.lost(origin, `${address}: no name of a directory can be made of it`);
    else yield* checked({ key: address, value: targetsText([{ kind: 'file', path }]), origin });
  };
  const quotaRows = function* (record: Imported): Generator<Row> {
    if (record.kind !== 'user' || record.quota === undefined) return;
    const path = mailboxPath(record, rules);
    const { address, quota, quotaMessages, origin } = record;
    if (quotaMessages !== undefined)
      teller.lost(origin, `${address}: the number of messages (${quotaMessages}) fits in no table`);
    if (path !== undefined) yield* checked({ key: path, value: String(quota), origin });
  };
  return [
    ...domainTables(literal('vdomains')),
    {
      file: literal('valiases'),
      heading: '# Addresses, and the Maildir or the addresses they lead to.\n',
      mode: 0o644,
      rows: addressRows,
    },
    {
      file: literal('mquota'),
      heading: '# Octets that may lie in a Maildir.\n',
      mode: 0o644,
      keepsCase: true,
      rows: quotaRows,
    },
  ];
}

function aliasWithMailbox({ address, targets, origin }: ImportedAlias, mailboxes: ReadonlyMap<string, string>): Row {
  const path = mailboxes.get(address);
  const own = targetsText([keyTarget(address)]);
  const isOwn = (target: Target): boolean => target.kind === 'address' && lower(target.address) === own;
  const all =
    path === undefined ? targets : targets.map((target): Target => (isOwn(target) ? { kind: 'file', path } : target));
  return { key: address, value: targetsText(all), origin };
}

/** How `tabella rebuild` makes DBM files of the tables; names of directories keep their letters. */
const tableList = `# text, table, and options of exim_dbmbuild; "tabella rebuild" makes what has changed
vdomains  vdomains.db
valiases  valiases.db
mquota    mquota.db  -nolc
`;

export const pathsForm: Form = {
  name: 'paths',
  doc: 'text tables: vdomains, valiases, mquota',
  needsOutput: true,
  async write(gathered, rules, teller) {
    await writeTables(pathTables, gathered, rules, teller);
    const list = pathOf(rules.output ?? literal('.'), listName);
    if (!rules.dryRun && files.stat(list) === undefined) await files.replace(list, tableList, 0o644);
  },
};
