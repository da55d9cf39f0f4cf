/** `tabella rebuild`: tables whose text has changed. Silent when there is nothing to do, so that cron sends no mail. */

import { reviewed } from '../../safe/taint.ts';
import { type Rebuilt, rebuild } from '../../tools/rebuild.ts';
import { tablesOf } from '../../tools/table-list.ts';
import { UsageError } from '../options.ts';
import type { Terminal } from '../output.ts';
import { readWords } from '../words.ts';

const usage = 'tabella rebuild [--dry-run] [--all] [-v] directory|file...';

const entries = (count: number): string => `${count} ${count === 1 ? 'entry' : 'entries'}`;

/** Answers 0, or 1 when a table could not be made; the others are made all the same. */
export async function rebuildCommand(words: readonly string[], { out, error }: Terminal): Promise<number> {
  const given = readWords(words, { '--dry-run': 'flag', '-n': 'flag', '--all': 'flag', '-v': 'flag' }, usage);
  if (given.rest.length === 0) throw new UsageError(`no directory and no file is named\nusage: ${usage}`);
  const rules = { dryRun: given.has('--dry-run') || given.has('-n'), all: given.has('--all') };
  const speaks = given.has('-v');
  const tell = (name: string, result: Rebuilt): void => {
    switch (result.outcome) {
      case 'current':
        if (speaks) out(`${name}: up to date\n`);
        break;
      case 'same':
        if (speaks || rules.dryRun) out(`${name}: nothing has changed (${result.reason}, ${entries(result.count)})\n`);
        break;
      case 'made':
        out(`${name}: ${rules.dryRun ? 'would be made' : 'made'} with ${entries(result.count)} (${result.reason})\n`);
        break;
      case 'failed':
        for (const problem of result.problems) error(`${problem}\n`);
        error(`${name}: the old table stays as it is\n`);
    }
  };
  let status = 0;
  for (const word of given.rest) {
    const { tables, problems } = tablesOf(reviewed(word, 'who calls the program names files with his own rights'));
    for (const problem of problems) error(`${problem}\n`);
    if (problems.length > 0) status = 1;
    for (const table of tables) {
      const result = await rebuild(table, rules);
      tell(table.target, result);
      if (result.outcome === 'failed') status = 1;
    }
  }
  return status;
}
