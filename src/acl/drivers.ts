/** What can stand in an ACL: all conditions and modifiers by name. `acl` itself is part of running one. */

import type { ClauseDriver } from './acl.ts';
import { condition } from './conditions/condition.ts';
import { dkimConditions } from './conditions/dkim.ts';
import { dmarcStatus } from './conditions/dmarc.ts';
import { dnslists } from './conditions/dnslists.ts';
import { listConditions } from './conditions/lists.ts';
import { malware } from './conditions/malware.ts';
import { mimeConditions } from './conditions/mime.ts';
import { ratelimit } from './conditions/ratelimit.ts';
import { regex } from './conditions/regex.ts';
import { seen } from './conditions/seen.ts';
import { spam } from './conditions/spam.ts';
import { spfConditions } from './conditions/spf.ts';
import { verify } from './conditions/verify.ts';
import { actionModifiers } from './modifiers/actions.ts';
import { control } from './modifiers/control.ts';
import { messageModifiers } from './modifiers/messages.ts';
import { udpsend } from './modifiers/udpsend.ts';

const all: readonly ClauseDriver[] = [
  condition,
  ...listConditions,
  verify,
  dnslists,
  ratelimit,
  seen,
  regex,
  spam,
  malware,
  ...dkimConditions,
  ...spfConditions,
  dmarcStatus,
  ...mimeConditions,
  udpsend,
  ...actionModifiers,
  control,
  ...messageModifiers,
];

export const clauseDrivers: ReadonlyMap<string, ClauseDriver> = new Map(all.map((driver) => [driver.name, driver]));
