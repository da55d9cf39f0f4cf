/** A configuration that was read: nothing in it changes any more. */

import type { Acl } from '../acl/acl.ts';
import type { AuthenticatorInstance } from '../authenticators/authenticator.ts';
import type { ListKind } from '../expand/context.ts';
import type { RouterInstance } from '../routers/router.ts';
import type { Clean } from '../safe/taint.ts';
import type { TransportInstance } from '../transports/transport.ts';
import type { Macro } from './macros.ts';
import type { MainOptions } from './main-options.ts';
import type { Place } from './problems.ts';
import type { RetryRule } from './retry-rules.ts';
import type { RewriteRule } from './rewrite-rules.ts';

export type Dialect = 3 | 4;

export interface NamedList {
  readonly kind: ListKind;
  readonly text: string;
  readonly hidden: boolean;
  readonly place: Place;
}

export interface Config {
  readonly file: Clean;
  /** Of which Exim the file is. One for Exim 3 was translated; what is shown and logged keeps its form. */
  readonly dialect: Dialect;
  /** Routers that were directors in an Exim 3 file. */
  readonly directors: ReadonlySet<string>;
  readonly main: MainOptions;
  /** Names of main options that the file sets, and of those that it hides. */
  readonly mainSet: ReadonlySet<string>;
  readonly mainHidden: ReadonlySet<string>;
  /** By kind and name. */
  readonly namedLists: Readonly<Record<ListKind, ReadonlyMap<string, NamedList>>>;
  readonly acls: ReadonlyMap<string, Acl>;
  readonly routers: readonly RouterInstance[];
  readonly transports: ReadonlyMap<string, TransportInstance>;
  readonly authenticators: readonly AuthenticatorInstance[];
  readonly retryRules: readonly RetryRule[];
  readonly rewriteRules: readonly RewriteRule[];
  /** The `headers_rewrite` of transports, by their names. */
  readonly transportRewriteRules: ReadonlyMap<string, readonly RewriteRule[]>;
  /** For `-bP macros`. */
  readonly macros: readonly Macro[];
  /** Logical lines as they were read, for `-bP config`. */
  readonly lines: readonly string[];
}
