/**
 * The daemon: listens, runs the queue, and obeys signals (Exim spec 5: -bd, -q<time>). One process receives and
 * delivers; started by root it gives its rights up (`safe/privileges.ts`) when it listens.
 */

import * as clock from '../lib/clock.ts';
import { errorText } from '../lib/errno.ts';
import { formatInterval } from '../lib/intervals.ts';
import { Mailboxes } from '../mta/mailboxes.ts';
import type { QueueRun } from '../mta/queue-runner.ts';
import type { Runtime } from '../mta/runtime.ts';
import type { SelfCommand } from '../mta/user-process.ts';
import type { Listener, Taken } from '../net/listen.ts';
import { workAs } from '../safe/privileges.ts';
import type { Clean } from '../safe/taint.ts';
import { Admission } from './admission.ts';
import { House } from './house.ts';
import { describeInterfaces, type Interface, interfacesOf, pop3InterfacesOf } from './interfaces.ts';
import { takeAll, takeGiven } from './listeners.ts';
import { removePidFile, writePidFile } from './pid-file.ts';
import { QueueRuns } from './queue-runs.ts';

/** Milliseconds. */
const day = 24 * 3600_000;

export interface DaemonSettings {
  readonly self: SelfCommand;
  /** What the log says is started: name and version. */
  readonly title: string;
  /** Whether it takes connections. */
  readonly listens: boolean;
  /** It takes the connections of the listening socket that is its standard input; seconds without any until it ends. */
  readonly inetdWait: { readonly patience: number | undefined } | undefined;
  /** `-oX` */
  readonly interfaces: string | undefined;
  /** Where its process id is written; nothing for nowhere. */
  readonly pidFile: (runtime: Runtime) => Clean | undefined;
  /** Seconds between queue runs; nothing for none. */
  readonly queueInterval: number | undefined;
  readonly queueRun: QueueRun;
  /** TLS begins with the connection, on every port. */
  readonly tlsOnConnect: boolean;
  readonly delivery: 'at once' | 'local only' | 'queue';
  /** Reads the configuration again; reports what is wrong with it and answers nothing when it cannot be used. */
  reload(report: (text: string) => void): Promise<Runtime | undefined>;
  startQueueRun(recipient: string, queue: Clean): void;
  /** Called when everything is in place. */
  started(interfaces: readonly Interface[], pop3Interfaces: readonly Interface[]): void;
}

export class Daemon {
  readonly #settings: DaemonSettings;
  readonly #admission = new Admission();
  readonly #pop3Admission = new Admission();
  readonly #mailboxes: Mailboxes;
  #house: House;
  #listeners: Listener[] = [];
  #pop3Listeners: Listener[] = [];
  #runs: QueueRuns | undefined;
  #pidFile: Clean | undefined;
  #ended: (() => void) | undefined;
  #isEnding = false;
  /** Ends the daemon when nothing comes for a while (`-bw`). */
  #quiet: ReturnType<typeof setTimeout> | undefined;
  #reloading: Promise<void> = Promise.resolve();

  constructor(runtime: Runtime, settings: DaemonSettings) {
    this.#settings = settings;
    this.#mailboxes = new Mailboxes(settings.self);
    this.#house = this.#newHouse(runtime);
  }

