/**
 * Everything of the daemon that belongs to one reading of the configuration: sessions, deliveries and queue runs. After
 * SIGHUP a new one takes over, and the old one ends when its last session and delivery have ended.
 */

import type { Socket } from 'node:net';
import { newConnection } from '../expand/facts.ts';
import { errorText } from '../lib/errno.ts';
import type { DeliveryTools } from '../mta/attempt.ts';
import { closeDeliveryTools, makeDeliveryTools } from '../mta/delivery-tools.ts';
import { etrnRunner } from '../mta/etrn.ts';
import type { Mailboxes } from '../mta/mailboxes.ts';
import type { Client, ReceptionTools } from '../mta/receive/client.ts';
import { serve } from '../mta/receive/serve.ts';
import { closeRuntime, type Runtime } from '../mta/runtime.ts';
import type { SelfCommand } from '../mta/user-process.ts';
import { LineConnection } from '../net/line-connection.ts';
import type { Taken } from '../net/listen.ts';
import type { Admission } from './admission.ts';
import { DeliveryPool } from './delivery-pool.ts';
import { tlsPortsOf } from './interfaces.ts';
import { Pop3Sessions } from './pop3-sessions.ts';

export interface HouseSettings {
  readonly runtime: Runtime;
  readonly self: SelfCommand;
  readonly admission: Admission;
  readonly pop3Admission: Admission;
  readonly mailboxes: Mailboxes;
  /** `-tls-on-connect` */
  readonly tlsOnConnect: boolean;
  /** `-odq` or `-odqs`, as the daemon was started. */
  readonly delivery: 'at once' | 'local only' | 'queue';
  startQueueRun(recipient: string): void;
}

/** How long deliveries may go on when the daemon ends; what is not done then is done by the next queue run. */
const patience = 30_000;

export class House {
  readonly runtime: Runtime;
  readonly deliveries: DeliveryTools;
  readonly #settings: HouseSettings;
  readonly #pool: DeliveryPool;
  readonly pop3: Pop3Sessions;
  readonly #tlsPorts: ReadonlySet<number>;
  readonly #sessions = new Map<Promise<void>, Socket>();

  constructor(settings: HouseSettings) {
    this.#settings = settings;
    this.runtime = settings.runtime;
    this.#tlsPorts = tlsPortsOf(settings.runtime.config);
    this.deliveries = makeDeliveryTools(settings.runtime, settings.self);
    this.pop3 = new Pop3Sessions(settings.runtime, settings.pop3Admission, settings.mailboxes);
    this.#pool = new DeliveryPool(this.deliveries, settings.delivery === 'local only');
  }

  /** Serves a connection. */
  take(taken: Taken): void {
    const leave = this.#settings.admission.enter(taken.address);
    const session = this.#serve(taken)
      .catch((error: unknown) => {
        const stack = error instanceof Error ? error.stack : errorText(error);
        this.runtime.logs.panic(`unexpected error in the session with [${taken.address}]: ${stack}`);
        taken.socket.destroy();
      })
      .finally(() => {
        leave();
        this.#sessions.delete(session);
      });
    this.#sessions.set(session, taken.socket);
  }

  async #serve(taken: Taken): Promise<void> {
    const { admission } = this.#settings;
    const { address, port, socket } = taken;
    const turned = await admission.refusal(address, this.runtime);
    if (turned !== undefined) {
      if (this.runtime.logs.selects('connection_reject')) this.runtime.logs.main(turned.log);
      const lines = new LineConnection(socket, socket);
      lines.write(`${turned.reply}\r\n`);
      await lines.close();
      return;
    }
    const client: Client = {
      connection: {
        ...newConnection(address, port),
        interfaceAddress: taken.ownAddress,
        interfacePort: taken.ownPort,
        countAtStart: admission.count,
      },
      caller: undefined,
      isNetwork: true,
      originator: undefined,
      isBatch: false,
      beginsWithTls: this.#settings.tlsOnConnect || this.#tlsPorts.has(taken.ownPort),
      isTest: false,
      protocol: undefined,
      authenticatedSender: '',
      sender: undefined,
      suppressFixups: false,
      dontDeliver: false,
    };
    await serve(new LineConnection(socket, socket), client, this.#tools);
  }

  get #tools(): ReceptionTools {
    const { runtime, delivery, startQueueRun, admission } = this.#settings;
    const { smtp_accept_queue: queueAbove } = runtime.config.main;
    return {
      runtime,
      processes: this.deliveries.processes,
      holds: true,
      accepted: async (message, queueOnly, begun) => {
        const crowded = queueAbove > 0 && admission.count > queueAbove;
        if (queueOnly || crowded || delivery === 'queue') {
          begun?.connection.hangUp();
          await message.makeSafe();
          message.release();
        } else await this.#pool.add(message, begun);
      },
      ready: async () => undefined,
      etrn: etrnRunner(runtime, startQueueRun),
      remark: () => undefined,
    };
  }

  /** Ends: sessions that wait are closed, deliveries may come to their end. */
  async close(sessions: 'close' | 'let go on'): Promise<void> {
    if (sessions === 'close') {
      for (const socket of this.#sessions.values()) {
        const { primaryHostname } = this.runtime.settings;
        socket.end(`421 ${primaryHostname}: Service not available - closing connection\r\n`);
        socket.pause();
        socket.destroySoon();
      }
    }
    await this.pop3.close(sessions);
    await Promise.allSettled(this.#sessions.keys());
    await this.#pool.close(patience);
    closeDeliveryTools(this.deliveries);
    closeRuntime(this.runtime);
  }
}
