/** Queue runs at an interval, within this process (Exim spec 5: -q<time>; 14: queue_run_max). */

import { errorText } from '../lib/errno.ts';
import { parseOptionInteger } from '../lib/sizes.ts';
import type { DeliveryTools } from '../mta/attempt.ts';
import { type QueueRun, runQueue } from '../mta/queue-runner.ts';
import { newContext } from '../mta/runtime.ts';

export class QueueRuns {
  readonly #tools: DeliveryTools;
  readonly #options: QueueRun;
  readonly #stop = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  #running = 0;

  /** Begins the first run at once. `interval` in seconds. */
  constructor(interval: number, options: QueueRun, tools: DeliveryTools) {
    this.#tools = tools;
    this.#options = options;
    this.#timer = setInterval(() => void this.run(), interval * 1000);
    void this.run();
  }

  /** One run, unless enough of them go on already. */
  async run(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    const most = await this.#most();
    if (most > 0 && this.#running >= most) return;
    this.#running++;
    try {
      await runQueue(this.#options, this.#tools, this.#stop.signal);
    } catch (error) {
      this.#tools.runtime.logs.panic(`queue run failed: ${errorText(error)}`);
    } finally {
      this.#running--;
    }
  }

  async #most(): Promise<number> {
    const { runtime } = this.#tools;
    const template = runtime.config.main.queue_run_max;
    const expansion = await template.expand(newContext(runtime));
    const number = expansion.ok ? parseOptionInteger(expansion.text.value) : undefined;
    if (number === undefined) runtime.logs.panic(`queue_run_max "${template.source}" is not a number`);
    return number ?? 5;
  }

  /** No further run begins, and those that go on end behind the message they are at. */
  close(): void {
    clearInterval(this.#timer);
    this.#stop.abort();
  }
}
