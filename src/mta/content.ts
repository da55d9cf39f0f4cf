/**
 * The header lines of a delivery (Exim spec 48.17, 24): those of the message without what router and transport take
 * away, then what they add; in front, what the transport says about the envelope.
 */

import type { Context } from '../expand/context.ts';
import { expandText, type Template } from '../expand/expand.ts';
import * as clock from '../lib/clock.ts';
import { splitList } from '../lib/list-text.ts';
import { lower, trim } from '../lib/octets.ts';
import { rfc5322Date } from '../mail/date.ts';
import { type HeaderLine, headerName } from '../mail/header-line.ts';
import { Text } from '../safe/taint.ts';
import type { TransportCommonOptions } from '../transports/common-options.ts';
import { type RewriteTools, rewriteHeaders } from './rewrite.ts';

/** A header option of the transport could not be expanded. */
export interface ContentProblem {
  readonly message: string;
}

/** Whether options about header lines of the transport say the same for every host. */
export function isForAllHosts({ headers_add, headers_remove }: TransportCommonOptions): boolean {
  return [headers_add, headers_remove].every((option) => option === undefined || option.constant !== undefined);
}

export interface ContentPlan {
  readonly headers: readonly HeaderLine[];
  readonly common: TransportCommonOptions;
  /** From the routers that led here. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly returnPath: string;
  /** Addresses of the envelope that led here. */
  readonly envelopeTo: readonly string[];
  /** The rules of `headers_rewrite`, for what was there before. */
  readonly rewrite: RewriteTools;
}

async function items(
  template: Template | undefined,
  separator: string,
  context: Context,
): Promise<string[] | ContentProblem> {
  if (template === undefined) return [];
  const found: string[] = [];
  for (const source of splitList(template.source, separator).items) {
    const expansion = await expandText(Text.configured(source), context);
    if (expansion.ok) found.push(expansion.text.value);
    else if (expansion.kind !== 'forced') {
      return { message: expansion.message };
    }
  }
  return found;
}

/** Header lines of a text, each ending with LF. */
function linesOf(text: string): string {
  const trimmed = trim(text);
  return trimmed === '' ? '' : `${trimmed}\n`;
}

/** Names to be left out; each item may be a list, and a name may end with `*`. */
function removal(lists: readonly string[]): (name: string) => boolean {
  const names = new Set<string>();
  const prefixes: string[] = [];
  for (const list of lists) {
    for (const item of splitList(list).items) {
      const name = lower(trim(item));
      if (name.endsWith('*')) prefixes.push(name.slice(0, -1));
      else if (name !== '') names.add(name);
    }
  }
  if (names.size === 0 && prefixes.length === 0) return () => false;
  return (name) => {
    const lowered = lower(name);
    return names.has(lowered) || prefixes.some((prefix) => lowered.startsWith(prefix));
  };
}

async function rewritten(
  headers: readonly HeaderLine[],
  tools: RewriteTools,
  context: Context,
): Promise<readonly HeaderLine[]> {
  if (tools.rules.length === 0) return headers;
  return rewriteHeaders(headers, { sender: undefined, recipient: undefined }, tools, context);
}

/** All header lines of the delivery, in order. */
export async function deliveredHeaders(
  plan: ContentPlan,
  context: Context,
): Promise<{ readonly headers: string } | ContentProblem> {
  const { common, returnPath, envelopeTo } = plan;
  const removed = await items(common.headers_remove, ':', context);
  if ('message' in removed) return removed;
  const added = await items(common.headers_add, '\n', context);
  if ('message' in added) return added;
  const isRemoved = removal([...plan.removed, ...removed]);
  let text = '';
  if (common.return_path_add) text += `Return-path: <${returnPath}>\n`;
  if (common.envelope_to_add) text += `Envelope-to: ${envelopeTo.join(',\n\t')}\n`;
  if (common.delivery_date_add) text += `Delivery-date: ${rfc5322Date(clock.now())}\n`;
  const kept = plan.headers.filter(({ type, text: line }) => type !== '*' && !isRemoved(headerName(line)));
  for (const { type, text: line } of await rewritten(kept, plan.rewrite, context)) if (type !== '*') text += line;
  for (const line of plan.added) text += linesOf(line);
  for (const line of added) text += linesOf(line);
  return { headers: text };
}
