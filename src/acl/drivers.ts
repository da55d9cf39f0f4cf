/** What can stand in an ACL: all conditions and modifiers by name. `acl` itself is part of running one. */

import type { ClauseDriver } from './acl.ts';
import { condition } from './conditions/condition.ts';
import { dnslists } from './conditions/dnslists.ts';
import { listConditions } from './conditions/lists.ts';
import { ratelimit } from './conditions/ratelimit.ts';
import { seen } from './conditions/seen.ts';
import { verify } from './conditions/verify.ts';
import { actionModifiers } from './modifiers/actions.ts';
import { control } from './modifiers/control.ts';
import { messageModifiers } from './modifiers/messages.ts';

const all: readonly ClauseDriver[] = [
  condition,
  ...listConditions,
  verify,
  dnslists,
  ratelimit,
  seen,
  ...actionModifiers,
  control,
  ...messageModifiers,
];

export const clauseDrivers: ReadonlyMap<string, ClauseDriver> = new Map(all.map((driver) => [driver.name, driver]));
