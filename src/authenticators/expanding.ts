/** What authenticators expand: the values that the other side gave, and the condition that decides (Exim spec 33.1). */

import type { Context } from '../expand/context.ts';
import type { Expansion, Template } from '../expand/expand.ts';
import { lower, trim } from '../lib/octets.ts';
import { Text } from '../safe/taint.ts';
import type { ServerVerdict } from './authenticator.ts';

/** Variables `$auth1` to `$auth4`. */
const variableCount = 4;

/** Makes values known as `$auth1` …, and as `$1` … for old configurations. */
export function setAuthValues(values: readonly Text[], context: Context): void {
  const shown = values.slice(0, variableCount);
  context.authValues = shown;
  context.results.numeric = [Text.empty, ...shown];
}

/** What the log says of a challenge that cannot be read. */
export const notBase64 = (reply: string): string => `Invalid base64 string in server response "${reply}"`;

/** The verdict on an expansion that yields no text: forced failure refuses, everything else is for later. */
export function verdictOnFailure(expansion: Expansion & { readonly ok: false }): ServerVerdict {
  if (expansion.kind === 'forced') return { outcome: 'refused' };
  return { outcome: 'deferred', message: expansion.message, told: false };
}

const refusals: ReadonlySet<string> = new Set(['', '0', 'no', 'false']);
const consents: ReadonlySet<string> = new Set(['1', 'yes', 'true']);

/** What `server_condition` says; without one, what was found out so far stands. */
export async function checkCondition(condition: Template | undefined, context: Context): Promise<ServerVerdict> {
  if (condition === undefined) return { outcome: 'accepted' };
  const expansion = await condition.expand(context);
  if (!expansion.ok) return verdictOnFailure(expansion);
  const word = lower(trim(expansion.text.value));
  if (refusals.has(word)) return { outcome: 'refused' };
  if (consents.has(word)) return { outcome: 'accepted' };
  return { outcome: 'deferred', message: expansion.text.value, told: true };
}

/** Expands parameters behind the first values, then asks the condition. */
export async function decideByParameters(
  first: readonly Text[],
  parameters: readonly (Template | undefined)[],
  condition: Template | undefined,
  context: Context,
): Promise<ServerVerdict> {
  const values = [...first];
  setAuthValues(values, context);
  for (const parameter of parameters) {
    const expansion = await parameter?.expand(context);
    if (expansion !== undefined && !expansion.ok) return verdictOnFailure(expansion);
    values.push(expansion?.text ?? Text.empty);
    setAuthValues(values, context);
  }
  return checkCondition(condition, context);
}
