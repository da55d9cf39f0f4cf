/**
 * A control group around one server: counts the CPU time of all its processes, short-lived ones included, and knows
 * which live. Takes the accounting of version 1 or the unified hierarchy, whichever can be written.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

const kinds = [
  { base: '/sys/fs/cgroup/cpuacct', file: 'cpuacct.usage', seconds: (text) => Number(text) / 1e9 },
  ...['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].map((base) => ({
    base,
    file: 'cpu.stat',
    seconds: (text) => Number(/usage_usec (\d+)/.exec(text)[1]) / 1e6,
  })),
];

/** Removes the groups whose names begin so, and which nobody is in any more. */
export function removeGroups(beginning) {
  for (const base of [...kinds.map((kind) => kind.base), '/sys/fs/cgroup/cpu']) {
    if (!existsSync(base)) continue;
    for (const name of readdirSync(base).filter((each) => each.startsWith(beginning))) removeIfEmpty(join(base, name));
  }
}

function removeIfEmpty(directory) {
  try {
    rmdirSync(directory);
  } catch {
    // a process that was killed has not ended yet; the empty group does no harm
  }
}

function makeGroup(name) {
  for (const kind of kinds) {
    const directory = join(kind.base, name);
    if (!existsSync(join(kind.base, kind.file))) continue;
    try {
      mkdirSync(directory);
      return { ...kind, directory };
    } catch {
      // the next one may be writable
    }
  }
  throw new Error('there is no control group with CPU accounting that can be written');
}

export class CpuGroup {
  #kind;

  constructor(name) {
    this.#kind = makeGroup(name);
  }

  /** The file that a process writes its id to when it wants to be counted. */
  get entrance() {
    return join(this.#kind.directory, 'cgroup.procs');
  }

  /** CPU seconds so far. */
  seconds() {
    return this.#kind.seconds(readFileSync(join(this.#kind.directory, this.#kind.file), 'latin1'));
  }

  /** The processes that live, as this process name space sees them. */
  processes() {
    const lines = readFileSync(this.entrance, 'latin1').split('\n');
    return lines.map(Number).filter((id) => id > 1);
  }

  /** Memory in MB: resident sizes added up, and with shared pages split among those who share them. */
  memory() {
    const sum = { resident: 0, proportional: 0, processes: 0 };
    for (const id of this.processes()) {
      try {
        const text = readFileSync(`/proc/${id}/smaps_rollup`, 'latin1');
        sum.resident += Number(/^Rss:\s+(\d+)/m.exec(text)?.[1] ?? 0) / 1024;
        sum.proportional += Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0) / 1024;
        sum.processes++;
      } catch {
        // it has ended
      }
    }
    return sum;
  }

  kill(signal = 'SIGKILL', except = 0) {
    for (const id of this.processes()) {
      if (id === except) continue;
      try {
        process.kill(id, signal);
      } catch {
        // it has ended
      }
    }
  }

  /** Only an empty group can be removed. */
  remove() {
    removeIfEmpty(this.#kind.directory);
  }
}
