/** Collects in a test what an import tells, and writes files that a source reads. */

import { TestDirectory } from '../../lib/test-directory.ts';
import type { Clean } from '../../safe/taint.ts';
import type { Imported, ImportSource, Teller } from './record.ts';

export class TestTeller implements Teller {
  /** `line: reason`, without the file. */
  readonly losses: string[] = [];
  readonly remarks: string[] = [];

  lost({ line }: { readonly line?: number | undefined }, reason: string): void {
    this.losses.push(line === undefined ? reason : `${line}: ${reason}`);
  }

  remark(_: unknown, reason: string): void {
    this.remarks.push(reason);
  }
}

/** Calls `test` with the path of a file of this text. */
export function withFile<T>(text: string, test: (path: Clean) => T): T {
  const directory = new TestDirectory();
  try {
    return test(directory.write('file', text));
  } finally {
    directory.remove();
  }
}

/** The records of a source, without where they come from, and what it tells. */
export function readAll(source: ImportSource): { readonly records: readonly unknown[]; readonly teller: TestTeller } {
  const teller = new TestTeller();
  const records = [...source(teller)].map(({ origin: _, ...record }: Imported) => record);
  return { records, teller };
}
