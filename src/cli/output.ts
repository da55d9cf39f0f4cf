/** Standard output and error as byte strings. A reader that goes away ends nothing but the writing. */

import { writeStandard } from '../safe/standard-output.ts';

/** Where a command writes to and what it reads. */
export interface Terminal {
  out(text: string): void;
  error(text: string): void;
}

function writer(descriptor: 1 | 2): (text: string) => void {
  let broken = false;
  return (text) => {
    if (!broken && text !== '') broken = !writeStandard(descriptor, Buffer.from(text, 'latin1'));
  };
}

export function standardTerminal(): Terminal {
  return { out: writer(1), error: writer(2) };
}

/** Lines of standard input, without their LF; at most `maximum` octets each. */
export async function* standardInputLines(maximum = 1024 * 1024): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of process.stdin) {
    rest += (chunk as Buffer).toString('latin1');
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      yield rest.slice(0, end);
      rest = rest.slice(end + 1);
    }
    if (rest.length > maximum) {
      yield rest;
      rest = '';
    }
  }
  if (rest !== '') yield rest;
}
