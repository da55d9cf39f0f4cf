/** Deliveries that go on when the command has ended: another process of this program, without a terminal. */

import type { SelfCommand } from '../mta/user-process.ts';
import { startDetached } from '../safe/spawn.ts';
import { type Clean, literal, type QueueId, reviewed } from '../safe/taint.ts';
import type { Invocation } from './invocation.ts';

/** The words in front of an action: the same configuration and macros. */
function sameConfiguration({ configFiles, macros }: Invocation): readonly Clean[] {
  return [
    ...(configFiles === undefined ? [] : [literal('-C'), again(configFiles)]),
    ...[...macros].map(([name, value]) => again(`-D${name}=${value}`)),
  ];
}

/** The words that say which queue is worked on. */
function onQueue(queue: Clean): readonly Clean[] {
  return queue === '' ? [] : [literal('-MCG'), queue];
}

const again = (text: string): Clean => reviewed(text, 'a word of our own command line, given to ourselves');

/** Starts a queue run for recipients that contain a text. */
export function startQueueRun(recipient: string, queue: Clean, invocation: Invocation, self: SelfCommand): void {
  const words = [...sameConfiguration(invocation), ...onQueue(queue), literal('-R'), again(recipient)];
  startDetached(self.program, [...self.args, ...words]);
}

/** Starts `-Mc` for a message with the same configuration and macros. */
export function startDelivery(
  { id, queue }: { readonly id: QueueId; readonly queue: Clean },
  invocation: Invocation,
  self: SelfCommand,
): void {
  startDetached(self.program, [...self.args, ...sameConfiguration(invocation), ...onQueue(queue), literal('-Mc'), id]);
}
