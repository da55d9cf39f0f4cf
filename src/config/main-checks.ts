/** What must hold of main options when all of them are read. Exim looks at that before it reads the sections. */

import { RegexSyntaxError, regex } from '../lib/regex.ts';
import { parseAddress } from '../mail/address.ts';
import { parseRateLimit } from '../options/rate-limit.ts';
import type { MainOptions } from './main-options.ts';
import type { Problem } from './problems.ts';

type Found = Pick<Problem, 'message' | 'bare'> | undefined;

const bare = (message: string): Found => ({ message, bare: true });

/** The least that `tls_dh_max_bits` may be. */
const fewestDhBits = 1024;

function badReplyAddress(text: string): Found {
  const found = parseAddress(text);
  if ('error' in found) return { message: `error in errors_reply_to (${text}): ${found.error}` };
  return (found.domain ?? '') === '' ? { message: `errors_reply_to (${text}) does not contain a domain` } : undefined;
}

function badPattern(pattern: string): Found {
  try {
    regex(pattern);
    return undefined;
  } catch (error) {
    if (!(error instanceof RegexSyntaxError)) throw error;
    return bare(`regular expression error: ${error.message} at offset ${error.offset} while compiling ${pattern}`);
  }
}

function badRate(text: string | undefined): Found {
  return text === undefined || parseRateLimit(text) !== undefined
    ? undefined
    : bare(`malformed ratelimit data: ${text}`);
}

/** One row for each option that is looked at when it is set. */
export const mainChecks: ReadonlyMap<keyof MainOptions, (main: MainOptions) => Found> = new Map<
  keyof MainOptions,
  (main: MainOptions) => Found
>([
  [
    'local_sender_retain',
    ({ local_sender_retain: retains, local_from_check: checks }) =>
      retains && checks
        ? bare('both local_from_check and local_sender_retain are set; this combination is not allowed')
        : undefined,
  ],
  ['errors_reply_to', ({ errors_reply_to: address }) => (address === undefined ? undefined : badReplyAddress(address))],
  ['smtp_ratelimit_mail', ({ smtp_ratelimit_mail: rate }) => badRate(rate)],
  ['smtp_ratelimit_rcpt', ({ smtp_ratelimit_rcpt: rate }) => badRate(rate)],
  ['uucp_from_pattern', ({ uucp_from_pattern: pattern }) => badPattern(pattern)],
  [
    'tls_dh_max_bits',
    ({ tls_dh_max_bits: bits }) =>
      bits < fewestDhBits
        ? { message: `tls_dh_max_bits is too small, must be at least ${fewestDhBits} for interop` }
        : undefined,
  ],
]);

/** What is wrong with those that are set. */
export function checkMain(main: MainOptions, set: ReadonlySet<string>): readonly Problem[] {
  return [...mainChecks].flatMap(([name, check]) => {
    const found = set.has(name) ? check(main) : undefined;
    return found === undefined ? [] : [{ severity: 'error', ...found }];
  });
}
