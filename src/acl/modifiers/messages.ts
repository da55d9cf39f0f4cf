/** Modifiers that set or write texts: message, log_message, log_reject_target, logwrite. */

import { splitList } from '../../lib/list-text.ts';
import { trim, trimStart } from '../../lib/octets.ts';
import type { ClauseDriver, RejectTarget } from '../acl.ts';

const logs: ReadonlySet<string> = new Set<RejectTarget>(['main', 'reject', 'panic']);

function isLog(word: string): word is RejectTarget {
  return logs.has(word);
}

export const messageModifiers: readonly ClauseDriver[] = [
  { kind: 'late modifier', name: 'message', doc: 'Text for the other side.', forbidden: [] },
  { kind: 'late modifier', name: 'log_message', doc: 'Text for the log.', forbidden: [] },
  {
    kind: 'modifier',
    name: 'log_reject_target',
    doc: 'Logs that refusals are written to: main, reject, panic, or none.',
    forbidden: [],
    apply(text, run) {
      const names = splitList(text.value).items.filter((item) => item !== '');
      const unknown = names.find((name) => !isLog(name));
      if (unknown !== undefined) {
        run.services.log(['main', 'panic'], `unknown log name "${unknown}" in "log_reject_target" in ${run.phase} ACL`);
      } else {
        run.rejectTargets = names.filter(isLog);
      }
      return undefined;
    },
  },
  {
    kind: 'modifier',
    name: 'logwrite',
    doc: 'Writes a line to the main log at once, or to those named in front: `:main,reject: text`.',
    forbidden: [],
    apply({ value }, run) {
      const directed = /^[ \t-\r]*:([a-z, \t]*):[ \t-\r]*(.*)$/s.exec(value);
      const isDirected = trimStart(value).startsWith(':');
      const names = directed?.[1]?.split(',').map((name) => trim(name)) ?? (isDirected ? [] : ['main']);
      if (names.length === 0 || !names.every(isLog)) {
        run.services.log(['main', 'panic'], `unknown log name in "${value}" in "logwrite" in ${run.phase} ACL`);
      } else {
        run.services.log(names, trimStart(directed?.[2] ?? value));
      }
      return undefined;
    },
  },
];
