/** Lines that a command asks for: from a person, with a line editor and a history; from a file or a pipe, as they come. */

import { createInterface } from 'node:readline';
import { standardInputLines, type Terminal } from './output.ts';

export interface LinePrompter {
  /** Asks for a line. */
  prompt(): void;
  /** Goes on with the same line, which was continued. */
  more(): void;
  readonly lines: AsyncIterable<string>;
}

const longestHistory = 500;

/** What a person types is text; a byte string has one character for each of its octets. */
async function* typed(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield Buffer.from(line, 'utf8').toString('latin1');
}

export function linePrompter(terminal: Terminal): LinePrompter {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    return { prompt: () => terminal.out('> '), more: () => undefined, lines: standardInputLines() };
  }
  const editor = createInterface({
    input: process.stdin,
    output: process.stdout,
    historySize: longestHistory,
    prompt: '> ',
  });
  editor.on('SIGINT', () => editor.close());
  return { prompt: () => editor.prompt(), more: () => undefined, lines: typed(editor) };
}
