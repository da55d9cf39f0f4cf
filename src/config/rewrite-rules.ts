/** Rewriting rules as they stand in the configuration (Exim spec 31.4 - 31.10). */

import { compileTemplate, type Template } from '../expand/expand.ts';
import type { ListSetting } from '../lists/option.ts';
import { nextWord } from './words.ts';

/** Where an address stands. */
export type RewritePlace =
  | 'envelope sender'
  | 'envelope recipient'
  | 'from'
  | 'to'
  | 'cc'
  | 'bcc'
  | 'reply-to'
  | 'sender';

export interface RewriteRule {
  readonly pattern: ListSetting;
  /** Nothing stands for `*`: addresses that match are left alone. */
  readonly replacement: Template | undefined;
  readonly places: ReadonlySet<RewritePlace>;
  /** At SMTP time, on the argument of MAIL or RCPT (flag S). */
  readonly smtp: boolean;
  /** Flag q: no further rules. */
  readonly last: boolean;
  /** Flag Q: the new address may lack a domain. */
  readonly qualify: boolean;
  /** Flag R: again, while it matches. */
  readonly repeat: boolean;
  /** Flag w: the whole address with phrase and comments. */
  readonly whole: boolean;
}

const headers: readonly RewritePlace[] = ['from', 'to', 'cc', 'bcc', 'reply-to', 'sender'];
const envelope: readonly RewritePlace[] = ['envelope sender', 'envelope recipient'];

const placeFlags: ReadonlyMap<string, readonly RewritePlace[]> = new Map<string, readonly RewritePlace[]>([
  ['E', envelope],
  ['F', ['envelope sender']],
  ['T', ['envelope recipient']],
  ['b', ['bcc']],
  ['c', ['cc']],
  ['f', ['from']],
  ['h', headers],
  ['r', ['reply-to']],
  ['s', ['sender']],
  ['t', ['to']],
]);

/** Whether a rule is about header lines alone, as those of a transport must be. */
export function isForHeaders({ places, smtp }: RewriteRule): boolean {
  return !smtp && !envelope.some((place) => places.has(place));
}

/** Reads a rule. For the headers_rewrite option of transports only header lines come into question. */
export function parseRewriteRule(
  line: string,
  scope: 'global' | 'transport',
): { readonly rule: RewriteRule } | { readonly error: string } {
  const first = nextWord(line);
  const second = first === undefined ? undefined : nextWord(first.rest);
  if (first === undefined || second === undefined) {
    return { error: 'missing quote at end of string value in rewriting rule' };
  }
  if (second.value === '') return { error: 'missing rewrite replacement string' };
  const places = new Set<RewritePlace>();
  const others = new Set<string>();
  for (const flag of second.rest.replace(/[ \t]/g, '')) {
    const meant = placeFlags.get(flag);
    if (meant !== undefined) for (const place of meant) places.add(place);
    else if (/[SqQRw]/.test(flag)) others.add(flag);
    else {
      return {
        error: `unknown rewrite flag character '${flag}' (could be missing quotes round replacement item)`,
      };
    }
  }
  if (places.size === 0 && !others.has('S')) {
    for (const place of scope === 'global' ? [...headers, ...envelope] : headers) places.add(place);
  }
  if (others.has('S') && !/^\^|^\\N\^/.test(first.value)) {
    return { error: 'rewrite rule has the S flag but is not a regular expression' };
  }
  const rule: RewriteRule = {
    pattern: { kind: 'address', template: compileTemplate(first.value.replaceAll(':', '::')) },
    replacement: second.value === '*' ? undefined : compileTemplate(second.value),
    places,
    smtp: others.has('S'),
    last: others.has('q'),
    qualify: others.has('Q'),
    repeat: others.has('R'),
    whole: others.has('w'),
  };
  return { rule };
}
