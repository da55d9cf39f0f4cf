/** The POP3 sessions of one reading of the configuration: counted, bounded, and ended with the daemon. */

import type { Socket } from 'node:net';
import { newConnection } from '../expand/facts.ts';
import { errorText } from '../lib/errno.ts';
import type { Mailboxes } from '../mta/mailboxes.ts';
import type { Runtime } from '../mta/runtime.ts';
import { LineConnection } from '../net/line-connection.ts';
import type { Taken } from '../net/listen.ts';
import { FailedHosts } from '../pop3/failed-hosts.ts';
import { servePop3 } from '../pop3/serve.ts';
import type { Admission } from './admission.ts';
import { pop3TlsPorts } from './interfaces.ts';
import { SeldomTold } from './seldom-told.ts';

const full = 'too many connections';

export class Pop3Sessions {
  readonly #runtime: Runtime;
  readonly #admission: Admission;
  readonly #mailboxes: Mailboxes;
  readonly #failedHosts = new FailedHosts();
  readonly #refusals = new SeldomTold();
  readonly #tlsPorts: ReadonlySet<number>;
  readonly #sessions = new Map<Promise<void>, Socket>();

  /** `admission` counts these connections alone; it and the mailboxes are the same before and after a reload. */
  constructor(runtime: Runtime, admission: Admission, mailboxes: Mailboxes) {
    this.#runtime = runtime;
    this.#admission = admission;
    this.#mailboxes = mailboxes;
    this.#tlsPorts = pop3TlsPorts(runtime.config);
  }

  /** Serves a connection. */
  take(taken: Taken): void {
    const leave = this.#admission.enter(taken.address);
    const session = this.#serve(taken)
      .catch((error: unknown) => {
        const stack = error instanceof Error ? error.stack : errorText(error);
        this.#runtime.logs.panic(`unexpected error in the POP3 session with [${taken.address}]: ${stack}`);
        taken.socket.destroy();
      })
      .finally(() => {
        leave();
        this.#sessions.delete(session);
      });
    this.#sessions.set(session, taken.socket);
  }

  async #serve({ socket, address, port, ownAddress, ownPort }: Taken): Promise<void> {
    const beginsWithTls = this.#tlsPorts.has(ownPort);
    // the first octets are for the handshake, and must not be read as lines
    if (beginsWithTls) socket.pause();
    const lines = new LineConnection(socket, socket);
    const reason = this.#refusal(address);
    if (reason !== undefined) {
      this.#tellRefusal(address, reason);
      // a client that waits for TLS would not understand it
      if (!beginsWithTls) lines.write(`-ERR [SYS/TEMP] ${reason}\r\n`);
      await lines.close();
      return;
    }
    const connection = {
      ...newConnection(address, port),
      interfaceAddress: ownAddress,
      interfacePort: ownPort,
      countAtStart: this.#admission.count,
    };
    const tools = { runtime: this.#runtime, mailboxes: this.#mailboxes, failedHosts: this.#failedHosts };
    await servePop3(lines, connection, tools, beginsWithTls);
  }

  /** A flood of connections must not become one of log lines. */
  #tellRefusal(address: string, reason: string): void {
    if (!this.#runtime.logs.selects('connection_reject')) return;
    const end = this.#refusals.tell(reason === full ? reason : address);
    if (end !== undefined) this.#runtime.logs.main(`pop3 connection from [${address}] refused: ${reason}${end}`);
  }

  #refusal(address: string): string | undefined {
    const { pop3_accept_max: most, pop3_accept_max_per_host: mostPerHost } = this.#runtime.config.main;
    if (most > 0 && this.#admission.count > most) return full;
    if (mostPerHost > 0 && this.#admission.countOf(address) > mostPerHost) {
      return 'too many connections from that IP address';
    }
    return undefined;
  }

  /** Waits until the sessions have ended; those that wait for a command are closed when that is wanted. */
  async close(sessions: 'close' | 'let go on'): Promise<void> {
    if (sessions === 'close') for (const socket of this.#sessions.values()) socket.destroySoon();
    await Promise.allSettled(this.#sessions.keys());
  }
}
