/** Where a session comes from, as those know it who opened it: the daemon, `-bs`, `-bS` or `-bh`. */

import type { ConnectionFacts } from '../../expand/context.ts';
import type { Clean } from '../../safe/taint.ts';
import type { SpooledMessage } from '../../spool/spooled-message.ts';
import type { BegunTransaction } from '../../transports/smtp-kept.ts';
import type { Submitter } from '../fixups.ts';
import type { Runtime } from '../runtime.ts';
import type { LocalDeliveries } from '../subprocess.ts';

export interface LocalCaller extends Submitter {
  readonly uid: number;
  readonly gid: number;
}

export interface Client {
  readonly connection: ConnectionFacts;
  /** The user whose messages these are (`-bs`, `-bS`); nothing for those of another host. */
  readonly caller: LocalCaller | undefined;
  /** Somebody on a network: nothing is forgiven, and the order of things is kept. */
  readonly isNetwork: boolean;
  /** Login name and ids of whoever brings messages that come from a host (`-oMa`); the server's own otherwise. */
  readonly originator: { readonly login: string; readonly uid: number; readonly gid: number } | undefined;
  /** `-bS`: commands of a batch, without answers. */
  readonly isBatch: boolean;
  /** TLS comes before anything is said (tls_on_connect_ports, `-tls-on-connect`). */
  readonly beginsWithTls?: boolean | undefined;
  /** `-bh`: nothing is accepted in earnest. */
  readonly isTest: boolean;
  /** `-bhc`: a test in which other hosts are asked all the same. */
  readonly makesCallouts?: boolean | undefined;
  /** What `-oMr` says; a greeting says it anew. */
  readonly protocol: string | undefined;
  /** What `-oMas` says. */
  readonly authenticatedSender: string;
  /** `-f`, when the caller may give it. */
  readonly sender: string | undefined;
  /** `-os`: seconds to wait for a command, instead of smtp_receive_timeout. */
  readonly timeout?: number | undefined;
  /** `-odq`: messages are only queued, whatever the load. */
  readonly queues?: boolean | undefined;
  readonly suppressFixups: boolean;
  readonly dontDeliver: boolean;
}

/** What receiving needs besides the client. */
export interface ReceptionTools {
  readonly runtime: Runtime;
  /** They work as other users. */
  readonly processes: LocalDeliveries;
  /** Whether small messages may be delivered before they are written to the spool. */
  readonly holds: boolean;
  /**
   * A message is locked by this process: it is to be delivered, or released when `queueOnly` is set. Resolves when it is
   * safe; only then is the client answered.
   */
  accepted(message: SpooledMessage, queueOnly: boolean, begun?: BegunTransaction): Promise<void>;
  /** Waits until another message may be taken. */
  ready(): Promise<void>;
  /** Runs a program or a queue run for ETRN; answers what went wrong. */
  etrn(argument: string, queue: Clean): Promise<string | undefined>;
  /** Lines that `-bh` shows besides the session. */
  remark(text: string): void;
}
