/** The tests of the extension enotify (RFC 5435 §4, §5), for the one method that there is: mailto. */

import { lower } from '../../lib/octets.ts';
import { parseMailto } from './mailto.ts';
import { matchesAny, readMatching } from './matching.ts';
import type { SieveState } from './state.ts';

export function validNotifyMethod(state: SieveState, isRun: boolean): boolean {
  state.require('enotify');
  const methods = state.reader.stringList('URI string list expected');
  return isRun && methods.every((method) => !('error' in parseMailto(method)));
}

/** Nobody knows whether the receiver of a letter is there: `online` is always `maybe` (RFC 5436 §2.5). */
export function notifyMethodCapability(state: SieveState, isRun: boolean): boolean {
  state.require('enotify');
  const matching = readMatching(state, false);
  const method = state.reader.requiredString('missing notification URI string');
  const capability = state.reader.requiredString('missing notification capability string');
  const keys = state.reader.stringList('missing key string list');
  if (!isRun || 'error' in parseMailto(method) || lower(capability) !== 'online') return false;
  return matchesAny(state, matching, keys, 'maybe');
}