  #newHouse(runtime: Runtime): House {
    const { self, delivery, startQueueRun, tlsOnConnect } = this.#settings;
    return new House({
      runtime,
      self,
      admission: this.#admission,
      pop3Admission: this.#pop3Admission,
      mailboxes: this.#mailboxes,
      delivery,
      startQueueRun,
      tlsOnConnect,
    });
  }

  readonly #take = (taken: Taken): void => {
    this.#quiet?.refresh();
    const { config, logs } = this.#house.runtime;
    const { smtp_backlog_monitor: most } = config.main;
    const backlog = most > 0 ? taken.backlog() : undefined;
    if (backlog !== undefined && backlog > most) {
      logs.main(`listen backlog ${backlog} I=[${taken.ownAddress}]:${taken.ownPort}`);
    }
    this.#house.take(taken);
  };
  readonly #takePop3 = (taken: Taken): void => this.#house.pop3.take(taken);

  /** Runs until it is told to end. @throws BadInterface, CannotListen */
  async run(): Promise<void> {
    const { runtime } = this.#house;
    const { listens, interfaces, started, inetdWait } = this.#settings;
    if (inetdWait === undefined) {
      const places = listens ? interfacesOf(runtime.config, interfaces) : [];
      this.#listeners = await takeAll(places, runtime, this.#take);
      this.#pop3Listeners = await takeAll(listens ? pop3InterfacesOf(runtime.config) : [], runtime, this.#takePop3);
    } else {
      this.#listeners = [await takeGiven(runtime, this.#take)];
      const { patience } = inetdWait;
      if (patience !== undefined) this.#quiet = setTimeout(this.#onQuiet, patience * 1000);
    }
    const taken = this.#listeners.map((listener) => listener.settings);
    runtime.spool.prepare();
    this.#pidFile = this.#settings.pidFile(runtime);
    if (this.#pidFile !== undefined) writePidFile(this.#pidFile, (text) => runtime.logs.panic(text));
    runtime.logs.prepare();
    workAs(runtime.user.uid, runtime.user.gid);
    this.#tellOfStart(runtime);
    this.#startRuns();
    started(
      taken,
      this.#pop3Listeners.map((listener) => listener.settings),
    );
    void this.#tidy();
    const tidying = setInterval(() => void this.#tidy(), day);
    const end = new Promise<void>((resolve) => {
      this.#ended = resolve;
    });
    process.on('unhandledRejection', this.#onSurprise);
    process.on('SIGHUP', this.#onHangup);
    process.on('SIGTERM', this.#onEnd);
    process.on('SIGINT', this.#onEnd);
    await end;
    clearInterval(tidying);
  }

  async #tidy(): Promise<void> {
    const { spool, logs } = this.#house.runtime;
    try {
      await spool.tidy(clock.now());
    } catch (error) {
      logs.panic(`failed to tidy the spool: ${errorText(error)}`);
    }
  }

  #startRuns(): void {
    const { queueInterval, queueRun } = this.#settings;
    this.#runs?.close();
    if (queueInterval !== undefined) this.#runs = new QueueRuns(queueInterval, queueRun, this.#house.deliveries);
  }

  /** A mistake of ours that nobody else has caught: it is told, and the others' mail goes on. */
  readonly #onSurprise = (error: unknown): void => {
    const stack = error instanceof Error ? error.stack : errorText(error);
    this.#house.runtime.logs.panic(`unexpected error: ${stack}`);
  };

  /** One after the other, so that no reading of the configuration is left over. */
  readonly #onHangup = (): void => {
    this.#reloading = this.#reloading.then(() => this.#reload());
  };

  /** Takes a changed configuration over. The old one stays in force when the new one cannot be used. */
  async #reload(): Promise<void> {
    if (this.#isEnding) return;
    const old = this.#house;
    old.runtime.logs.main(`pid ${process.pid}: SIGHUP received: re-exec daemon`);
    try {
      let told = '';
      const runtime = await this.#settings.reload((text) => {
        told += text;
      });
      if (runtime === undefined) {
        const mistakes = told === '' ? 'it has mistakes' : told.replace(/\n+$/, '').replaceAll('\n', ' ');
        old.runtime.logs.panic(`the configuration was not taken over: ${mistakes}`);
        return;
      }
      if (this.#isEnding) return;
      await this.#relisten(runtime);
      this.#house = this.#newHouse(runtime);
      this.#startRuns();
      this.#tellOfStart(runtime);
      // sessions may last long; the next reload need not wait for them
      void old.close('let go on');
    } catch (error) {
      this.#house.runtime.logs.panic(`the configuration was not taken over: ${errorText(error)}`);
    }
  }

  /** A daemon that listens does not name its queue, as Exim's does not. */
  #tellOfStart(runtime: Runtime): void {
    const { title, queueInterval: interval, listens, inetdWait } = this.#settings;
    const start = `${title} daemon started: pid=${process.pid}`;
    if (inetdWait !== undefined) {
      const { patience } = inetdWait;
      const end = patience === undefined ? 'with no wait timeout' : `terminating after ${patience} seconds`;
      runtime.logs.main(`${start}, launched with listening socket, ${end}`);
      return;
    }
    const { queue } = runtime.spool;
    const named = listens || queue === '' ? '' : `G${queue}/`;
    const runs = interval === undefined ? 'no queue runs' : `-q${named}${formatInterval(interval)}`;
    const taken = this.#listeners.map((listener) => listener.settings);
    const listening = listens ? `listening for SMTP on ${describeInterfaces(taken)}` : 'not listening for SMTP';
    runtime.logs.main(`${start}, ${runs}, ${listening}`);
    this.#tellOfPop3(runtime);
  }

  #tellOfPop3({ logs }: Runtime): void {
    const places = this.#pop3Listeners.map((listener) => listener.settings);
    if (places.length > 0) logs.main(`listening for POP3 on ${describeInterfaces(places)}`);
  }

  async #relisten(runtime: Runtime): Promise<void> {
    if (!this.#settings.listens || this.#settings.inetdWait !== undefined) return;
    const { config } = runtime;
    const smtp = interfacesOf(config, this.#settings.interfaces);
    const pop3 = pop3InterfacesOf(config);
    this.#listeners = await moved(this.#listeners, smtp, runtime, this.#take);
    this.#pop3Listeners = await moved(this.#pop3Listeners, pop3, runtime, this.#takePop3);
  }

  readonly #onQuiet = (): void => {
    this.#house.runtime.logs.main(`${this.#settings.title} daemon terminating, inetd wait timeout reached.`);
    this.#onEnd();
  };

  readonly #onEnd = (): void => {
    clearTimeout(this.#quiet);
    process.off('SIGTERM', this.#onEnd).off('SIGINT', this.#onEnd).off('SIGHUP', this.#onHangup);
    this.#isEnding = true;
    void this.#reloading.then(() => this.#end());
  };

  async #end(): Promise<void> {
    for (const listener of [...this.#listeners, ...this.#pop3Listeners]) listener.close();
    this.#runs?.close();
    if (this.#pidFile !== undefined) removePidFile(this.#pidFile);
    await this.#house.close('close');
    this.#mailboxes.close();
    this.#ended?.();
  }
}

/** Keeps the listeners that are still wanted, takes new ones, and closes the others. */
async function moved(
  listeners: readonly Listener[],
  wanted: readonly Interface[],
  runtime: Runtime,
  take: (taken: Taken) => void,
): Promise<Listener[]> {
  const same = (one: Interface, other: Interface): boolean => one.address === other.address && one.port === other.port;
  const kept = listeners.filter(({ settings }) => wanted.some((place) => same(place, settings)));
  const missing = wanted.filter((place) => !kept.some(({ settings }) => same(place, settings)));
  // the old configuration is at work, so there is nothing to wait for
  const added = await takeAll(missing, runtime, take, 0);
  for (const listener of listeners) if (!kept.includes(listener)) listener.close();
  return [...kept, ...added];
}
