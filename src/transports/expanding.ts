/** Expands the options of a transport; what goes wrong is a deferral in Exim's words. */

import type { Context } from '../expand/context.ts';
import type { Template } from '../expand/expand.ts';
import { type Clean, clean, type Text } from '../safe/taint.ts';
import { type DeliveryResult, deferred, errorCodes } from './transport.ts';

/** Thrown within `prepare`, which turns it into the result of the delivery. */
export class Unprepared {
  readonly result: DeliveryResult;
  constructor(result: DeliveryResult) {
    this.result = result;
  }
}

/** Ends the preparation: the configuration is at fault, unless `code` is a number of Exim's own for what is wrong. */
export function give(message: string, code: number = errorCodes.unknown): never {
  throw new Unprepared(deferred(code, message, { panic: code === 0 || code === errorCodes.unknown }));
}

/** The same, where the real program has no number for it and tells only the main log. */
export function giveQuietly(message: string): never {
  throw new Unprepared(deferred(0, message));
}

/** The value of an option; `what` says in errors what it is for. A forced failure is nothing when that is allowed. */
export async function expandOption(
  template: Template,
  what: string,
  context: Context,
  forced: 'is nothing' | 'is an error' = 'is an error',
  code?: number,
): Promise<Text | undefined> {
  if (template.constant !== undefined) return template.constant;
  const expansion = await template.expand(context);
  if (expansion.ok) return expansion.text;
  if (expansion.kind === 'forced' && forced === 'is nothing') return undefined;
  return give(`Expansion of "${template.source}" (${what}) failed: ${expansion.message}`, code);
}

/** A name of a file or directory: absolute, and not tainted. */
export async function expandPath(template: Template, what: string, context: Context): Promise<Clean> {
  const text = await expandOption(template, what, context);
  if (text === undefined) return give(`Expansion of "${template.source}" (${what}) failed`);
  const path = clean(text);
  if (path !== undefined) return path;
  return give(notPermitted(template, text, what));
}

/** What is said of a name that came from outside, with the remedy where it is known. */
export function notPermitted(template: Template, text: Text, what: string): string {
  const remedy = /\$\{?(?:local_part|domain)\b(?!_data)/.test(template.source)
    ? '; use $local_part_data or $domain_data, or a lookup'
    : '';
  return `Tainted '${text.value}' (${what}) not permitted${remedy}`;
}

/** Runs a preparation; an `Unprepared` in it is its result. */
export async function prepared<J>(
  work: () => Promise<{ readonly job: J } | DeliveryResult>,
): Promise<{ readonly job: J } | DeliveryResult> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Unprepared) return error.result;
    throw error;
  }
}
