/** `regex`: whether a line of the message, or of a MIME part as it came, matches a regular expression (Exim spec 45.5). */

import { Pauses } from '../../store/pause.ts';
import type { TextCondition } from '../acl.ts';
import { withoutContent } from '../phases.ts';
import { RegexList } from '../scan/regex-list.ts';

/** Octets of a line that are looked at. */
const longestLine = 32 * 1024;

/** Calls `take` for each line, without its end, until it answers true. */
class LineCutter {
  #rest = '';
  readonly #take: (line: string) => boolean;
  done = false;

  constructor(take: (line: string) => boolean) {
    this.#take = take;
  }

  push(piece: Buffer): void {
    const lines = (this.#rest + piece.toString('latin1')).split('\n');
    const rest = lines.pop() ?? '';
    // what is longer than a line may be is not kept, but what follows it is no line of its own
    this.#rest = rest.length > longestLine ? rest.slice(0, longestLine) : rest;
    for (const line of lines) this.#line(line);
  }

  end(): void {
    if (this.#rest !== '') this.#line(this.#rest);
  }

  #line(line: string): void {
    this.done ||= this.#take(line.length > longestLine ? line.slice(0, longestLine) : line);
  }
}

export const regex: TextCondition = {
  kind: 'condition',
  name: 'regex',
  doc: 'A line of the message, or of the MIME part as it came, matches one of these regular expressions.',
  forbidden: withoutContent,
  async test(text, run) {
    const { services } = run;
    const part = services.mimePart();
    const copy = services.message();
    const list = new RegexList(text, run);
    if (list.isEmpty) return 'false';
    const lines = new LineCutter((line) => list.matches(line));
    const pauses = new Pauses();
    const take = (piece: Buffer): Promise<void> | undefined => {
      if (lines.done) return undefined;
      lines.push(piece);
      return pauses.pause();
    };
    await (part === undefined ? copy?.read(take) : part.readRaw(take));
    if (!lines.done) lines.end();
    return lines.done ? 'true' : 'false';
  },
};
