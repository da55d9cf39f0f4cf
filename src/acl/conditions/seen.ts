/** `seen`: whether something was met before, or not since a time (Exim spec 44.38). */

import * as clock from '../../lib/clock.ts';
import { parseInterval } from '../../lib/intervals.ts';
import { trim } from '../../lib/octets.ts';
import type { ConditionAnswer, TextCondition } from '../acl.ts';

interface SeenSetting {
  /** Asks for what was seen longer ago than the interval, not for what was seen since. */
  readonly before: boolean;
  readonly interval: number;
  readonly key: string | undefined;
  readonly update: 'as needed' | 'never' | 'always';
  readonly refresh: number;
}

const standardRefresh = 10 * 86_400;

function parse(text: string): SeenSetting | { readonly error: string } {
  const bad = { error: `failed to parse '${text}'` };
  const [head = '', ...options] = text.split('/').map((part) => trim(part));
  const before = head.startsWith('-');
  const interval = parseInterval(before ? head.slice(1) : head);
  if (interval === undefined) return bad;
  let key: string | undefined;
  let update: SeenSetting['update'] = 'as needed';
  let refresh: number | undefined = standardRefresh;
  for (const option of options) {
    if (option.startsWith('key=')) key = option.slice('key='.length);
    else if (option === 'readonly') update = 'never';
    else if (option === 'write') update = 'always';
    else if (option.startsWith('refresh=')) refresh = parseInterval(option.slice('refresh='.length));
    else if (option !== '') return { error: `unrecognised option '${option}' in '${text}'` };
    if (refresh === undefined) return bad;
  }
  return { before, interval, key, update, refresh };
}

export const seen: TextCondition = {
  kind: 'condition',
  name: 'seen',
  doc: 'The key was seen since the interval, or with a minus sign, before it.',
  forbidden: [],
  test(text, { context, services }): ConditionAnswer {
    const setting = parse(text);
    if ('error' in setting) return setting;
    const { before, interval, update, refresh } = setting;
    const key = setting.key ?? context.connection?.hostAddress ?? '';
    const now = clock.seconds();
    const last = services.seen.get(key);
    const since = last !== undefined && last > now - interval;
    const answer = last !== undefined && since !== before;
    const isOld = before && answer && last <= now - refresh;
    if (update === 'always' || (update === 'as needed' && (!before || last === undefined || isOld))) {
      services.seen.note(key, Math.max(interval, refresh));
    }
    if (context.decisions.listening) {
      const ago = last === undefined ? 'never' : `${now - last} s ago`;
      context.decisions.step('acl', `seen ${key}`, answer ? 'yes' : 'no', `last seen ${ago}`);
    }
    return answer ? 'true' : 'false';
  },
};
