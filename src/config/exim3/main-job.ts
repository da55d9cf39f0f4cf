/** One option of the main section on its way to Exim 4. */

import type { OldListKind } from './lists.ts';
import { type Output, shown } from './output.ts';
import type { OldSetting } from './text.ts';
import { asValue, type Names } from './values.ts';

/** Settings of the main section by their names; the last one counts. */
export type Settings = ReadonlyMap<string, OldSetting>;

export interface Job {
  readonly setting: OldSetting;
  readonly settings: Settings;
  readonly output: Output;
  readonly names: Names;
}

/** What becomes of an option: another name, a reason why it is gone, or work of its own. */
export type Rule = { readonly to: string } | { readonly gone: string } | ((job: Job) => void);

export function replace({ setting, output }: Job, text: string, why?: string): void {
  output.remark(`${shown(setting)}${why === undefined ? '' : `: ${why}`}`, setting.line.number);
  output.write(`${setting.hidden ? 'hide ' : ''}${text}`, setting.line.number);
}

/** An option that is a list now, and was a switch. */
export const everything =
  (name: string): Rule =>
  (job) =>
    replace(job, `${name} =${job.setting.on ? ' *' : ''}`, 'it is a list now');

/** A list with its items in their new form. */
export function convertListOption(
  job: Job,
  name: string,
  kind: OldListKind,
  purpose: 'reject' | 'other' = 'other',
): void {
  const { setting, output, names } = job;
  const { number } = setting.line;
  const { text, changes, problems } = names.list(setting, kind, purpose);
  for (const problem of problems) output.error(problem, number, 'take it out, or name the host alone');
  if (name === setting.name && changes.length === 0 && problems.length === 0) {
    output.copy(setting.line.physical);
    return;
  }
  replace(job, `${name} = ${asValue(text)}`, changes.length === 0 ? undefined : changes.join('; '));
}
