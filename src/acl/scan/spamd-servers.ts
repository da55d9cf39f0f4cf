/** The servers of `spamd_address`, and in which order they are tried (Exim spec 45.2). */

import * as clock from '../../lib/clock.ts';
import { parseInterval } from '../../lib/intervals.ts';
import { splitList } from '../../lib/list-text.ts';
import { chooseWeighted } from '../../lib/weighted.ts';
import { type Clean, reviewed } from '../../safe/taint.ts';
import type { ScannerPlace } from './scanner-connection.ts';
import { parseScannerItem } from './scanner-list.ts';

export interface SpamdServer {
  /** As written, for logs. */
  readonly text: string;
  /** Nothing when its port makes no sense. */
  readonly place: ScannerPlace | undefined;
  readonly priority: number;
  readonly weight: number;
  readonly isRspamd: boolean;
  /** Seconds. */
  readonly timeout: number;
  readonly retry: number | undefined;
  /** Seconds of the day, from which and up to which it is used. */
  readonly from: number;
  readonly to: number;
}

type Change = { -readonly [Name in keyof SpamdServer]: SpamdServer[Name] };

const standardTimeout = 120;
const mostServers = 32;

/** `hour.minute.second`, in seconds. */
function timeOfDay(text: string): number | undefined {
  const [, hour, minute = '0', second = '0'] = /^(\d{1,3})(?:\.(\d{1,3}))?(?:\.(\d{1,3}))?$/.exec(text) ?? [];
  return hour === undefined ? undefined : Number(hour) * 3600 + Number(minute) * 60 + Number(second);
}

type Option = (value: string, server: Change) => string | undefined;

const invalid = (name: string, value: string): string => `warning - invalid spamd ${name}: '${value}'`;

const number =
  (option: string, set: (server: Change, value: number) => void): Option =>
  (value, server) => {
    if (!/^\d{1,9}$/.test(value)) return invalid('parameter', `${option}=${value}`);
    set(server, Number(value));
    return undefined;
  };

const interval =
  (what: string, set: (server: Change, value: number) => void): Option =>
  (value, server) => {
    const seconds = parseInterval(value);
    if (seconds === undefined) return invalid(`${what} value`, value);
    set(server, seconds);
    return undefined;
  };

const options: ReadonlyMap<string, Option> = new Map<string, Option>([
  ['pri', number('pri', (server, value) => (server.priority = value))],
  ['weight', number('weight', (server, value) => (server.weight = value))],
  ['tmo', interval('timeout', (server, value) => (server.timeout = value))],
  ['retry', interval('retry', (server, value) => (server.retry = value))],
  [
    'time',
    (value, server) => {
      const [from, to] = value.split('-').map(timeOfDay);
      if (from === undefined || to === undefined) return invalid('time value', value);
      Object.assign(server, { from, to });
      return undefined;
    },
  ],
  [
    'variant',
    (value, server) => {
      if (value !== 'rspamd') return invalid('parameter', `variant=${value}`);
      server.isRspamd = true;
      return undefined;
    },
  ],
]);

function parseServer(item: Clean, complain: (text: string) => void): SpamdServer | undefined {
  const { place, isComplete, options: words } = parseScannerItem(item);
  if (!isComplete) {
    complain(invalid('address', item));
    return undefined;
  }
  const defaults = { priority: 1, weight: 1, isRspamd: false, timeout: standardTimeout, retry: undefined };
  const server: Change = { text: item, place, ...defaults, from: 0, to: 86_400 };
  for (const word of words) {
    const equals = word.indexOf('=');
    const option = options.get(word.slice(0, Math.max(equals, 0)));
    const problem = option === undefined ? invalid('parameter', word) : option(word.slice(equals + 1), server);
    if (problem !== undefined) complain(problem);
  }
  return server;
}

/** The servers of a list; `complain` hears of items and options that make no sense. */
export function parseSpamdServers(list: Clean, complain: (text: string) => void): SpamdServer[] {
  return splitList(list)
    .items.slice(0, mostServers)
    .flatMap((item) => parseServer(reviewed(item, 'an item of a list that is clean'), complain) ?? []);
}

/** The next one to try: of the highest priority, by chance as the weights say, and only at its time of day. */
export function chooseServer(servers: readonly SpamdServer[], chance = Math.random()): SpamdServer | undefined {
  const now = new Date(clock.now());
  const second = now.getHours() * 3600 + now.getMinutes() * 60 + now.getSeconds();
  const usable = servers.filter(({ from, to }) => second >= from && second < to);
  return chooseWeighted(usable, chance);
}
