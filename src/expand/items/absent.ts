/** Items for what this program has not: functions in C. They are read, and fail clearly. */

import { Text } from '../../safe/taint.ts';
import { type Item, plainItem } from '../evaluate.ts';
import { fail } from '../failure.ts';

const dlfunc: Item = plainItem({
  name: 'dlfunc',
  doc: 'what a function in C returns (not in this program)',
  minimum: 2,
  maximum: 10,
  evaluate: ([file = Text.empty]) =>
    fail(`dlopen "${file.value}" failed: this program loads no functions in C; use perl or readsocket`),
});

export const absentItems: readonly Item[] = [dlfunc];
