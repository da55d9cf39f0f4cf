/** Writes a message: header lines, a blank line, the body, each line as the rules want it. Bodies stream. */

import type { LineRules } from './line-encoder.ts';
import { LineEncoder } from './line-encoder.ts';
import type { ContentReader } from './transport.ts';

export interface ContentRules extends LineRules {
  /** Header lines are escaped, too: in batched SMTP. The text of check_string is looked for in the body alone. */
  readonly escapesHeaders: boolean;
  readonly headers: boolean;
  readonly body: boolean;
}

const bufferSize = 64 * 1024;

/** Hands the octets of the message to `write`, in order; answers whether the last one ended a line. */
export async function copyContent(
  content: ContentReader,
  rules: ContentRules,
  write: (chunk: Buffer) => Promise<void> | void,
): Promise<boolean> {
  const isFiltered = content.isFiltered === true;
  let head = rules.headers && !isFiltered ? `${content.headers}\n` : '';
  if (rules.escape !== undefined && !rules.escapesHeaders && head !== '') {
    await write(new LineEncoder({ crlf: rules.crlf, escape: undefined }).encode(Buffer.from(head, 'latin1')));
    head = '';
  }
  const encoder = new LineEncoder(rules);
  const put = (chunk: Buffer): Promise<void> | void => {
    const encoded = encoder.encode(chunk);
    return encoded.length > 0 ? write(encoded) : undefined;
  };
  if (!rules.body && !isFiltered) {
    await put(Buffer.from(head, 'latin1'));
  } else {
    await copyBody(head, content, put);
  }
  const rest = encoder.end();
  if (rest.length > 0) await write(rest);
  return encoder.endsWithNewline;
}

/** A small message goes out in one piece, a large one through a buffer of fixed size. */
async function copyBody(
  head: string,
  content: ContentReader,
  put: (chunk: Buffer) => Promise<void> | void,
): Promise<void> {
  const expected = content.isFiltered === true ? bufferSize : head.length + content.size + 1;
  const buffer = Buffer.allocUnsafe(Math.min(bufferSize, expected));
  let filled = buffer.write(head.slice(0, buffer.length), 'latin1');
  if (filled < head.length) {
    await put(Buffer.from(head, 'latin1'));
    filled = 0;
  }
  for (;;) {
    const read = content.read(buffer.subarray(filled));
    const count = typeof read === 'number' ? read : await read;
    filled += count;
    if (count === 0 || filled === buffer.length) {
      const done = put(buffer.subarray(0, filled));
      if (done !== undefined) await done;
      filled = 0;
    }
    if (count === 0) return;
  }
}
