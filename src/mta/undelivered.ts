/** Addresses that could not be delivered, as reports and the queue see them. */

import type { Host } from '../routers/router.ts';
import type { RouteAddress } from './address.ts';

export interface UndeliveredAddress {
  readonly address: RouteAddress;
  /** As log lines show it, if there is no target. */
  readonly shown: string;
  /** The file or command that redirection named, or the letter of a filter. */
  readonly target: { readonly kind: 'file' | 'pipe' | 'reply'; readonly text: string } | undefined;
  readonly router: string | undefined;
  readonly transport: string | undefined;
  readonly code: number;
  /** For the log. */
  readonly message: string;
  /** For the sender. */
  readonly publicMessage: string;
  /** What a command printed. */
  readonly output: string | undefined;
  /** The host that refused. */
  readonly host: Host | undefined;
  readonly freeze: boolean;
  /** The configuration is at fault: for the panic log, too. */
  readonly panic: boolean;
  /** Who is told. */
  readonly errorsTo: string;
  /** The next attempt is due to its retry time. */
  readonly waiting: boolean;
  /** Nothing of it is logged (disable_logging of the router whose routing failed). */
  readonly unlogged?: boolean | undefined;
  /** Its domain is held. */
  readonly held?: boolean | undefined;
}
