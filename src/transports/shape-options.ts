/**
 * The options that shape a message for a file or a command (Exim spec 26.4, 29.7): what is escaped in the body, what
 * stands before and behind it. Batch SMTP, and files of a message each, have values of their own for them.
 */

import { dependsOn, type OptionRow } from '../options/table.ts';

interface BatchRule {
  readonly value: string;
  /** Whether it is so even when the option is set. */
  readonly always: boolean;
}

const ofBatch = {
  check_string: { value: '.', always: true },
  escape_string: { value: '..', always: true },
  message_prefix: { value: '', always: false },
  message_suffix: { value: '', always: false },
} as const satisfies Readonly<Record<string, BatchRule>>;

/** One of the four; `ownFile` are the options by which each message gets a file of its own. */
export function shape<T>(name: keyof typeof ofBatch, row: OptionRow<T>, ownFile: readonly string[] = []): OptionRow<T> {
  return dependsOn(
    row,
    [...ownFile, 'use_bsmtp'].join(', '),
    ({ values, set }) => {
      const { value, always } = ofBatch[name];
      const isSet = set.has(name);
      if (values['use_bsmtp'] === true && (always || !isSet)) return value;
      if (isSet) return undefined;
      return ownFile.some((option) => values[option] !== undefined && values[option] !== false) ? '' : undefined;
    },
    { whenSet: true },
  );
}
