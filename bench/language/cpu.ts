/** Processor time, which says more than the clock on a machine that others use, too; and medians of interleaved rounds. */

import { spawnSync } from 'node:child_process';

/** Seconds of processor time of this process so far, its threads included. */
export function ownSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Processor seconds that one call takes, of at least `least` seconds of calls. */
export function secondsPerCall(call: () => void, least = 0.25): number {
  let count = 0;
  let batch = 64;
  const start = ownSeconds();
  for (;;) {
    for (let at = 0; at < batch; at++) call();
    count += batch;
    const taken = ownSeconds() - start;
    if (taken >= least) return taken / count;
    if (taken < least / 20) batch *= 2;
  }
}

/** Processor seconds of a program and its children, for one of `times` runs one after the other. */
export function secondsPerRun(command: readonly string[], times: number, input = '/dev/null'): number {
  const loop = `i=0; while [ $i -lt ${times} ]; do "$@" <${input} >/dev/null 2>&1; i=$((i+1)); done; times`;
  const { stdout, status } = spawnSync('sh', ['-c', loop, 'sh', ...command], { encoding: 'utf8' });
  // the second line is of the children: user and system
  const found = /\n(\d+)m([\d.]+)s (\d+)m([\d.]+)s/.exec(stdout);
  if (status !== 0 || found === null) throw new Error(`${command[0]} could not be measured: ${stdout}`);
  const [, userMinutes, user, systemMinutes, system] = found.map(Number);
  return ((userMinutes ?? 0) * 60 + (user ?? 0) + (systemMinutes ?? 0) * 60 + (system ?? 0)) / times;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle - 0.5)] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
}

/** Measures things in rounds, A B, B A, ...; the medians by name. */
export function rounds<Name extends string>(
  count: number,
  measures: Readonly<Record<Name, () => number>>,
): Readonly<Record<Name, number>> {
  const names = Object.keys(measures) as Name[];
  const found = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round < count; round++) {
    for (const name of round % 2 === 0 ? names : [...names].reverse()) found.get(name)?.push(measures[name]());
  }
  return Object.fromEntries(names.map((name) => [name, median(found.get(name) ?? [])])) as Record<Name, number>;
}
