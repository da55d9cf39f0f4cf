/** Where SQL and LDIF go: a file that appears whole under its name, or standard output. */

import * as files from '../../safe/files.ts';
import { type Clean, literal } from '../../safe/taint.ts';
import { nameBeside, syncName } from '../table-writer.ts';
import type { FormRules } from './form.ts';

export interface Output {
  write(text: string): void;
}

/** Calls `work` with the output, and puts the file in its place when that has ended well. Nothing is written in a dry run. */
export async function withOutput({ output, dryRun, out }: FormRules, work: (output: Output) => void): Promise<void> {
  if (dryRun || output === undefined) {
    work({ write: dryRun ? () => undefined : out });
    return;
  }
  await writeFile(output, work);
}

async function writeFile(output: Clean, work: (output: Output) => void): Promise<void> {
  const beside = nameBeside(output, literal('.new'));
  files.removeIfPossible(beside);
  // passwords may be in it
  const file = files.open(beside, files.createNew, 0o600);
  let pending = '';
  try {
    try {
      work({
        write(text) {
          pending += text;
          if (pending.length < 256 * 1024) return;
          files.write(file, pending);
          pending = '';
        },
      });
      files.write(file, pending);
      await files.sync(file);
    } finally {
      files.close(file);
    }
    files.rename(beside, output);
    await syncName(output);
  } finally {
    files.removeIfPossible(beside);
  }
}
