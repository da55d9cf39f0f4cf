/** What is collected while the text of a configuration is read. */

import type { Acl } from '../acl/acl.ts';
import type { AuthenticatorInstance } from '../authenticators/authenticator.ts';
import type { ListKind } from '../expand/context.ts';
import type { OptionReader } from '../options/read.ts';
import type { RouterInstance } from '../routers/router.ts';
import type { TransportInstance } from '../transports/transport.ts';
import type { NamedList } from './config.ts';
import type { Macros } from './macros.ts';
import type { mainOptions } from './main-options.ts';
import type { Problems } from './problems.ts';
import type { RetryRule } from './retry-rules.ts';
import type { RewriteRule } from './rewrite-rules.ts';
import type { LogicalLine, Source } from './source.ts';

export interface Draft {
  readonly source: Source;
  readonly problems: Problems;
  readonly macros: Macros;
  readonly main: OptionReader<typeof mainOptions>;
  readonly namedLists: Record<ListKind, Map<string, NamedList>>;
  readonly acls: Map<string, Acl>;
  readonly routers: RouterInstance[];
  readonly transports: Map<string, TransportInstance>;
  readonly authenticators: AuthenticatorInstance[];
  readonly retryRules: RetryRule[];
  readonly rewriteRules: RewriteRule[];
  readonly transportRewriteRules: Map<string, readonly RewriteRule[]>;
}

/** Takes the definition of a macro; answers whether the line is one. */
export function takeMacro(line: LogicalLine, macros: Macros, problems: Problems): boolean {
  if (!/^[A-Z][A-Za-z0-9_]*[ \t]*=/.test(line.text)) return false;
  const problem = macros.define(line.text, line.place);
  if (problem !== undefined) problems.error(problem, line.place);
  return true;
}
