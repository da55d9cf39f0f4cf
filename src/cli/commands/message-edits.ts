/**
 * Changes to messages of the queue: `-Mrm`, `-Mf`, `-Mt`, `-Mmad`, `-Mmd`, `-Mar`, `-Mes` (Exim spec 5). A message is
 * locked while it is changed; one that is being delivered is left alone. The log has a line when the change is on the
 * disk.
 */

import * as clock from '../../lib/clock.ts';
import { parseAddress } from '../../mail/address.ts';
import * as files from '../../safe/files.ts';
import { literal, type QueueId } from '../../safe/taint.ts';
import type { Envelope } from '../../spool/envelope.ts';
import type { SpooledMessage } from '../../spool/spooled-message.ts';
import type { Call } from '../call.ts';
import type { MessageAction } from '../invocation.ts';
import { type Obstacle, openMessage } from './message-opening.ts';

/** What became of a message: log lines, without who did it, and the rest of the line that begins with `Message ID`. */
type Outcome =
  | { readonly changed: readonly string[]; readonly text: string }
  | { readonly removed: true }
  | { readonly unchanged: string };

interface Edit {
  /** The user who sent the message may do it, too. */
  readonly forOwner?: boolean;
  /** Goes out when all messages are done. */
  readonly closing?: string;
  apply(envelope: Envelope, words: readonly string[]): Outcome;
}

type EditAction = Extract<
  MessageAction,
  'remove' | 'freeze' | 'thaw' | 'mark all delivered' | 'mark delivered' | 'add recipients' | 'edit sender'
>;

const modified = 'has been modified\n';

const edits: Readonly<Record<EditAction, Edit>> = {
  remove: { forOwner: true, apply: () => ({ removed: true }) },
  freeze: {
    apply({ facts }) {
      if (facts.frozen !== undefined) return { unchanged: 'is already frozen\n' };
      facts.frozen = clock.seconds();
      facts.manualThaw = undefined;
      return { changed: ['frozen'], text: 'is now frozen\n' };
    },
  },
  thaw: {
    apply({ facts }) {
      if (facts.frozen === undefined) return { unchanged: 'is not frozen\n' };
      facts.frozen = undefined;
      facts.manualThaw = true;
      return { changed: ['unfrozen'], text: 'is no longer frozen\n' };
    },
  },
  'mark all delivered': {
    closing: '\n',
    apply(envelope) {
      return markDelivered(
        envelope,
        envelope.recipients.map(({ address }) => address),
      );
    },
  },
  'mark delivered': {
    apply(envelope, words) {
      const isRecipient = (wanted: string): boolean => envelope.recipients.some(({ address }) => address === wanted);
      return withAddresses(words, 'marking as delivered', (address) =>
        isRecipient(address) ? undefined : `${address} is not a recipient: message not updated`,
      )((addresses) => markDelivered(envelope, addresses));
    },
  },
  'add recipients': {
    apply(envelope, words) {
      return withAddresses(
        words,
        'adding recipient',
      )((addresses) => {
        for (const address of addresses) envelope.recipients.push({ address });
        return { changed: addresses.map((address) => `recipient <${address}> added`), text: modified };
      });
    },
  },
  'edit sender': {
    apply(envelope, words) {
      const setSender = (sender: string): Outcome => {
        envelope.sender = sender;
        return { changed: [`sender address changed to <${sender}>`], text: modified };
      };
      if (words.length > 1) return { unchanged: '- only one sender address can be specified\n' };
      if (words[0] === '<>') return setSender('');
      return withAddresses(words, 'editing sender')(([sender = '']) => setSender(sender));
    },
  },
};

function markDelivered({ nonRecipients }: Envelope, addresses: readonly string[]): Outcome {
  for (const address of addresses) nonRecipients.add(address);
  return { changed: addresses.map((address) => `address <${address}> marked delivered`), text: modified };
}

