/** What is wrong with the options of an appendfile transport taken together (Exim spec 26). */

import type { OptionsOf, OptionsProblem } from '../options/table.ts';
import type { appendfileOptions } from './appendfile-options.ts';

type Options = OptionsOf<typeof appendfileOptions>;

/** Options that need another one. */
const needs = [
  ['quota_filecount', 'directory'],
  ['quota_directory', 'directory'],
  ['quota_filecount', 'quota'],
  ['quota_directory', 'quota'],
] as const;

export function checkAppendfile(options: Options, _: unknown, name: string): OptionsProblem | undefined {
  if (options.file !== undefined && options.directory !== undefined) {
    return 'only one of "file" or "directory" can be specified';
  }
  for (const [option, other] of needs) {
    if (options[option] === undefined || options[other] !== undefined) continue;
    if (other === 'quota') return `quota must be set if ${option} is set`;
    if (options.file !== undefined) return `${option} must not be set without "directory"`;
  }
  if (options.maildir_format && options.mailstore_format) return 'only one of maildir and mailstore may be specified';
  if (!(options.use_lockfile || options.use_fcntl_lock || options.use_flock_lock || options.use_mbx_lock)) {
    return 'no locking configured';
  }
  const { create_file: place } = options;
  if (!['anywhere', 'belowhome', 'inhome'].includes(place) && !place.startsWith('/')) {
    return { named: `invalid value given for "create_file" for the ${name} transport: '${place}'` };
  }
  return undefined;
}
