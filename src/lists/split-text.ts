/**
 * Lists whose pieces have different origins, split as `splitList` does it, each item with the taint of its own pieces. In
 * a query (`pgsql;select … '$x'`) only separators that stand in the configuration end an item: what comes from outside
 * can neither cut the query short nor add items behind it.
 */

import { splitList, trimItemEnd } from '../lib/list-text.ts';
import { trimStart } from '../lib/octets.ts';
import { Taints } from '../safe/query-taints.ts';
import { Text } from '../safe/taint.ts';

const change = /^[ \t-\r]*<([!-/:-@[-`{-~\x01-\x1f\x7f])/;
const lookup = /^[ \t-\r]*!?[ \t-\r]*[A-Za-z0-9_(][^;]*;/;

/** The items of a list. */
export function splitText(list: Text): Text[] {
  if (list.pieces.length === 1) return splitList(list.value).items.map((item) => Text.derived(item, list));
  const { value } = list;
  const [head = '', separator = ':'] = change.exec(value) ?? [];
  const isControl = /[\x01-\x1f\x7f]/.test(separator);
  const taints = new Taints(list);
  const items: Text[] = [];
  for (let start = head.length; start < value.length; ) {
    if (trimmedStart(list, start) >= value.length && !value.slice(start).includes(separator)) break;
    const parts: Text[] = [];
    const begins = lookup.exec(value.slice(start, start + 200))?.[0].length;
    const isQuery = begins !== undefined && taints.areClean(start, start + begins);
    let from = start;
    let end = value.length;
    for (let at = value.indexOf(separator, start); at >= 0; at = value.indexOf(separator, at + 1)) {
      if (isQuery && taints.at(at) !== 'clean') continue;
      if (!isControl && value[at + 1] === separator && (!isQuery || taints.at(at + 1) === 'clean')) {
        parts.push(list.slice(from, at + 1));
        from = at + 2;
        at++;
        continue;
      }
      end = at;
      break;
    }
    parts.push(list.slice(from, end));
    items.push(trimmed(Text.join(parts)));
    start = end + 1;
  }
  return items;
}

/** Where the next item that is not blank would begin. */
function trimmedStart(list: Text, start: number): number {
  return list.value.length - trimStart(list.value.slice(start)).length;
}

function trimmed(item: Text): Text {
  const start = item.value.length - trimStart(item.value).length;
  return item.slice(start, Math.max(start, trimItemEnd(item.value).length));
}
