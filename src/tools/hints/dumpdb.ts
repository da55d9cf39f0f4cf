/** exim_dumpdb: writes all records of a hints database, or their keys (Exim spec 54.12). */

import { type HintsTerminal, hintsNamed, openHints, timeShower, usageOf } from './opening.ts';

export function dumpdb(words: readonly string[], terminal: HintsTerminal): number {
  const options = new Set<string>();
  let at = 0;
  for (; words[at] === '-z' || words[at] === '-k'; at++) options.add(words[at] ?? '');
  const named = hintsNamed(words.slice(at));
  if (named === undefined) {
    terminal.out(usageOf('exim_dumpdb', '[-z] [-k]'));
    return 1;
  }
  const file = openHints(named, terminal, 'reading');
  if ('problem' in file) {
    terminal.out(file.problem);
    return 1;
  }
  const time = timeShower(options.has('-z'));
  try {
    for (const record of named.kind.records(file)) {
      terminal.out(options.has('-k') ? `  ${record.key}\n` : record.dump(time));
    }
  } finally {
    file.close();
  }
  return 0;
}
