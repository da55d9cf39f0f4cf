/**
 * Runs this program and the real Exim on the same files, each in a room of its own (room.sh), many commands at a time.
 *
 * The real one is unpacked by scripts/install-if-needed.sh, never installed. It insists on a user `Debian-exim`; the room
 * has one, the machine need not.
 */

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
/** Where the packages of the real Exim are unpacked. */
export const oracleRoot = join(cache, 'tabella/oracle');

export type Side = 'real' | 'ours';
export const sides: readonly Side[] = ['real', 'ours'];

const folders: Readonly<Record<Side, string>> = { real: join(oracleRoot, 'usr/sbin'), ours: join(root, 'bin') };

/** One command. */
export interface Job {
  readonly tool?: 'exim' | 'exim_dbmbuild';
  readonly words: readonly string[];
  readonly input?: string;
}

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

/** Files by their names below /mnt. */
export type Files = ReadonlyMap<string, string>;

const systemFiles: Files = new Map([
  [
    'passwd',
    [
      'root:x:0:0:root:/root:/bin/sh',
      'mail:x:8:8:mail:/var/mail:/usr/sbin/nologin',
      'ann:x:1001:1001:Ann Example,Room 1:/home/ann:/bin/sh',
      'bob:x:1002:1002::/home/bob:/bin/sh',
      'Debian-exim:x:990:990::/var/spool/exim4:/usr/sbin/nologin',
      'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin',
      '',
    ].join('\n'),
  ],
  ['group', 'root:x:0:\nmail:x:8:\nann:x:1001:\nbob:x:1002:\nDebian-exim:x:990:\nstaff:x:50:ann\nnogroup:x:65534:\n'],
  ['hosts', '127.0.0.1 localhost\n::1 localhost\n10.1.2.3 h.example h\n10.9.8.7 relay.example\n'],
  ['resolv.conf', 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n'],
  ['mailname', 'mail.example\n'],
]);

/** Says what is missing; a comparison that cannot be made must not pass unseen. */
export function requireOracle(): void {
  if (existsSync(join(folders.real, 'exim4'))) return;
  throw new Error(
    `There is no real Exim to compare with in ${oracleRoot}. 'sh scripts/install-if-needed.sh --with-test-tools' fetches ` +
      'it with apt-get download; it needs Debian 12 and, for the libraries, root.',
  );
}

function writeFiles(folder: string, files: Files): void {
  for (const [name, text] of files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text, 'latin1');
  }
}

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** A shell script that runs all jobs, each bounded in time. */
function scriptFor(side: Side, work: string, jobs: readonly Job[]): string {
  const lines = jobs.map(({ tool = 'exim', words }, i) => {
    const program = tool === 'exim' && side === 'real' ? 'exim4' : tool;
    const command = [join(folders[side], program), ...words].map(quoted).join(' ');
    const at = (end: string): string => quoted(join(work, `${i}.${end}`));
    return `timeout 60 ${command} <${at('in')} >${at('out')} 2>${at('err')}; echo $? >${at('rc')}`;
  });
  return `${lines.join('\n')}\n`;
}

/** Runs the jobs on one side, in order, on the same files. What they leave in /mnt is seen by those after them. */
export async function runJobs(side: Side, files: Files, jobs: readonly Job[]): Promise<Outcome[]> {
  requireOracle();
  const work = mkdtempSync(join(tmpdir(), 'tabella-oracle-'));
  try {
    mkdirSync(join(work, 'mnt'));
    writeFiles(join(work, 'etc'), systemFiles);
    writeFiles(join(work, 'mnt'), files);
    for (const [i, { input = '' }] of jobs.entries()) writeFileSync(join(work, `${i}.in`), input, 'latin1');
    writeFileSync(join(work, 'script'), scriptFor(side, work, jobs), 'latin1');
    await enter(work);
    return jobs.map((_, i) => {
      const read = (end: string): string => readFileSync(join(work, `${i}.${end}`), 'latin1');
      return { stdout: read('out'), stderr: read('err'), status: Number(read('rc')) };
    });
  } finally {
    rmSync(work, { recursive: true, force: true, maxRetries: 20 });
  }
}

/** The same jobs on both sides at once. */
export async function runBoth(files: Files, jobs: readonly Job[]): Promise<Readonly<Record<Side, Outcome[]>>> {
  const [real, ours] = await Promise.all([runJobs('real', files, jobs), runJobs('ours', files, jobs)]);
  return { real, ours };
}

function enter(work: string): Promise<void> {
  const asRoot = process.getuid?.() === 0 ? [] : ['-r'];
  const words = [...asRoot, '-m', '-n', 'sh', join(root, 'test/oracle/room.sh'), work, 'sh', join(work, 'script')];
  const child = spawn('unshare', words, {
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', TZ: 'UTC', LC_ALL: 'C' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  child.stderr.setEncoding('latin1').on('data', (text: string) => {
    complaint += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      // what the programs say goes to files; what comes here is the room's own
      if (status === 0 && complaint === '') resolve();
      else reject(new Error(`no room for the comparison (unshare -m -n): ${complaint || `status ${status}`}`));
    });
  });
}
