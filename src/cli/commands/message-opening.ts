/**
 * A message of the queue for a command that looks at it or changes it. Why it cannot be had is told on standard output,
 * as Exim does, and in the main log what it writes there.
 */

import { errorText } from '../../lib/errno.ts';
import { queueField } from '../../mta/arrival-log.ts';
import * as files from '../../safe/files.ts';
import { literal, type QueueId } from '../../safe/taint.ts';
import type { SpooledMessage } from '../../spool/spooled-message.ts';
import type { Call } from '../call.ts';

/** What stands in the way of having a message, with the text about it. */
export interface Obstacle {
  readonly kind: 'locked' | 'no data file' | 'unreadable data file' | 'no header file' | 'damaged header file';
  readonly text: string;
}

export type Opening = { readonly message: SpooledMessage } | { readonly obstacle: Obstacle };

/** The message, locked. The obstacle is in the log, but was not yet told to the caller. */
export function openMessage(id: QueueId, { runtime }: Call): Opening {
  const { spool, logs } = runtime;
  const obstacle = (kind: Obstacle['kind'], text: string): Opening => ({ obstacle: { kind, text } });
  const missing = (): Opening => {
    if (spool.existingPath(literal('input'), id, literal('-D')) !== undefined) {
      return obstacle('no header file', `Spool read error for ${id}-H: No such file or directory`);
    }
    logs.main(`Spool${queueField(spool.queue)} file ${id}-D not found`, id);
    return obstacle('no data file', `Spool data file for ${id} does not exist`);
  };
  try {
    const result = spool.open(id);
    switch (result.outcome) {
      case 'open':
        return { message: result.message };
      case 'gone':
        return missing();
      case 'damaged':
        return obstacle('damaged header file', `Spool format error for ${id}-H`);
      case 'locked':
        if (logs.selects('skip_delivery')) {
          logs.main(`Spool file for ${id} is locked (another process is handling this message)`, id);
        }
        return obstacle('locked', `Message ${id} is locked`);
    }
  } catch (error) {
    const why = errorText(error);
    const path = spool.newPath(literal('input'), id, literal('-D'));
    if (files.mayAccess(path, 'w')) return obstacle('no header file', `Spool read error for ${id}-H: ${why}`);
    logs.main(`Spool error for ${path}: ${why}`, id);
    return obstacle('unreadable data file', `Couldn't open spool file for ${id}: ${why}`);
  }
}
