/**
 * What `-M…` does to messages of the queue (Exim spec 5): one row per action. Here the words of the command line are
 * checked; the work is done for one message after the other, and a message that cannot be had does not keep the others
 * from being worked on.
 */

import { type QueueId, queueId } from '../../safe/taint.ts';
import type { Call } from '../call.ts';
import type { MessageAction } from '../invocation.ts';
import { deliverMessages, giveUpMessages } from './message-deliveries.ts';
import { editMessages } from './message-edits.ts';
import { moveMessages } from './message-move.ts';
import { showMessage, viewFile } from './message-views.ts';

interface ActionRow {
  /** As the caller wrote it, for complaints. */
  readonly option: string;
  /** Whether all words are ids, only the first, or one is all there may be. */
  readonly words: 'ids' | 'id' | 'id and others';
  /** Answers the exit status. */
  run(ids: readonly QueueId[], others: readonly string[], call: Call): Promise<number>;
}

const onIds = (option: string, run: ActionRow['run']): ActionRow => ({ option, words: 'ids', run });
const showOne = (option: string, run: ActionRow['run']): ActionRow => ({ option, words: 'id', run });
const onOne = (option: string, run: ActionRow['run']): ActionRow => ({ option, words: 'id and others', run });

const rows: Readonly<Record<MessageAction, ActionRow>> = {
  deliver: onIds('-M', (ids, _, call) => deliverMessages(ids, { force: true, thaw: true }, call)),
  'deliver respecting retry times': onIds('-Mc', (ids, _, call) => deliverMessages(ids, {}, call)),
  'give up': onIds('-Mg', (ids, _, call) => giveUpMessages(ids, call)),
  remove: onIds('-Mrm', editMessages('remove')),
  freeze: onIds('-Mf', editMessages('freeze')),
  thaw: onIds('-Mt', editMessages('thaw')),
  'mark all delivered': onIds('-Mmad', editMessages('mark all delivered')),
  'mark delivered': onOne('-Mmd', editMessages('mark delivered')),
  move: onIds('-MG', moveMessages),
  'add recipients': onOne('-Mar', editMessages('add recipients')),
  'edit sender': onOne('-Mes', editMessages('edit sender')),
  'view headers': showOne('-Mvh', viewFile('-H')),
  'view body': showOne('-Mvb', viewFile('-D')),
  'view log': showOne('-Mvl', viewFile('log')),
  'view message': onOne('-Mvc', showMessage),
};

export async function messagesCommand(call: Call): Promise<number> {
  const { invocation, terminal } = call;
  const row = rows[invocation.messageAction];
  const [first, ...others] = invocation.arguments;
  if (first === undefined) {
    terminal.error(`exim: no message ids given after ${row.option} option\n`);
    return 1;
  }
  const ids: QueueId[] = [];
  for (const word of row.words === 'ids' ? invocation.arguments : [first]) {
    const id = queueId(word);
    if (id === undefined) {
      terminal.error(`exim: malformed message id ${word} after ${row.option} option\n`);
      return 1;
    }
    ids.push(id);
  }
  if (row.words === 'id' && others.length > 0) {
    terminal.out('*** Only one message can be listed at once\n');
    return 1;
  }
  return row.run(ids, row.words === 'ids' ? [] : others, call);
}
