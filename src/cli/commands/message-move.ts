/** `-MG`: moves messages from the queue that is worked on to another (Exim spec 5.3). Each is locked meanwhile. */

import { errorText } from '../../lib/errno.ts';
import { queueMark } from '../../mta/arrival-log.ts';
import { type Clean, literal, type QueueId, queueName } from '../../safe/taint.ts';
import type { SpooledMessage } from '../../spool/spooled-message.ts';
import type { Call } from '../call.ts';
import { openMessage } from './message-opening.ts';

/** The status is 0 only if all messages could be had; one that could not be moved is told in the logs alone, as Exim does. */
export async function moveMessages(ids: readonly QueueId[], _: readonly string[], call: Call): Promise<number> {
  const { terminal, invocation } = call;
  const queue = queueName(invocation.newQueue);
  if (queue === undefined) {
    terminal.error(`exim: Bad qname arg: "${invocation.newQueue}"\n`);
    return 1;
  }
  let status = 0;
  for (const id of ids) if (!(await moveMessage(id, queue, call))) status = 1;
  terminal.out('\n');
  return status;
}

async function moveMessage(id: QueueId, queue: Clean, call: Call): Promise<boolean> {
  const { terminal, caller } = call;
  const opening = openMessage(id, call);
  if ('obstacle' in opening) {
    terminal.out(`${opening.obstacle.text}\n`);
    return false;
  }
  const { message } = opening;
  if (!caller.isAdmin) {
    message.release();
    terminal.out('Permission denied\n');
    return false;
  }
  await move(message, queue, call);
  terminal.out(`Message ${id} `);
  return true;
}

async function move(message: SpooledMessage, queue: Clean, { runtime: { logs, spool } }: Call): Promise<void> {
  const { id } = message;
  try {
    await message.moveTo(queue);
    logs.main(`moved from ${places(spool.queue)} to ${places(queue)}`, id);
  } catch (error) {
    const suffix = literal('-D');
    const [from, to] = [spool, spool.named(queue)].map((each) => each.newPath(literal('input'), id, suffix));
    logs.panic(`link("${from}", "${to}") failed while moving message: ${errorText(error)}`, id);
  }
}

const places = (queue: string): string => `${queueMark(queue)}input, msglog`;
