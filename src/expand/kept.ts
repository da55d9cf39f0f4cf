/** What expansion items leave behind for later strings of the same line of work: `$prvscheck_…`, `$srs_recipient`, `$lookup_dnssec_authenticated`. */

import { Text } from '../safe/taint.ts';
import type { Context } from './context.ts';

export type KeptName =
  | 'prvscheck_address'
  | 'prvscheck_keynum'
  | 'prvscheck_result'
  | 'srs_recipient'
  | 'lookup_dnssec_authenticated';

/** Sets a variable; nothing takes its value away. */
export function keep(context: Context, name: KeptName, value: Text | undefined): void {
  context.found.set(`variable ${name}`, value);
}

export function kept(context: Context, name: KeptName): Text | undefined {
  const value = context.found.get(`variable ${name}`);
  return value instanceof Text ? value : undefined;
}
