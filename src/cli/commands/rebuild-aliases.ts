/** `-bi` and `newaliases`: runs bi_command, whose status becomes ours; without one there is nothing to do (Exim spec 5). */

import { errorText } from '../../lib/errno.ts';
import { run } from '../../safe/spawn.ts';
import { reviewed } from '../../safe/taint.ts';
import type { Call } from '../call.ts';

const maximumOutput = 16 * 1024 * 1024;

export async function rebuildAliasesCommand({ invocation, runtime, terminal }: Call): Promise<number> {
  if (invocation.arguments.length > 0) {
    terminal.error('exim: incompatible command-line options or arguments\n');
    return 1;
  }
  const { bi_command: program } = runtime.config.main;
  if (program === undefined || program === '') return 0;
  const { aliasFile } = invocation;
  const result = await run(
    {
      program,
      args: aliasFile === undefined ? [] : [reviewed(aliasFile, 'the caller wrote it, and the program runs as him')],
      environment: Object.fromEntries(runtime.settings.environment),
      directory: reviewed(Buffer.from(process.cwd(), 'utf8').toString('latin1'), 'where the caller is'),
      umask: process.umask(),
      timeout: 0,
      maximumOutput,
    },
    async () => undefined,
  );
  if (result.outcome === 'not run') {
    terminal.error(`exim: exec '${program}' failed: ${errorText(result)}\n`);
    return 1;
  }
  terminal.out(result.output.toString('latin1'));
  return result.outcome === 'exited' ? result.status : 1;
}
