/** `regex`: whether a line of the message matches one of several regular expressions (Exim spec 45.5). */

import { splitList } from '../../lib/list-text.ts';
import { regex as compile, type Regex, RegexLimit, RegexSyntaxError } from '../../lib/regex.ts';
import { Pauses } from '../../store/pause.ts';
import type { AclRun, TextCondition } from '../acl.ts';
import { withoutContent } from '../phases.ts';

/** Octets of a line that are looked at. */
const longestLine = 32 * 1024;

interface Pattern {
  readonly source: string;
  readonly regex: Regex;
}

function patternsOf(text: string, run: AclRun): Pattern[] {
  return splitList(text).items.flatMap((source) => {
    try {
      return [{ source, regex: compile(source) }];
    } catch (error) {
      if (!(error instanceof RegexSyntaxError)) throw error;
      const what = `error in regex '${source}': ${error.message} at offset ${error.offset}, skipped.`;
      run.services.log(['main'], `regex acl condition warning - ${what}`);
      return [];
    }
  });
}

/** What a pattern matched in a line; one that goes over the limits of matching matches nothing. */
function matchLine(line: string, patterns: readonly Pattern[], run: AclRun): readonly string[] | undefined {
  for (const { source, regex } of patterns) {
    try {
      const found = regex.match(line);
      if (found !== undefined) return [source, ...found.groups.slice(1).map((group) => group ?? '')];
    } catch (error) {
      if (!(error instanceof RegexLimit)) throw error;
      run.services.log(['main'], `regex acl condition warning - ${error.message} in regex '${source}'`);
    }
  }
  return undefined;
}

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
  doc: 'A line of the message matches one of these regular expressions.',
  forbidden: withoutContent,
  async test(text, run) {
    const { context, services } = run;
    const copy = services.message();
    if (copy === undefined) return 'false';
    const patterns = patternsOf(text, run);
    let found: readonly string[] | undefined;
    const lines = new LineCutter((line) => {
      found = matchLine(line, patterns, run);
      return found !== undefined;
    });
    const pauses = new Pauses();
    if (patterns.length > 0) {
      await copy.read((piece) => {
        if (lines.done) return undefined;
        lines.push(piece);
        return pauses.pause();
      });
      if (!lines.done) lines.end();
    }
    if (found === undefined) return 'false';
    if (context.acl) context.acl.regexMatch = found;
    return 'true';
  },
};
