/** The greatest size of a message (Exim spec 14, message_size_limit). */

import type { Context } from '../expand/context.ts';
import { parseInteger } from '../lib/sizes.ts';
import type { Runtime } from './runtime.ts';

/** How the log says that the limit cannot be told: of a session, and of a message of a local process. */
const complaints = {
  session: { expanding: 'unable to expand message_size_limit', value: 'invalid message_size_limit' },
  process: { expanding: 'failed to expand message_size_limit', value: 'invalid value for message_size_limit' },
} as const;

/** message_size_limit, in octets; 0 for none, nothing when it cannot be told, which is logged. */
export async function messageSizeLimit(
  runtime: Runtime,
  context: Context,
  of: keyof typeof complaints,
): Promise<number | undefined> {
  const expansion = await runtime.config.main.message_size_limit.expand(context);
  if (!expansion.ok) {
    runtime.logs.panic(`${complaints[of].expanding}: ${expansion.message}`);
    return undefined;
  }
  const text = expansion.text.value;
  const limit = text === '' ? { error: 'integer expected but "" found' } : parseInteger(text);
  if (typeof limit === 'bigint' && limit >= 0n) return Number(limit);
  const why = typeof limit === 'bigint' ? `non-negative integer expected but "${text}" found` : limit.error;
  runtime.logs.panic(`${complaints[of].value}: ${why}`);
  return undefined;
}
