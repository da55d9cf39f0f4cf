/** Deliveries that go on when the command has ended: another process of this program, without a terminal. */

import type { SelfCommand } from '../mta/subprocess.ts';
import { startDetached } from '../safe/spawn.ts';
import { literal, type QueueId, reviewed } from '../safe/taint.ts';
import type { Invocation } from './invocation.ts';

/** Starts `-Mc` for a message with the same configuration and macros. */
export function startDelivery(id: QueueId, invocation: Invocation, self: SelfCommand): void {
  const { configFiles, macros } = invocation;
  const again = (text: string) => reviewed(text, 'a word of our own command line, given to ourselves');
  startDetached(self.program, [
    ...self.args,
    ...(configFiles === undefined ? [] : [literal('-C'), again(configFiles)]),
    ...[...macros].map(([name, value]) => again(`-D${name}=${value}`)),
    literal('-Mc'),
    id,
  ]);
}
