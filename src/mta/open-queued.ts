/** Takes a message of the queue for a delivery attempt; why it cannot be had goes to the main log, in Exim's words. */

import * as clock from '../lib/clock.ts';
import { errorText } from '../lib/errno.ts';
import { formatInterval } from '../lib/intervals.ts';
import * as files from '../safe/files.ts';
import { literal, type QueueId } from '../safe/taint.ts';
import { timeOfId } from '../spool/id.ts';
import type { SpooledMessage } from '../spool/spooled-message.ts';
import { queueField } from './arrival-log.ts';
import type { Runtime } from './runtime.ts';

export interface OpeningRules {
  /** Whether a message that is gone is worth a line; in a queue run others may just have delivered it. */
  readonly tellOfMissing: boolean;
}

/** The message, locked; nothing when it cannot be delivered now. */
export function openQueued(id: QueueId, rules: OpeningRules, runtime: Runtime): SpooledMessage | undefined {
  const { spool, logs } = runtime;
  const say = (text: string): undefined => {
    logs.main(text, id);
    return undefined;
  };
  try {
    const result = spool.open(id);
    switch (result.outcome) {
      case 'open':
        return result.message;
      case 'locked':
        return logs.selects('skip_delivery')
          ? say(`Spool file for ${id} is locked (another process is handling this message)`)
          : undefined;
      case 'gone':
        return rules.tellOfMissing ? say(missingText(id, runtime)) : undefined;
      case 'damaged':
        say(`Format error in spool file ${id}-H: size=${headerFileSize(id, runtime)}`);
        return removeWhenOld(id, runtime);
    }
  } catch (error) {
    return say(`${unreadable(id, runtime)}: ${errorText(error)}`);
  }
}

/** A message that nobody can read is kept for a while, in case somebody can mend it (Exim spec 14, keep_malformed). */
function removeWhenOld(id: QueueId, { spool, logs, config }: Runtime): undefined {
  const { keep_malformed: keep } = config.main;
  if (clock.seconds() - timeOfId(id) <= keep || !spool.removeDamaged(id)) return;
  logs.main(`Message removed because older than ${formatInterval(keep)}`, id);
}

function missingText(id: QueueId, { spool }: Runtime): string {
  return spool.existingPath(literal('input'), id, literal('-D')) === undefined
    ? `Spool${queueField(spool.queue)} file ${id}-D not found`
    : `Error reading spool file ${id}-H: No such file or directory`;
}

/** Which of the two files the system does not let us have. */
function unreadable(id: QueueId, { spool }: Runtime): string {
  const path = spool.newPath(literal('input'), id, literal('-D'));
  return files.mayAccess(path, 'w') ? `Error reading spool file ${id}-H` : `Spool error for ${path}`;
}

/** Octets of the -H file, 0 when it has just gone. */
export function headerFileSize(id: QueueId, { spool }: Pick<Runtime, 'spool'>): number {
  const path = spool.existingPath(literal('input'), id, literal('-H'));
  return (path === undefined ? undefined : files.stat(path)?.size) ?? 0;
}
