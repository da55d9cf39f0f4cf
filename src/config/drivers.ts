/** THE list of the drivers a configuration can name: routers, transports and authenticators. */

import { authenticators as allAuthenticators } from '../authenticators/drivers.ts';
import { accept } from '../routers/accept.ts';
import { dnslookup } from '../routers/dnslookup.ts';
import { ipliteral } from '../routers/ipliteral.ts';
import { iplookup } from '../routers/iplookup.ts';
import { manualroute } from '../routers/manualroute.ts';
import { queryprogram } from '../routers/queryprogram.ts';
import { redirect } from '../routers/redirect.ts';
import { appendfile } from '../transports/appendfile.ts';
import { autoreply } from '../transports/autoreply.ts';
import { lmtp } from '../transports/lmtp.ts';
import { pipe } from '../transports/pipe.ts';
import { smtp } from '../transports/smtp.ts';

function byName<T extends { readonly name: string }>(drivers: readonly T[]): ReadonlyMap<string, T> {
  return new Map(drivers.map((driver) => [driver.name, driver]));
}

export const routers = byName([accept, dnslookup, ipliteral, iplookup, manualroute, queryprogram, redirect]);
export const transports = byName([appendfile, autoreply, lmtp, pipe, smtp]);
export const authenticators = byName(allAuthenticators);
