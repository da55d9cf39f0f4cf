import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { WireCount, WireText } from './wire.ts';

/** Texts in which line ends of all kinds meet. */
const texts = fc
  .array(fc.constantFrom('\r', '\n', '\r\n', '.', 'a', '\0', '\xff', '\r\r\n', '..'), { maxLength: 60 })
  .map((parts) => parts.join(''));

function pieces(text: string, lengths: readonly number[]): Buffer[] {
  const found: Buffer[] = [];
  let at = 0;
  for (const length of lengths) {
    found.push(Buffer.from(text.slice(at, at + length), 'latin1'));
    at += length;
  }
  return [...found, Buffer.from(text.slice(at), 'latin1')];
}

/** The same said in another way: octet by octet. */
function expected(text: string): string {
  let sent = '';
  for (const [i, octet] of [...text].entries()) sent += octet === '\n' && text[i - 1] !== '\r' ? '\r\n' : octet;
  return sent === '' || sent.endsWith('\n') ? sent : `${sent}\r\n`;
}

describe('A message as it is sent', () => {
  it('has CR and LF at each line end, wherever it is cut into pieces, and the octets that were counted', () => {
    fc.assert(
      fc.property(texts, fc.array(fc.nat(9), { maxLength: 12 }), (text, lengths) => {
        const wire = new WireText();
        const count = new WireCount();
        let sent = '';
        for (const piece of pieces(text, lengths)) {
          sent += wire.take(piece);
          count.take(piece);
        }
        sent += wire.end();
        assert.equal(sent, expected(text));
        assert.equal(count.octets, sent.length);
      }),
    );
  });
});
