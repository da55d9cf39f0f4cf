/** Octets of a message as they come over a connection, where no command is among them. */

import type { LineConnection } from '../../net/line-connection.ts';

/** Reads just so many octets; what comes behind them stays to be read. Milliseconds. */
export async function takeOctets(
  lines: LineConnection,
  timeout: number,
  count: number,
  take: (octets: Buffer) => Promise<void> | undefined,
): Promise<'all' | 'lost' | 'timeout'> {
  for (let left = count; left > 0; ) {
    const block = await lines.readBlock(timeout);
    if (typeof block === 'string') return block === 'end' ? 'lost' : 'timeout';
    const octets = block.subarray(0, left);
    if (octets.length < block.length) lines.unread(block.subarray(octets.length));
    left -= octets.length;
    await take(octets);
  }
  return 'all';
}

/** The lines that end in it. */
export function linesIn(block: Buffer): number {
  let count = 0;
  for (let at = block.indexOf(0x0a); at >= 0; at = block.indexOf(0x0a, at + 1)) count++;
  return count;
}
