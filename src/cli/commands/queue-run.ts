/** One queue run in the foreground: `-q`, `-R`, `-S` and `runq` (Exim spec 5, 3.12). */

import { closeDeliveryTools } from '../../mta/delivery-tools.ts';
import { BadSelection, runQueue } from '../../mta/queue-runner.ts';
import { queueId } from '../../safe/taint.ts';
import type { Call } from '../call.ts';
import { deliveryTools } from '../delivery.ts';
import { mayDeliver } from './message-deliveries.ts';

/** What is wrong with the words behind `-q`, which may only be the first and the last id. */
function wrongRange({ arguments: words, queueRun }: Call['invocation']): string | undefined {
  const selects = queueRun.recipient !== undefined || queueRun.sender !== undefined;
  const [first] = words;
  if (first === undefined) return undefined;
  if (!selects && queueId(first) === undefined) return `bad time value ${first}: abandoned`;
  return selects || words.length > 2 || words.some((word) => queueId(word) === undefined)
    ? 'incompatible command-line options or arguments'
    : undefined;
}

export async function queueRunCommand(call: Call): Promise<number> {
  const { invocation, terminal } = call;
  const refusal = invocation.dontDeliver ? 'Permission denied' : 'permission denied';
  const problem = wrongRange(invocation) ?? (mayDeliver(call) ? undefined : refusal);
  if (problem !== undefined) {
    terminal.error(`exim: ${problem}\n`);
    return 1;
  }
  const [firstId, lastId] = invocation.arguments;
  const begun = (id: string): void => {
    if (invocation.verbose) terminal.error(`delivering ${id} (queue run pid ${process.pid})\n`);
  };
  const tools = { ...deliveryTools(call), begun };
  try {
    await runQueue({ ...invocation.queueRun, firstId, lastId, dontDeliver: invocation.dontDeliver }, tools);
    return 0;
  } catch (error) {
    if (error instanceof BadSelection) return 1;
    throw error;
  } finally {
    closeDeliveryTools(tools);
  }
}
