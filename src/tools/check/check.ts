/** `tabella check`: all that is wrong with a configuration, and all that in it does not do what it seems to. */

import type { Config } from '../../config/config.ts';
import type { Problem } from '../../config/problems.ts';
import { formatProblem } from '../../config/problems.ts';
import { kerberos } from './kerberos.ts';
import { undefinedNames } from './names.ts';
import { obsolete } from './obsolete.ts';
import { refusedTexts } from './refused-texts.ts';
import { formatRemark, type Remark } from './remark.ts';
import { unreachable } from './unreachable.ts';
import { unused } from './unused.ts';
import { neverAsked, withoutEffect } from './without-effect.ts';

const checks: readonly ((config: Config) => Iterable<Remark>)[] = [
  undefinedNames,
  unreachable,
  refusedTexts,
  withoutEffect,
  neverAsked,
  kerberos,
  obsolete,
  unused,
];

/** What a configuration that can be used has to be told. */
export function* remarks(config: Config): Generator<Remark> {
  for (const check of checks) yield* check(config);
}

/** Writes the report; answers whether the configuration can be used. */
export function reportCheck(config: Config, problems: readonly Problem[], write: (line: string) => void): boolean {
  const errors = problems.filter(({ severity }) => severity === 'error');
  for (const problem of problems) write(formatProblem(problem));
  const counts = { Warning: problems.length - errors.length, Remark: 0 };
  if (errors.length === 0) {
    for (const remark of remarks(config)) {
      write(formatRemark(remark));
      counts[remark.severity]++;
    }
  }
  const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`;
  const parts = [count(errors.length, 'error'), count(counts.Warning, 'warning'), count(counts.Remark, 'remark')];
  write(`${config.file}: ${parts.join(', ')}`);
  return errors.length === 0;
}
