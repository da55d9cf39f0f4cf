/** `tabella convert`: the Exim 4 text of an Exim 3 configuration, with a remark at each change. */

import { isExim3Text } from '../config/exim3/text.ts';
import { translateExim3 } from '../config/exim3/translate.ts';
import { formatProblem, Problems } from '../config/problems.ts';
import { errorText } from '../lib/errno.ts';
import * as files from '../safe/files.ts';
import type { Clean } from '../safe/taint.ts';

/** Where the new text goes, and what is to be said about it. */
export interface ConvertStreams {
  out(text: string): void;
  error(text: string): void;
}

/**
 * Writes the Exim 4 text of a file, and on the other stream what has to be looked at. Answers 0, or 1 when there is
 * something that Exim 4 cannot do, or nothing to convert.
 */
export function convert(file: Clean, { out, error }: ConvertStreams): number {
  let text: string;
  try {
    text = files.readText(file);
  } catch (problem) {
    error(`tabella: failed to open ${file}: ${errorText(problem)}\n`);
    return 1;
  }
  if (!isExim3Text(text)) {
    error(`tabella: ${file} is no Exim 3 text: no line of it is "end", or one begins a section as Exim 4 does\n`);
    return 1;
  }
  const problems = new Problems();
  out(translateExim3(file, text, new Map(), problems).text);
  for (const problem of problems.all) error(`${formatProblem(problem)}\n`);
  return problems.errors.length > 0 ? 1 : 0;
}
