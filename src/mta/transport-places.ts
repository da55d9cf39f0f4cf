/** How many runs of a transport go on at a time (Exim spec 24, max_parallel). */

import { parseOptionInteger } from '../lib/sizes.ts';
import { deferred, errorCodes, type TransportInstance, type Undelivered } from '../transports/transport.ts';
import type { Attempt } from './attempt.ts';
import { takePlace } from './limited-places.ts';

/** Takes a place for a run; answers how to give it back, or why there can be no run now. */
export async function placeFor(
  { name, common }: TransportInstance,
  { context, runtime }: Attempt,
): Promise<(() => void) | Undelivered> {
  const { max_parallel: template } = common;
  if (template === undefined) return () => undefined;
  const expansion = await template.expand(context);
  const most = expansion.ok ? parseOptionInteger(expansion.text.value) : undefined;
  if (most === undefined) {
    const why = expansion.ok ? `"${expansion.text.value}" is no number` : expansion.message;
    const message = `failed to expand max_parallel option in ${name} transport: ${why}`;
    return deferred(errorCodes.unknown, message, { panic: true });
  }
  if (most <= 0) return () => undefined;
  return (
    takePlace(runtime.places.spoolDirectory, `transport ${name}`, most) ??
    deferred(errorCodes.transportLimit, 'concurrency limit reached for transport')
  );
}
