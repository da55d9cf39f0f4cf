/** The list of regular expressions of the conditions `regex` and `mime_regex`, and what it found (Exim spec 45.5). */

import { splitList } from '../../lib/list-text.ts';
import { regex as compile, type Regex, RegexLimit, RegexSyntaxError } from '../../lib/regex.ts';
import type { AclRun } from '../acl.ts';

interface Pattern {
  readonly source: string;
  readonly regex: Regex;
}

export class RegexList {
  readonly #run: AclRun;
  /** As Exim asks them: the last one first. */
  readonly #patterns: readonly Pattern[];

  constructor(text: string, run: AclRun) {
    this.#run = run;
    this.#patterns = splitList(text)
      .items.flatMap((source): Pattern[] => {
        try {
          return [{ source, regex: compile(source) }];
        } catch (error) {
          if (!(error instanceof RegexSyntaxError)) throw error;
          const what = `error in regex '${source}': ${error.message} at offset ${error.offset}, skipped.`;
          run.services.log(['main'], `regex acl condition warning - ${what}`);
          return [];
        }
      })
      .reverse();
    if (run.context.acl) run.context.acl.regexMatch = undefined;
  }

  get isEmpty(): boolean {
    return this.#patterns.length === 0;
  }

  /** Whether one of them matches; `$regex_match_string` and what it captured tell which. */
  matches(text: string): boolean {
    const { context, services } = this.#run;
    for (const { source, regex } of this.#patterns) {
      try {
        const found = regex.match(text);
        if (found === undefined) continue;
        if (context.acl) context.acl.regexMatch = [source, ...found.groups.slice(1).map((group) => group ?? '')];
        return true;
      } catch (error) {
        // one that goes over the limits of matching matches nothing
        if (!(error instanceof RegexLimit)) throw error;
        services.log(['main'], `regex acl condition warning - ${error.message} in regex '${source}'`);
      }
    }
    return false;
  }
}
