/** `-brt`: the retry rule for an address or domain, perhaps with a second domain, and an error (Exim spec 5.3, 32). */

import { parseRetryError, type RetryError, type RetryStep } from '../../config/retry-rules.ts';
import { formatInterval } from '../../lib/intervals.ts';
import { findRule, type RetrySubject } from '../../mta/retry.ts';
import { type DeliveryError, errorCodes } from '../../transports/transport.ts';
import type { Call } from '../call.ts';
import { testContext } from '../test-context.ts';

const refused = 111;
const timedOut = 110;

/** An error that a rule of this kind is for. */
function happened(error: RetryError): Pick<RetrySubject, 'error' | 'viaMx'> {
  const viaMx = 'via' in error && error.via !== undefined ? error.via === 'MX' : undefined;
  const withCode = (code: number, more: Partial<DeliveryError> = {}): Pick<RetrySubject, 'error' | 'viaMx'> => ({
    error: { code, message: '', ...more },
    viaMx,
  });
  switch (error.kind) {
    case 'any':
      return withCode(0);
    case 'auth_failed':
      return withCode(errorCodes.authenticationFailed);
    case 'lost_connection':
      return withCode(errorCodes.connectionLost);
    case 'lookup':
      return withCode(errorCodes.unknownHost);
    case 'tls_required':
      return withCode(errorCodes.tlsRequired);
    case 'refused':
      return withCode(refused);
    case 'timeout':
      return withCode(timedOut, { timeout: error.connect ? 'connect' : 'other' });
    case 'quota':
      return withCode(errorCodes.quota, { detail: error.unread });
    case 'reply': {
      const codes = { mail: errorCodes.mail4xx, rcpt: errorCodes.rcpt4xx, data: errorCodes.data4xx };
      return withCode(codes[error.command], { detail: Number(error.code.replaceAll('x', '0')) });
    }
  }
}

/** The kinds of error that the rule is shown with; the others are shown as `*`, as Exim does. */
const shownKinds: ReadonlySet<RetryError['kind']> = new Set(['auth_failed', 'quota', 'refused', 'timeout']);

function stepText({ algorithm, cutoff, interval, factor }: RetryStep): string {
  const times = `${algorithm},${formatInterval(cutoff)},${formatInterval(interval)}`;
  return algorithm === 'G' ? `${times},${factor}` : times;
}

/** A domain in the form that patterns are matched with. */
function subject(word: string): string {
  return word.includes('@') ? word : `*@${word}`;
}

export async function testRetryCommand(call: Call): Promise<number> {
  const { invocation, runtime, terminal } = call;
  const [first, second, third] = invocation.arguments;
  if (first === undefined) {
    terminal.out('-brt needs a domain or address argument\n');
    return 1;
  }
  if (!/[.@]/.test(first)) {
    terminal.out(
      `Warning: "${first}" contains no '@' and no '.' characters. It is being \ntreated as a one-component domain, not as a local part.\n\n`,
    );
  }
  const isDomain = second?.includes('.') ?? false;
  const name = isDomain ? third : second;
  const error = name === undefined ? { kind: 'any' as const } : parseRetryError(name);
  if ('error' in error) {
    terminal.out(`${error.error}\n`);
    return 1;
  }
  const addresses = [first, ...(isDomain && second !== undefined ? [second] : [])].map(subject);
  const rule = await findRule(
    runtime.config.retryRules,
    { key: '', addresses, ...happened(error) },
    undefined,
    testContext(call),
  );
  if (rule === undefined) {
    terminal.out('No retry information found\n');
    return 0;
  }
  const { pattern, error: kind, errorName, steps } = rule;
  const shown = kind.kind === 'quota' && kind.unread > 0 ? `quota_${formatInterval(kind.unread)}` : errorName;
  const what = shownKinds.has(kind.kind) ? shown : '*';
  terminal.out(
    `Retry rule: ${pattern.template.source}  ${what}  ${steps.map((step) => `${stepText(step)}; `).join('')}\n`,
  );
  return 0;
}
