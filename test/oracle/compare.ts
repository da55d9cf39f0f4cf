/**
 * A comparison: what one subject (expansions, lists, ...) gives on both sides for cases made from a seed, and what of it
 * differs without a known reason. The tests and scripts/compare-with-exim.ts both work with this.
 *
 * ORACLE_SEED and ORACLE_ROUNDS change what the tests compare. They start from a fixed seed: a test must not fail by
 * chance on somebody who changed something else; looking for more is what the script is for.
 */

import assert from 'node:assert/strict';
import { reasonFor } from './differences.ts';

/** What both sides gave for the same input; nothing when the program died. */
export interface Pair {
  readonly input: string;
  readonly real: string | undefined;
  readonly ours: string | undefined;
}

export interface Subject {
  readonly name: string;
  /** Makes and compares about as much as takes a second or two. */
  round(seed: number): Promise<readonly Pair[]>;
}

export interface Report {
  readonly compared: number;
  /** How many pairs differ for each known reason. */
  readonly known: ReadonlyMap<string, number>;
  readonly unknown: readonly (Pair & { readonly seed: number })[];
}

export async function compare(subject: Subject, seed: number, rounds: number): Promise<Report> {
  const known = new Map<string, number>();
  const unknown: (Pair & { seed: number })[] = [];
  let compared = 0;
  for (let round = 0; round < rounds; round++) {
    for (const pair of await subject.round(seed + round)) {
      compared++;
      if (pair.real === pair.ours) continue;
      const reason = reasonFor(subject.name, pair);
      if (reason === undefined) unknown.push({ ...pair, seed: seed + round });
      else known.set(reason, (known.get(reason) ?? 0) + 1);
    }
  }
  return { compared, known, unknown };
}

/** Of long texts only the lines that the other side lacks. */
function shown(text: string | undefined, other: string | undefined): string {
  if (text === undefined) return 'died';
  const lines = text.split('\n');
  if (lines.length < 5) return JSON.stringify(text);
  const others = new Set(other?.split('\n'));
  const own = lines.filter((line) => !others.has(line)).join('\n');
  return JSON.stringify(own === '' ? text : own);
}

export function describe({ compared, known, unknown }: Report, name: string): string {
  const differing = unknown.map(
    ({ input, real, ours, seed }) => `seed ${seed}: ${input}\n  real ${shown(real, ours)}\n  ours ${shown(ours, real)}`,
  );
  const reasons = [...known].map(([reason, count]) => `  ${count} as known: ${reason}`);
  return [...differing, `${name}: ${compared} compared, ${unknown.length} differ without a reason`, ...reasons].join(
    '\n',
  );
}

/** For a test: compares, says how much and from which seed, and fails when anything differs. */
export async function assertAlike(subject: Subject, rounds: number, atLeast: number): Promise<void> {
  const seed = Number(process.env['ORACLE_SEED'] ?? 1);
  const report = await compare(subject, seed, Number(process.env['ORACLE_ROUNDS'] ?? rounds));
  process.stderr.write(`${subject.name}: ${report.compared} compared with the real Exim from seed ${seed}\n`);
  assert.equal(report.unknown.length, 0, describe(report, subject.name));
  assert.ok(report.compared >= atLeast, `only ${report.compared} were compared`);
}
