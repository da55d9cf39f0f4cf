/** The greatest size of a message (Exim spec 14, message_size_limit). */

import type { Context } from '../expand/context.ts';
import { parseInteger } from '../lib/sizes.ts';
import type { Runtime } from './runtime.ts';

/** message_size_limit, in octets; 0 for none, nothing when it cannot be told, which is logged. */
export async function messageSizeLimit(runtime: Runtime, context: Context): Promise<number | undefined> {
  const expansion = await runtime.config.main.message_size_limit.expand(context);
  if (!expansion.ok) {
    runtime.logs.panic(`unable to expand message_size_limit: ${expansion.message}`);
    return undefined;
  }
  const text = expansion.text.value;
  const limit = parseInteger(text);
  if (typeof limit === 'bigint' && limit >= 0n) return Number(limit);
  const why = typeof limit === 'bigint' ? `non-negative integer expected but "${text}" found` : limit.error;
  runtime.logs.panic(`invalid message_size_limit: ${why}`);
  return undefined;
}
