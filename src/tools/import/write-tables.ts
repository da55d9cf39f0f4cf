/**
 * Writes the text tables of one shape: each is merged with what is there. Rows are made anew as often as they are needed,
 * so that memory holds no table; what cannot be a row is told once.
 */

import * as files from '../../safe/files.ts';
import { type Clean, literal, pathOf } from '../../safe/taint.ts';
import type { FormRules } from './form.ts';
import type { Gathered } from './gather.ts';
import { mergeTable, type Row } from './merge-table.ts';
import type { Imported, Teller } from './record.ts';

export interface Table {
  readonly file: Clean;
  readonly heading: string;
  readonly mode: number;
  /** Keys are names of files: letters count. */
  readonly keepsCase?: boolean;
  /** The rows that a record makes in this table. */
  rows(record: Imported): Iterable<Row>;
}

/** The tables of a shape. */
export type Shape = (gathered: Gathered, rules: FormRules, teller: Teller) => readonly Table[];

const silent: Teller = { lost: () => undefined, remark: () => undefined };

function* domainRows(record: Imported, use: 'local' | 'relay'): Generator<Row> {
  if (record.kind === 'domain' && record.use === use) yield { key: record.domain, value: '', origin: record.origin };
}

/** Domains that are ours, in a file of this name, and those that we relay for. */
export const domainTables = (file: Clean): readonly Table[] => [
  {
    file,
    heading: '# Domains that are ours, one a line.\n',
    mode: 0o644,
    rows: (record) => domainRows(record, 'local'),
  },
  {
    file: literal('relay_domains'),
    heading: '# Domains whose mail is taken in for other servers; *.name is for all below it (partial-lsearch).\n',
    mode: 0o644,
    rows: (record) => domainRows(record, 'relay'),
  },
];

/** Two rows of one key can come from different records: two users of one directory have one quota. */
function* distinct(rows: Iterable<Row>, teller: Teller): Generator<Row> {
  const seen = new Map<string, string>();
  for (const row of rows) {
    const before = seen.get(row.key);
    if (before === undefined) yield row;
    else if (before !== row.value)
      teller.lost(row.origin, `${row.key}: another row says ${before}, and not ${row.value}`);
    seen.set(row.key, before ?? row.value);
  }
}

function* rowsOf(table: Table, gathered: Gathered): Generator<Row> {
  for (const record of gathered.records()) yield* table.rows(record);
}

/** Writes all tables of a shape into the directory. */
export async function writeTables(shape: Shape, gathered: Gathered, rules: FormRules, teller: Teller): Promise<void> {
  const directory = rules.output ?? literal('.');
  if (!rules.dryRun) files.makeDirectories(directory, 0o755);
  const tables = shape(gathered, rules, teller);
  // rows are made more than once; what is lost in making them is told once
  const quiet = shape(gathered, rules, silent);
  for (const [index, table] of tables.entries()) {
    const path = pathOf(directory, table.file);
    const again = quiet[index] ?? table;
    let told = false;
    const rows = (): Iterable<Row> => {
      const first = !told;
      told = true;
      return distinct(rowsOf(first ? table : again, gathered), first ? teller : silent);
    };
    let count = 0;
    const merged = await mergeTable(
      path,
      rows,
      {
        ...rules,
        heading: table.heading,
        mode: table.mode,
        keepsCase: table.keepsCase === true,
        change(mark, row) {
          if (rules.dryRun)
            rules.say(`${path}: ${mark} ${row.key}${row.value === '' || table.mode === 0o600 ? '' : `: ${row.value}`}`);
          if (++count % 1000 === 0) rules.progress(`rows for ${table.file}`, count);
        },
      },
      teller,
    );
    const { added, replaced, same, kept } = merged;
    const parts = [`${added} added`, `${same} there already`];
    if (replaced > 0) parts.push(`${replaced} replaced`);
    if (kept > 0) parts.push(`${kept} kept as they were`);
    rules.say(`${path}: ${parts.join(', ')}${rules.dryRun ? ' (nothing is written)' : ''}`);
  }
}
