/** The message as SMTP and LMTP clients read it: header lines, a blank line and the body, as the options ask. */

import type { MessageSource } from '../smtp/client/transaction.ts';
import type { TransportCommonOptions } from './common-options.ts';
import type { Content, ContentReader } from './transport.ts';

const pieceSize = 64 * 1024;

/** Reads the body from the spool, without stopping the event loop for a large one. */
export function readerOf({ headers, body }: Content): ContentReader {
  let at = 0;
  const count = (octets: number): number => {
    at += octets;
    return octets;
  };
  return {
    headers,
    size: body.size,
    read(buffer) {
      if (body.size <= pieceSize) return count(body.readAt(buffer, at));
      return at < body.size ? body.readLater(buffer, at).then(count) : 0;
    },
  };
}

/** @throws Error, in its `read`, when the body is shorter than it was: half a message must not be taken for a whole one */
export function messageSource(
  content: ContentReader,
  shape: Pick<TransportCommonOptions, 'body_only' | 'headers_only'>,
): MessageSource {
  if (content.isFiltered === true) return filteredPieces(content);
  const head = shape.body_only ? '' : `${content.headers}\n`;
  let left = shape.headers_only ? 0 : content.size;
  let begun = false;
  const piece = (buffer: Buffer, filled: number, count: number): Buffer => {
    if (count === 0) throw new Error('the body of the message is shorter than it was');
    left -= count;
    return buffer.subarray(0, filled + count);
  };
  return {
    read() {
      const first = begun ? '' : head;
      begun = true;
      if (left === 0) return first === '' ? undefined : Buffer.from(first, 'latin1');
      const buffer = Buffer.allocUnsafe(first.length + Math.min(left, pieceSize));
      const filled = buffer.write(first, 'latin1');
      const count = content.read(buffer.subarray(filled));
      return typeof count === 'number'
        ? piece(buffer, filled, count)
        : count.then((octets) => piece(buffer, filled, octets));
    },
  };
}

/** A message that has been through a filter: nobody knows its size before its end. */
function filteredPieces(content: ContentReader): MessageSource {
  return {
    async read() {
      const buffer = Buffer.allocUnsafe(pieceSize);
      const count = await content.read(buffer);
      return count === 0 ? undefined : buffer.subarray(0, count);
    },
  };
}
