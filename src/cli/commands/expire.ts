/** `tabella expire`: what the rules of the configuration let go. Silent when there is nothing, so that cron sends no mail. */

import { readInstallation } from '../../config/installation.ts';
import { expire } from '../../tools/expire.ts';
import { readConfiguration, reportProblems } from '../configuration.ts';
import { parseCommandLine, UsageError } from '../options.ts';
import type { Terminal } from '../output.ts';
import { Progress } from '../progress.ts';
import type { Start } from '../start.ts';

const usage = 'tabella expire [-C file] [-DMACRO=value] [--dry-run] [--progress] [-v]';

const ownWords: ReadonlySet<string> = new Set(['--dry-run', '-n', '--progress', '-v']);

/** Answers 0, or 1 when something could not be done; the rest is done all the same. */
export async function expireCommand({ directory, words }: Start, terminal: Terminal): Promise<number> {
  const [own, others] = [true, false].map((is) => words.slice(1).filter((word) => ownWords.has(word) === is));
  const asked = new Set(own);
  const invocation = parseCommandLine(others ?? []);
  const [surplus] = invocation.arguments;
  if (surplus !== undefined) throw new UsageError(`unexpected "${surplus}"\nusage: ${usage}`);
  const { installation } = readInstallation(directory);
  const { config, problems } = await readConfiguration(invocation, installation, terminal.error);
  if (reportProblems(problems, terminal.error)) return 1;
  const rules = config.main.expire_rules?.rules ?? [];
  if (rules.length === 0) {
    terminal.error('tabella expire: the configuration sets no expire_rules\n');
    return 1;
  }
  const dryRun = asked.has('--dry-run') || asked.has('-n');
  const progress = new Progress(terminal, asked.has('--progress'));
  let status = 0;
  for (const rule of rules) {
    const verb = rule.empties ? 'emptied' : 'removed';
    const done = await expire(rule, dryRun, {
      file(path) {
        if (dryRun) terminal.out(`would be ${verb}: ${path}\n`);
        else if (asked.has('-v')) terminal.out(`${verb}: ${path}\n`);
      },
      problem: (text) => terminal.error(`tabella expire: ${text}\n`),
      progress: (seen, count) =>
        progress.tell(() => `${rule.pattern}: ${seen} files looked at, ${count} ${dryRun ? 'too old' : verb}`),
    });
    if (done.count > 0 || asked.has('-v')) {
      const files = `${done.count} ${done.count === 1 ? 'file' : 'files'}`;
      terminal.out(
        `${rule.pattern}: ${files} of ${done.seen} ${dryRun ? 'would be ' : ''}${verb}, ${done.size} octets\n`,
      );
    }
    if (done.problems > 0) status = 1;
  }
  return status;
}
