/**
 * One queue run: every message of the queue, or those that are asked for, gets a delivery attempt, one after the other
 * (Exim spec 3.12, 5 -q, -R, -S). The daemon calls this as well as the command line. Memory does not grow with what the
 * messages hold, and hardly with their number.
 */

import { loadavg } from 'node:os';
import { errorCode } from '../lib/errno.ts';
import { lower } from '../lib/octets.ts';
import { type Regex, RegexLimit, RegexSyntaxError, regex } from '../lib/regex.ts';
import type { QueueId } from '../safe/taint.ts';
import type { Envelope } from '../spool/envelope.ts';
import { DamagedSpoolFile } from '../spool/format.ts';
import { IdList } from '../spool/id-list.ts';
import { type DeliveryTools, ordinary } from './attempt.ts';
import { deliver } from './deliver.ts';
import { isFinished } from './finished.ts';
import { openQueued } from './open-queued.ts';
import type { Runtime } from './runtime.ts';

/** What recipients or senders must contain, whatever the case of letters. */
export interface Selection {
  readonly text: string;
  readonly isRegex: boolean;
}

export interface QueueRun {
  /** First a run that makes local deliveries only and routes the rest, then one for everything. */
  readonly twoStages: boolean;
  /** Only messages that were never tried before. */
  readonly firstDeliveriesOnly: boolean;
  /** Whatever the retry times say. */
  readonly force: boolean;
  /** Frozen messages, too; they are thawed. */
  readonly forceFrozen: boolean;
  readonly localOnly: boolean;
  /** Without `force`, the first message that is selected is forced, to see whether deliveries work again. */
  readonly recipient: Selection | undefined;
  readonly sender: Selection | undefined;
  /** Messages whose ids come before or after these are left out. */
  readonly firstId?: string | undefined;
  readonly lastId?: string | undefined;
  /** Nothing is handed to a transport, but everything is done as if it had been (`-N`). */
  readonly dontDeliver?: boolean | undefined;
}

/** A selection is no regular expression. */
export class BadSelection extends Error {}

type Test = (address: string) => boolean;

function testOf(selection: Selection | undefined): Test | undefined {
  if (selection === undefined) return undefined;
  if (selection.isRegex) return expressionTest(selection.text);
  const wanted = lower(selection.text);
  return (address) => wanted !== '' && lower(address).includes(wanted);
}

function expressionTest(pattern: string): Test {
  let expression: Regex;
  try {
    expression = regex(pattern, { caseless: true });
  } catch (error) {
    if (!(error instanceof RegexSyntaxError)) throw error;
    throw new BadSelection(
      `regular expression error: ${error.message} at offset ${error.offset} while compiling ${pattern}`,
    );
  }
  return (address) => {
    try {
      return expression.test(address);
    } catch (error) {
      if (error instanceof RegexLimit) return false;
      throw error;
    }
  };
}

/** How the options are shown in log lines: ` -qqif -R text`. */
export function describeRun(run: QueueRun): string {
  const force = run.forceFrozen ? 'ff' : run.force ? 'f' : '';
  const flags = `${run.twoStages ? 'q' : ''}${run.firstDeliveriesOnly ? 'i' : ''}${force}${run.localOnly ? 'l' : ''}`;
  const shown = (letter: string, selection: Selection | undefined): string =>
    selection === undefined ? '' : ` -${letter}${selection.isRegex ? 'r' : ''} ${selection.text}`;
  return `${flags === '' ? '' : ` -q${flags}`}${shown('R', run.recipient)}${shown('S', run.sender)}`;
}

/**
 * Runs the queue; returns when it is done, when the machine is too busy (deliver_queue_load_max), or between two
 * messages when `signal` says so. @throws BadSelection
 */
export async function runQueue(run: QueueRun, tools: DeliveryTools, signal?: AbortSignal): Promise<void> {
  const { logs, spool } = tools.runtime;
  const name = `${spool.queue === '' ? '' : `'${spool.queue}' `}queue run: pid=${process.pid}${describeRun(run)}`;
  const tell = (text: string): void => {
    if (logs.selects('queue_run')) logs.main(text);
  };
  tell(`Start ${name}`);
  try {
    for (const stage of run.twoStages ? firstAndSecond(run) : [run]) {
      if (!(await scan(stage, tools, signal, (load) => tell(`Abandon ${name} ${load}`)))) break;
    }
  } catch (error) {
    if (error instanceof BadSelection) logs.panic(error.message);
    throw error;
  }
  tell(`End ${name}`);
}

