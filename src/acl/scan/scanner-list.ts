/** Reads where scanners are found: `host port[-port] option…` or `/path option…` (Exim spec 45.1, 45.2). */

import { splitList } from '../../lib/list-text.ts';
import { type Clean, reviewed } from '../../safe/taint.ts';
import type { ScannerPlace } from './scanner-connection.ts';

/** Ports of a range that are tried at most. */
const mostPorts = 100;

export interface ScannerItem {
  readonly place: ScannerPlace | undefined;
  /** Whether the item has as many words as its place needs. */
  readonly isComplete: boolean;
  readonly options: readonly string[];
}

function portsOf(text: string): { readonly firstPort: number; readonly lastPort: number } | undefined {
  const [, first = '', last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const [firstPort, lastPort] = [Number(first), Number(last)];
  if (first === '' || firstPort > 65_535 || lastPort > 65_535) return undefined;
  return lastPort < firstPort || lastPort - firstPort >= mostPorts ? undefined : { firstPort, lastPort };
}

/** The words of an item; its list has blanks for separators unless it says otherwise. */
export function parseScannerItem(item: Clean): ScannerItem {
  const [first, ...rest] = splitList(item, ' ').items.filter((word) => word !== '');
  if (first === undefined) return { place: undefined, isComplete: false, options: [] };
  if (first.startsWith('/')) {
    const path = reviewed(first, 'a word of a text that is clean');
    return { place: { path }, isComplete: true, options: rest };
  }
  const [ports, ...options] = rest;
  if (ports === undefined) return { place: undefined, isComplete: false, options: [] };
  const range = portsOf(ports);
  return { place: range === undefined ? undefined : { host: first, ...range }, isComplete: true, options };
}
