/** What `-be` prints for each of many lines, on both sides; a program that dies is started again behind the line that killed it. */

import type { Pair } from './compare.ts';
import { type Files, runJobs, type Side } from './room.ts';

async function answers(
  side: Side,
  files: Files,
  words: readonly string[],
  lines: readonly string[],
): Promise<(string | undefined)[]> {
  const found: (string | undefined)[] = [];
  while (found.length < lines.length) {
    const input = `${lines.slice(found.length).join('\n')}\n`;
    const [outcome] = await runJobs(side, files, [{ words: [...words, '-be'], input }]);
    const { stdout = '', stderr = '', status } = outcome ?? {};
    if (!stdout.startsWith('> ')) throw new Error(`${side} does not start (status ${status}): ${stderr}`);
    const parts = stdout.slice(2).split('\n> ');
    const wanted = lines.length - found.length;
    found.push(...parts.slice(0, parts.length > wanted ? wanted : parts.length - 1));
    if (parts.length <= wanted) found.push(undefined);
  }
  return found;
}

/** The lines as they can stand in the input: no macros, nothing that is continued, no prompt within. */
export function usable(lines: readonly string[]): string[] {
  return lines
    .map((line) => line.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((line) => line !== '' && !/^[A-Z]|\\$|\n|> /.test(line) && line.length < 4000);
}

export async function compareLines(files: Files, words: readonly string[], lines: readonly string[]): Promise<Pair[]> {
  const [real, ours] = await Promise.all([answers('real', files, words, lines), answers('ours', files, words, lines)]);
  return lines.map((input, i) => ({ input, real: real[i], ours: ours[i] }));
}
