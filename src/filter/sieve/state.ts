/** What a Sieve script has done so far, and what it may use. */

import type { Text } from '../../safe/taint.ts';
import type { FilterRequest } from '../filter.ts';
import type { FilterAction, FilterNotice } from '../filter-outcome.ts';
import { SieveMessage } from './message.ts';
import type { SieveReader } from './reader.ts';

/** Octets and steps that one run may take. A script that wants more is at an end. */
const mostWork = 50_000_000;
const mostActions = 10_000;
const mostNotices = 100;
/** Blocks and tests within each other (RFC 5228 §2.10.5 wants 15 of each). */
const deepest = 100;

/** The options of the router, expanded. */
export interface SieveFacts {
  readonly userAddress: string | undefined;
  readonly subaddress: string | undefined;
  readonly vacationDirectory: Text | undefined;
  readonly enotifyMailtoOwner: string | undefined;
}

export class SieveState {
  readonly request: FilterRequest;
  readonly reader: SieveReader;
  readonly facts: SieveFacts;
  readonly message: SieveMessage;
  readonly capabilities = new Set<string>();
  readonly actions: FilterAction[] = [];
  readonly notices: FilterNotice[] = [];
  /** The message goes to `inbox` when nothing else is said (RFC 5228 §2.10.2). */
  keeps = true;
  vacationRan = false;
  readonly #done = new Set<string>();
  #work = 0;
  #depth = 0;

  constructor(request: FilterRequest, reader: SieveReader, facts: SieveFacts) {
    this.request = request;
    this.reader = reader;
    this.facts = facts;
    this.message = new SieveMessage(request.context, (octets) => this.spend(octets));
  }

  /** @throws SieveMistake */
  require(capability: string): void {
    if (this.capabilities.has(capability)) return;
    throw this.reader.mistake(`missing previous require "${capability}";`);
  }

  /** Counts work. @throws SieveMistake */
  spend(steps: number): void {
    this.#work += steps;
    if (this.#work > mostWork) throw this.reader.mistake('the script takes too much work');
  }

  /** Does something that is one level deeper. @throws SieveMistake */
  deeper<T>(act: () => T): T {
    if (++this.#depth > deepest) throw this.reader.mistake('nested too deeply');
    try {
      return act();
    } finally {
      this.#depth--;
    }
  }

  /** Adds a delivery, unless it was asked for already. @throws SieveMistake */
  deliver(command: 'fileinto' | 'redirect', target: string, action: FilterAction): void {
    const what = `${command} \`${target}'`;
    if (this.#done.has(what)) {
      this.explain(`Repeated ${what} ignored.`);
      return;
    }
    if (this.actions.length >= mostActions) throw this.reader.mistake('too many actions');
    this.explain(what);
    this.#done.add(what);
    this.actions.push(action);
  }

  /** Adds a notice, unless it is there already. @throws SieveMistake */
  notify(notice: FilterNotice): void {
    if (this.notices.some(({ text }) => text === notice.text)) return;
    if (this.notices.length >= mostNotices) throw this.reader.mistake('too many actions');
    this.notices.push(notice);
  }

  /** Whether somebody listens to `explain`, for what is costly to say. */
  get isExplained(): boolean {
    return this.request.test?.explain !== undefined;
  }

  /** Says what happens, in a test with `-v`. */
  explain(line: string): void {
    this.request.test?.explain?.(`${line}\n`);
  }
}
