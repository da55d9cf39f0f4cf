/** `-z`: an administrator's note in the main log (Exim spec 5). Others are refused without a word, as by Exim. */

import type { Call } from '../call.ts';

export async function logLineCommand({ invocation, runtime, caller }: Call): Promise<number> {
  if (!caller.isAdmin) return 1;
  runtime.logs.main(invocation.logLine ?? '');
  return 0;
}
