/** Modifiers that do something at once: set, add_header, remove_header, delay, continue; and the mark endpass. */

import { then } from '../../lib/eventual.ts';
import { parseInterval } from '../../lib/intervals.ts';
import { splitList } from '../../lib/list-text.ts';
import { trim } from '../../lib/octets.ts';
import type { ClauseDriver } from '../acl.ts';
import { addHeaders } from '../added-headers.ts';
import { withoutDecision, withoutMessage } from '../phases.ts';

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
    doc: 'The queue that the message is put on; only the default queue exists in this version.',
    forbidden: ['DATA', 'non-SMTP', 'QUIT', 'notquit'],
    apply(text) {
      return text.value === '' ? undefined : { error: `named queues are not available: "${text.value}"` };
    },
  },
  {
    kind: 'mark',
    name: 'endpass',
    doc: 'From here on, a condition that fails refuses.',
    forbidden: [],
  },
];