/** Does `act` with the addresses if all are right; else all that are wrong are told, and nothing is done. */
function withAddresses(words: readonly string[], doing: string, objection?: (address: string) => string | undefined) {
  return (act: (addresses: readonly string[]) => Outcome): Outcome => {
    if (words.length === 0) return { unchanged: `- error while ${doing}: no address given\n` };
    const addresses: string[] = [];
    let problems = '';
    for (const word of words) {
      const parsed = parseAddress(word, { allowDomainLiterals: true });
      const problem = 'error' in parsed ? parsed.error : parsed.domain === undefined ? 'domain missing' : undefined;
      const address = 'error' in parsed ? word : parsed.address;
      const objected = problem === undefined ? objection?.(address) : `bad address ${word}: ${problem}`;
      if (objected === undefined) addresses.push(address);
      else problems += `- error while ${doing}:\n  ${objected}\n`;
    }
    return problems === '' ? act(addresses) : { unchanged: problems };
  };
}

/** Makes one change to several messages; the status is 0 only if all were changed. */
export function editMessages(action: EditAction) {
  const edit = edits[action];
  return async (ids: readonly QueueId[], words: readonly string[], call: Call): Promise<number> => {
    let status = 0;
    for (const id of ids) if (!(await editMessage(id, edit, words, call))) status = 1;
    call.terminal.out(edit.closing ?? '');
    return status;
  };
}

async function editMessage(id: QueueId, edit: Edit, words: readonly string[], call: Call): Promise<boolean> {
  const { terminal, runtime, caller } = call;
  const opening = openMessage(id, call);
  if ('obstacle' in opening) {
    terminal.out(`${opening.obstacle.text}\n`);
    if (edit === edits.remove) removeRemains(id, opening.obstacle, call);
    return false;
  }
  const { message } = opening;
  try {
    if (!caller.isAdmin && !(edit.forOwner && caller.uid === message.envelope.originatorUid)) {
      terminal.out('Permission denied\n');
      return false;
    }
    const outcome = edit.apply(message.envelope, words);
    if ('unchanged' in outcome) {
      terminal.out(`Message ${id} ${outcome.unchanged}`);
      return false;
    }
    if ('removed' in outcome) {
      remove(message, call);
      return true;
    }
    await message.update();
    for (const line of outcome.changed) runtime.logs.main(`${line} by ${caller.login}`, id);
    terminal.out(`Message ${id} ${outcome.text}`);
    return true;
  } finally {
    message.release();
  }
}

function remove(message: SpooledMessage, call: Call): void {
  message.remove();
  call.terminal.out(`Message ${message.id} has been removed\n`);
  logRemoval(message.id, call);
}

function logRemoval(id: QueueId, { runtime, caller }: Call): void {
  runtime.logs.main(`removed by ${caller.login}`, id);
  runtime.logs.main('Completed', id);
}

/** What is left of a message that is broken or half gone. Whose it was cannot be known, so only administrators may. */
function removeRemains(id: QueueId, { kind }: Obstacle, call: Call): void {
  const { terminal, runtime, caller } = call;
  if (kind === 'locked' || kind === 'unreadable data file') return;
  if (!caller.isAdmin) {
    terminal.out('Permission denied\n');
    return;
  }
  const find = (suffix: Parameters<typeof runtime.spool.existingPath>[2]) =>
    runtime.spool.existingPath(literal('input'), id, suffix ?? literal(''));
  const headerFile = find(literal('-H'));
  const hasData = kind !== 'no data file';
  terminal.out(hasData ? 'Continuing to ensure all files removed\n' : 'Continuing, to ensure all files removed\n');
  if (!hasData && headerFile === undefined) {
    terminal.out(`Spool read error for ${id}-H: No such file or directory\nContinuing to ensure all files removed\n`);
  }
  const log = runtime.spool.existingPath(literal('msglog'), id);
  for (const path of [find(literal('-D')), headerFile, find(literal('-J')), log]) {
    if (path !== undefined) files.removeIfPossible(path);
  }
  terminal.out(`Message ${id} has been removed${hasData ? '' : ' or did not exist'}\n`);
  if (hasData || headerFile !== undefined) logRemoval(id, call);
}