/** What the first stage tried is no first delivery any more, so the second takes all messages. */
function firstAndSecond(run: QueueRun): Stage[] {
  return [
    { ...run, localOnly: true, firstStage: true },
    { ...run, firstDeliveriesOnly: false },
  ];
}

interface Stage extends QueueRun {
  readonly firstStage?: boolean;
}

/** One pass over the queue; false when it broke off. */
async function scan(
  run: Stage,
  tools: DeliveryTools,
  signal: AbortSignal | undefined,
  tellOfLoad: (load: string) => void,
): Promise<boolean> {
  const {
    runtime,
    runtime: { config },
  } = tools;
  const chosen = new Chooser(run, runtime);
  const ids = new IdList(inRange(run, runtime.spool.ids()));
  for (const id of config.main.queue_run_in_order ? ids.sort() : ids.shuffle()) {
    if (signal?.aborted) return false;
    const busy = run.force ? undefined : tooBusy(config.main.deliver_queue_load_max);
    if (busy !== undefined) {
      tellOfLoad(busy);
      return false;
    }
    if (!chosen.takes(id)) continue;
    const message = openQueued(id, { tellOfMissing: false }, runtime);
    if (message === undefined) continue;
    if (run.dontDeliver) message.envelope.facts.dontDeliver = true;
    const force = run.force || chosen.isFirst;
    const { forceFrozen: thaw, localOnly, firstStage } = run;
    await deliver(message, { ...ordinary, queueRun: true, force, thaw, localOnly, firstStage }, tools);
  }
  return true;
}

function* inRange({ firstId, lastId }: QueueRun, ids: Iterable<QueueId>): Generator<QueueId> {
  for (const id of ids) {
    if (firstId !== undefined && id < firstId) continue;
    if (lastId !== undefined && id > lastId) continue;
    yield id;
  }
}

/** The load average and its limit (in thousandths) as the log shows them; nothing when the machine has time. */
export function tooBusy(limit: number | undefined, load = loadavg()[0] ?? 0): string | undefined {
  if (limit === undefined) return undefined;
  return load * 1000 > limit ? `(load ${load.toFixed(2)}, max ${(limit / 1000).toFixed(2)})` : undefined;
}

/**
 * Says which messages a run is for. When all are wanted none is read twice; else the envelope is read without its
 * lock, so that messages that are not wanted are not disturbed.
 */
class Chooser {
  readonly #run: QueueRun;
  readonly #runtime: Runtime;
  readonly #recipient: Test | undefined;
  readonly #sender: Test | undefined;
  #selected = 0;

  constructor(run: QueueRun, runtime: Runtime) {
    this.#run = run;
    this.#runtime = runtime;
    this.#recipient = testOf(run.recipient);
    this.#sender = testOf(run.sender);
  }

  get #selects(): boolean {
    return this.#recipient !== undefined || this.#sender !== undefined;
  }

  /** Whether the message taken last is the first that was selected by its addresses. */
  get isFirst(): boolean {
    return this.#selects && this.#selected === 1;
  }

  takes(id: QueueId): boolean {
    if (!this.#run.firstDeliveriesOnly && !this.#selects) return true;
    const envelope = this.#read(id);
    if (envelope === undefined || !this.#mayBeTouched(envelope) || !this.#isWanted(envelope)) return false;
    this.#selected++;
    return true;
  }

  /** A message that cannot be read is not selected; an ordinary run tells of it. */
  #read(id: QueueId): Envelope | undefined {
    try {
      return this.#runtime.spool.read(id);
    } catch (error) {
      if (error instanceof DamagedSpoolFile || errorCode(error) !== undefined) return undefined;
      throw error;
    }
  }

  #mayBeTouched({ facts }: Envelope): boolean {
    if (facts.frozen === undefined || this.#run.forceFrozen) return true;
    const { logs } = this.#runtime;
    // Exim names no message here, and programs that read its logs know the line so
    if (logs.selects('skip_delivery')) logs.main('Message is frozen');
    return false;
  }

  #isWanted(envelope: Envelope): boolean {
    const { facts, sender, recipients } = envelope;
    if (this.#run.firstDeliveriesOnly && !facts.deliverFirstTime) return false;
    if (this.#sender !== undefined && !this.#sender(sender)) return false;
    const recipient = this.#recipient;
    if (recipient === undefined) return true;
    return recipients.some(({ address }) => !isFinished(address, envelope) && recipient(address));
  }
}
