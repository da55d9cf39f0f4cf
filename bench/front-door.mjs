/**
 * What the benchmarks that need peers have in common: they look whether all is there, fetch the peers, build the program, and
 * run a measurement in name spaces of its own (ns.sh), below a directory that is removed in the end.
 */

import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { removeGroups } from './cpu-group.mjs';
import { describeOptions } from './options.mjs';

const bench = dirname(fileURLToPath(import.meta.url));
const peersDirectory = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tabella-bench');

function fail(text) {
  process.stderr.write(`bench: ${text}\n`);
  process.exit(2);
}

function isOnPath(command) {
  return (process.env.PATH ?? '').split(delimiter).some((directory) => existsSync(join(directory, command)));
}

/** Ends the program when something fails that nothing can follow. */
function must(what, command, words, options) {
  const { status, error } = spawnSync(command, words, { stdio: 'inherit', ...options });
  if (status !== 0) fail(`${what} failed${error === undefined ? '' : `: ${error.message}`}`);
}

/**
 * Runs `measurement`, a program of this directory, with the words of the command line, which `read` makes options of; its
 * exit status becomes ours. `rows` describe the options for `--help`; `known` has the servers there are.
 */
export function measureWith(measurement, { command, rows, read, known }) {
  const options = optionsOf(read);
  if (options.help) {
    const servers = [...known.keys()].join(' ');
    process.stdout.write(`${command} -- [options]\n${describeOptions(rows)}  servers: ${servers}\n`);
  } else process.exitCode = measure(measurement, options, known);
}

function optionsOf(read) {
  try {
    return read(process.argv.slice(2));
  } catch (error) {
    return fail(`${error.message}; --help lists the options`);
  }
}

function measure(measurement, options, known) {
  for (const name of options.servers)
    if (!known.has(name)) fail(`there is no server "${name}": ${[...known.keys()].join(' ')}`);
  if (process.platform !== 'linux') fail('runs on Linux only: it needs name spaces, overlays and control groups');
  if (process.getuid() !== 0) fail('needs root, to run the peers in name spaces of their own; try it with sudo');
  const needed = ['apt-get', 'dpkg', 'cc', 'unshare', 'ip', 'setpriv'];
  if (options.strace !== undefined) needed.push('strace');
  const missing = needed.filter((command) => !isOnPath(command));
  if (missing.length > 0) fail(`these programs are missing: ${missing.join(', ')}`);

  const environment = { ...process.env, PEERS: peersDirectory };
  must('fetching the peers (apt-get update may help)', join(bench, 'fetch-peers.sh'), [], { env: environment });
  if (options.servers.some((name) => name.startsWith('tabella'))) {
    must('building Tabella', process.execPath, [join(options.tree, 'scripts/build.mjs')]);
  }
  for (const directory of [options.profile, options.strace]) {
    if (directory === undefined) continue;
    mkdirSync(directory, { recursive: true });
    // the server writes there as its own user
    chmodSync(directory, 0o1777);
  }
  const work = mkdtempSync(join(options.directory, 'tabella-bench-'));
  chmodSync(work, 0o755);
  // the measurement ends itself on these; this program stays to tidy up
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => undefined);
  const words = [process.execPath, join(bench, measurement), ...process.argv.slice(2)];
  const { status } = spawnSync(join(bench, 'ns.sh'), words, {
    stdio: 'inherit',
    env: { ...environment, BENCH_WORK: work },
  });
  removeGroups(basename(work));
  removeGroups('tabella-bench-shares');
  if (options.keep) process.stderr.write(`bench: kept ${work}\n`);
  else rmSync(work, { recursive: true, force: true });
  return status ?? 1;
}
