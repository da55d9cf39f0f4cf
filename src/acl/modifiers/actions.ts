/** Modifiers that do something at once: set, add_header, remove_header, delay, continue; and the mark endpass. */

import { then } from '../../lib/eventual.ts';
import { parseInterval } from '../../lib/intervals.ts';
import { splitList } from '../../lib/list-text.ts';
import { trim } from '../../lib/octets.ts';
import { type Clean, clean, queueName, type Text } from '../../safe/taint.ts';
import type { ClauseDriver } from '../acl.ts';
import { addHeaders } from '../added-headers.ts';
import { withoutDecision, withoutMessage } from '../phases.ts';

/** The queue of this name, which may hold nothing from outside: anybody could fill the spool with directories. */
function queueNamed(text: Text): { readonly queue: Clean } | { readonly error: string } {
  const { value } = text;
  if (value.includes('/')) return { error: `Directory separator not permitted in queue name: '${value}'` };
  const trusted = clean(text);
  if (trusted === undefined) return { error: `Tainted name '${value}' for queue not permitted` };
  const queue = queueName(trusted);
  return queue === undefined ? { error: `Queue name not permitted: '${value}'` } : { queue };
}

/** Variables that the ACL for DKIM signatures may set (Exim spec 58.3), and the facts that they show. */
export const dkimSettable: ReadonlyMap<string, 'status' | 'reason'> = new Map([
  ['dkim_verify_status', 'status'],
  ['dkim_verify_reason', 'reason'],
]);

export const actionModifiers: readonly ClauseDriver[] = [
  {
    kind: 'modifier',
    name: 'set',
    doc: 'Sets a variable of the connection (acl_c…) or of the message (acl_m…), or what DKIM has found.',
    forbidden: [],
    apply(text, { context }, variable) {
      const { connection, message } = context;
      const dkimFact = dkimSettable.get(variable);
      if (dkimFact !== undefined) {
        if (message?.dkim) Object.assign(message.dkim, { [dkimFact]: text.value, isOverruled: true });
        return undefined;
      }
      const variables = variable.startsWith('acl_c') ? connection?.aclVariables : message?.aclVariables;
      variables?.set(variable.slice('acl_c'.length), text);
      return undefined;
    },
  },
  {
    kind: 'modifier',
    name: 'add_header',
    doc: 'Header lines for the message.',
    forbidden: withoutMessage,
    apply(text, run) {
      addHeaders(text.value, run);
      return undefined;
    },
  },
  {
    kind: 'modifier',
    name: 'remove_header',
    doc: 'Names of header lines that are taken away.',
    forbidden: withoutDecision,
    apply(text, run) {
      run.removedHeaders.push(...splitList(text.value).items.filter((item) => item !== ''));
      return undefined;
    },
  },
  {
    kind: 'modifier',
    name: 'delay',
    doc: 'Waits.',
    forbidden: ['notquit'],
    apply(text, run) {
      const seconds = parseInterval(trim(text.value));
      if (seconds === undefined) {
        return { error: `syntax error in argument for "delay" modifier: "${text.value}" is not a time value` };
      }
      return then(run.services.delay(seconds, run), () => undefined);
    },
  },
  {
    kind: 'modifier',
    name: 'continue',
    doc: 'Is expanded for what the expansion does; the result is dropped.',
    forbidden: [],
    apply: () => undefined,
  },
  {
    kind: 'modifier',
    name: 'queue',
    doc: 'The queue that this message and those that follow it are put on; empty for the default queue.',
    forbidden: ['DATA', 'PRDR', 'non-SMTP'],
    apply(text, { context }) {
      const named = queueNamed(text);
      if ('error' in named) return named;
      context.queueName = named.queue;
      return undefined;
    },
  },
  {
    kind: 'mark',
    name: 'endpass',
    doc: 'From here on, a condition that fails refuses.',
    forbidden: [],
  },
];
