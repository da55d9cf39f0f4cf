/** The actions that show how the server decides, and change nothing (Exim spec 14, commandline_checks_require_admin). */

import type { Action } from './invocation.ts';

export const checks: ReadonlySet<Action> = new Set<Action>([
  'expand',
  'fake smtp',
  'test address',
  'test filter',
  'test retry',
  'test rewrite',
  'verify recipient',
  'verify sender',
]);
