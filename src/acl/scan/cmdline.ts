/** The virus scanner `cmdline`: any program that says in words what it found (Exim spec 45.1). */

import { run } from '../../safe/spawn.ts';
import { type Clean, literal, reviewed } from '../../safe/taint.ts';
import { clear, problem, type VirusScanner } from './malware-verdict.ts';
import { compilePatterns, type Patterns, unknownName } from './patterns.ts';

const longestOutput = 16 * 1024 * 1024;

/** The name of the virus: the last that stands in a line, as in the real program. */
function findVirus(output: string, { trigger, name }: Patterns): string | undefined {
  let found = false;
  let virus = unknownName;
  for (const line of output.split('\n')) {
    found ||= trigger.test(line);
    virus = name.match(line)?.groups[1] ?? virus;
  }
  return found ? virus : undefined;
}

export const cmdline: VirusScanner = {
  name: 'cmdline',
  async scan({ options: [command, trigger, name], copy, timeout, context }) {
    if (command === undefined || command === '') return problem('missing commandline specification');
    const patterns = compilePatterns(trigger, name);
    if ('message' in patterns) return problem(patterns.message);
    const { directory } = await copy.file();
    // of the configuration, with a directory whose name we made
    const shellCommand: Clean = reviewed(
      `${command.replaceAll('%s', () => directory)} 2>&1`,
      'the configuration and the place of the spool',
    );
    const result = await run(
      {
        program: literal('/bin/sh'),
        args: [literal('-c'), shellCommand],
        environment: Object.fromEntries(context.settings.environment),
        directory: literal('/'),
        umask: 0o077,
        timeout: timeout * 1000,
        maximumOutput: longestOutput,
      },
      async () => undefined,
    );
    switch (result.outcome) {
      case 'timeout':
        return problem(`unable to read from scanner (${shellCommand}): Connection timed out`);
      case 'not run':
        return problem(`call scanner process (${shellCommand}) failed: ${result.code}`);
      case 'signalled':
        return problem(`scanner returned error code: ${result.signal}`);
      case 'exited': {
        // as the system tells it
        if (result.status !== 0) return problem(`scanner returned error code: ${result.status * 256}`);
        const virus = findVirus(result.output.toString('latin1'), patterns);
        return virus === undefined ? clear : { outcome: 'infected', name: virus };
      }
    }
  },
};
