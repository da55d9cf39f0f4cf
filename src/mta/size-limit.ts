/** The greatest size of a message (Exim spec 14, message_size_limit). */

import type { Context } from '../expand/context.ts';
import { parseOptionInteger } from '../lib/sizes.ts';
import type { Runtime } from './runtime.ts';

/** message_size_limit, in octets; 0 for none. */
export async function messageSizeLimit(runtime: Runtime, context: Context): Promise<number> {
  const template = runtime.config.main.message_size_limit;
  const expansion = await template.expand(context);
  const limit = expansion.ok ? parseOptionInteger(expansion.text.value) : undefined;
  if (limit === undefined) {
    runtime.logs.panic(
      `unable to expand message_size_limit: ${expansion.ok ? `"${expansion.text.value}" is not a number` : expansion.message}`,
    );
  }
  return limit ?? 0;
}
