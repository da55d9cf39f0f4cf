/** The log of a filter (Exim's filter specification 3.15): written at once, with the rights of the filter's user. */

import { errorText } from '../lib/errno.ts';
import * as files from '../safe/files.ts';
import { withRightsOf } from '../safe/privileges.ts';
import { FilterMistake } from './exim-reader.ts';
import type { FilterState } from './exim-state.ts';

const standardMode = 0o600;

export async function writeLog(text: string, state: FilterState): Promise<void> {
  const { log, request } = state;
  if (request.limits.forbidLogwrite) throw new FilterMistake('logwrite command forbidden');
  if (request.isDry) return;
  if (log === undefined) throw new FilterMistake('attempt to obey "logwrite" command without a previous "logfile"');
  try {
    withRightsOf(request.user, () => {
      const file = files.open(log.path, files.createOrAppend, log.mode || standardMode);
      try {
        files.write(file, text);
      } finally {
        files.close(file);
      }
    });
  } catch (error) {
    throw new FilterMistake(`failed to open filter log file "${log.path}": ${errorText(error)}`);
  }
}
