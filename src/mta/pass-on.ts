/**
 * Sends messages that wait for a host over a connection that an earlier message had, one after the other (Exim spec 30.1,
 * 49.1). Each is opened, locked and journalled as any other; what breaks off leaves the rest where it was, on the queue.
 */

import type { QueueId } from '../safe/taint.ts';
import type { SpooledMessage } from '../spool/spooled-message.ts';
import type { KeptConnection } from '../transports/smtp-kept.ts';
import { type DeliveryOptions, type DeliveryTools, ordinary } from './attempt.ts';
import { deliver, deliverAlone } from './deliver.ts';
import { openQueued } from './open-queued.ts';

export async function passOn(
  first: KeptConnection,
  { queueRun }: Pick<DeliveryOptions, 'queueRun'>,
  tools: DeliveryTools,
): Promise<void> {
  const unfinished: QueueId[] = [];
  for (let over: KeptConnection | undefined = first; over !== undefined; ) {
    const message = (await over.isFit()) ? nextFor(over, tools) : undefined;
    if (message === undefined) {
      over.hangUp();
      break;
    }
    const { kept, leftOthers }: Attempted = await deliverAlone(message, { ...ordinary, queueRun, over }, tools);
    // a message that had no use for the connection ends the series
    if (leftOthers && over.isTaken) unfinished.push(message.id);
    over.hangUp();
    over = kept.find(({ isTaken }) => !isTaken);
  }
  // what is left of them is tried at once, whatever retry times say, as Exim does
  for (const id of unfinished) {
    const message = openQueued(id, { tellOfMissing: false }, tools.runtime);
    if (message !== undefined) await deliver(message, { ...ordinary, queueRun, force: true }, tools);
  }
}

type Attempted = Pick<Awaited<ReturnType<typeof deliverAlone>>, 'kept' | 'leftOthers'>;

/** The next message that waits for the host and that nobody else is at work on. */
function nextFor({ transport, host }: KeptConnection, tools: DeliveryTools): SpooledMessage | undefined {
  for (;;) {
    const id = tools.waiting.take(transport, host.name);
    if (id === undefined) return undefined;
    const message = openQueued(id, { tellOfMissing: false }, tools.runtime);
    if (message !== undefined) return message;
  }
}
