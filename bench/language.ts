/**
 * `npm run bench:language`: the speed of the configuration language, beside a real Exim where that is fair (EXIM names
 * one). All figures are of processor time; what is compared is measured in turns. Goals are printed beside them.
 */

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readInstallation } from '../src/config/installation.ts';
import { parseConfig } from '../src/config/load.ts';
import type { Context } from '../src/expand/context.ts';
import { compileTemplate } from '../src/expand/expand.ts';
import { makeRuntime, newContext } from '../src/mta/runtime.ts';
import { reviewed } from '../src/safe/taint.ts';
import { median, ownSeconds, rounds, secondsPerCall, secondsPerRun } from './language/cpu.ts';
import { domain, expansion, head, lists, longConfiguration, writeTable } from './language/fixtures.ts';
import { matchNamed, nodeCount } from './language/inside.ts';

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const directory = mkdtempSync(join(tmpdir(), 'tabella-language-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
const clean = (path: string): ReturnType<typeof reviewed> => reviewed(path, 'a file of the benchmark');
const ours = join(root, 'bin/exim');
const other = process.env['EXIM'];
const user = process.getuid?.() === 0 ? 'nobody' : userInfo().username;
const turns = Number(process.env['ROUNDS'] ?? 7);

const say = (text: string): void => console.log(text);
const row = (what: string, figure: string, goal: string): void =>
  say(`${what.padEnd(66)} ${figure.padStart(16)}   ${goal}`);
const write = (name: string, text: string): string => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
};

mkdirSync(join(directory, 'log'));
writeTable(directory, 'small', 10, join(root, 'bin/exim_dbmbuild'));
writeTable(directory, 'large', 10_000, join(root, 'bin/exim_dbmbuild'));
const config = write('config', head(directory, user) + lists(directory));
const long = write('long', longConfiguration(directory, user));

say(
  `${cpus()[0]?.model ?? ''}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}, ${process.version}, ${new Date().toISOString().slice(0, 10)}`,
);
say(`medians of ${turns} turns; processor time of all threads\n`);

// first, while nothing of it is compiled: as a program that was just started reads its configuration; what would be imported
// meanwhile is there, since sources take longer to import than what was built
await import('../src/config/sections.ts');
const lines = longConfiguration(directory, user);
const before = ownSeconds();
const { problems } = await parseConfig(clean(long), lines, new Map());
const first = (ownSeconds() - before) * 1000;
if (problems.errors.length > 0) throw new Error(JSON.stringify(problems.errors[0]));

const text = `${head(directory, user)}${lists(directory)}`;
const parsed = await parseConfig(clean(config), text, new Map());
const runtime = await makeRuntime(readInstallation(clean(root)).installation, parsed.config, {
  environment: {},
  withoutLogFiles: true,
});

const template = compileTemplate(expansion);
const context: Context = newContext(runtime);
const expandOnce = (): void => {
  const answer = template.expand(context);
  if (answer instanceof Promise || !answer.ok) throw new Error('the expansion does not come out at once');
};
secondsPerCall(expandOnce, 1);
const rate = 1 / median(Array.from({ length: turns }, () => secondsPerCall(expandOnce)));
row(
  `expansions of ${nodeCount(template.tree)} nodes a second, one warm process`,
  Math.round(rate).toLocaleString('en'),
  'goal 500,000',
);

// a fresh context for each test, as for each message: nothing is known from before; as many names for each list, each in
// memory of its own, as names come with messages: else what is measured is that ten names stay in the cache and 10,000 do not
const asking = 10_000;
const test = (list: string, size: number, isThere: boolean): (() => void) => {
  const names = Array.from({ length: asking }, (_, n) =>
    Buffer.from(domain(isThere ? n % size : size + n)).toString('latin1'),
  );
  let asked = 0;
  return () => {
    asked = (asked + 7919) % asking;
    if (matchNamed(list, names[asked] ?? '', newContext(runtime)) !== isThere) throw new Error(`${list}: wrong answer`);
  };
};
const micro = (seconds: number): string => `${(seconds * 1e6).toFixed(2)} us`;
for (const isThere of [true, false]) {
  const small = test('small', 10, isThere);
  const large = test('large', 10_000, isThere);
  const inline = test('inline', 10, isThere);
  for (const each of [small, large, inline]) secondsPerCall(each, 0.5);
  const found = rounds(turns, {
    small: () => secondsPerCall(small),
    large: () => secondsPerCall(large),
    inline: () => secondsPerCall(inline),
  });
  const what = isThere ? 'a name that is in it' : 'a name that is not';
  row(`a named list, ${what}: 10 lines in a cdb`, micro(found.small), '');
  const ratio = `${(found.large / found.small).toFixed(2)} of that, goal 1.0`;
  row(`a named list, ${what}: 10,000 lines in a cdb`, micro(found.large), ratio);
  row(`a named list, ${what}: 10 items in the configuration`, micro(found.inline), '');
}

const repeated: number[] = [];
for (let turn = 0; turn < 15; turn++) {
  const start = ownSeconds();
  await parseConfig(clean(long), lines, new Map());
  repeated.push((ownSeconds() - start) * 1000);
}
const again = median(repeated);
row(
  `loading ${lines.split('\n').length - 1} lines, the first time in a process`,
  `${first.toFixed(1)} ms`,
  'goal 50 ms (sources without a build)',
);
row('loading them again', `${again.toFixed(1)} ms`, '');

const node = process.execPath;
const milli = (seconds: number): string => `${(seconds * 1000).toFixed(1)} ms`;
const be = (program: string, file: string): readonly string[] => [program, '-C', file, '-be', '$primary_hostname'];
const runs = 20;
const starts = rounds(turns, {
  node: () => secondsPerRun([node, '-e', '0'], runs),
  plain: () => secondsPerRun([ours, '-be', '$primary_hostname'], runs),
  ours: () => secondsPerRun(be(ours, config), runs),
  long: () => secondsPerRun(be(ours, long), runs),
});
row('start: node -e 0', milli(starts.node), '');
row(
  "start: bin/exim -be '$primary_hostname'",
  milli(starts.plain),
  `${(starts.plain / starts.node).toFixed(2)} of that, goal 1.6`,
);
row('the same with a configuration of a few lines', milli(starts.ours), '');
row(
  `with one of ${lines.split('\n').length - 1} lines`,
  milli(starts.long),
  `${((starts.long - starts.ours) * 1000).toFixed(1)} ms for reading it`,
);

if (other === undefined || !existsSync(other)) say('\nEXIM names no program to compare with');
else {
  say(`\nBeside ${other}, -be with 20,000 lines on standard input, less the start:`);
  const cases: readonly (readonly [string, string])[] = [
    ['the expansion above', expansion],
    ['a test of the list of 10,000', '${if match_domain{d4711.list.example}{+large}{1}{0}}'],
  ];
  for (const [what, line] of cases) {
    const input = write('input', `${line}\n`.repeat(20_000));
    const one = write('one', `${line}\n`);
    const command = (program: string): readonly string[] => [program, '-C', config, '-be'];
    const compared = rounds(turns, {
      ours: () => secondsPerRun(command(ours), 1, input) - secondsPerRun(command(ours), 1, one),
      other: () => secondsPerRun(command(other), 1, input) - secondsPerRun(command(other), 1, one),
    });
    const perLine = (seconds: number): string => micro(seconds / 20_000);
    row(
      `${what}: ours, Exim`,
      `${perLine(compared.ours)}`,
      `${perLine(compared.other)} (${(compared.other / compared.ours).toFixed(2)} of ours)`,
    );
  }
  const reading = rounds(turns, {
    short: () => secondsPerRun(be(other, config), runs),
    long: () => secondsPerRun(be(other, long), runs),
  });
  row('start of Exim, and with the long configuration', milli(reading.short), milli(reading.long));
}
