/**
 * The contract of callouts (Exim spec 44.46): a transport says which hosts it would deliver to and opens sessions with
 * them; what is asked there and what the answers mean is for those who verify.
 */

import type { Eventual } from '../lib/eventual.ts';
import type { ConnectionServices } from './remote-services.ts';
import type { OpenConnection } from './smtp-connection.ts';
import type { Verdict } from './smtp-failure.ts';
import type { KeptConnection } from './smtp-kept.ts';
import type { ReachableHost } from './smtp-run.ts';
import type { ConnectionRequest } from './transport.ts';

export interface CalloutRequest extends ConnectionRequest {
  /** Seconds for each answer, and for the connection. */
  readonly timeout: number;
  readonly connectTimeout: number;
}

/** A session that has been introduced, and what its MAIL commands need. */
export type CalloutConnection = OpenConnection;

export interface CalloutTarget {
  /** In the order in which they are asked; none when the transport has none. */
  readonly hosts: readonly ReachableHost[];
  open(host: ReachableHost): Promise<CalloutConnection | Verdict>;
  /** Says goodbye; the answer is not waited for. */
  close(host: ReachableHost, connection: CalloutConnection): Promise<void>;
  /** Makes a connection one that the delivery may use. */
  hold(host: ReachableHost, connection: CalloutConnection): Promise<KeptConnection>;
}

/** Why there is nobody to ask; the log has been told. */
export interface NoCallout {
  readonly unusable: true;
}

export type CalloutMaker = (
  request: CalloutRequest,
  services: ConnectionServices,
) => Eventual<CalloutTarget | NoCallout>;
