/** Which connections are served: limits on their number and on the load (Exim spec 14: smtp_accept_max and its like). */

import { loadavg } from 'node:os';
import { newConnection } from '../expand/facts.ts';
import { parseOptionInteger } from '../lib/sizes.ts';
import { matchTemplate } from '../lists/option.ts';
import { newContext, type Runtime } from '../mta/runtime.ts';

/** Why a connection is not served: for the client, and for the log. */
export interface Turned {
  readonly reply: string;
  readonly log: string;
}

/** Connections that are being served, by the client's address. */
export class Admission {
  readonly #byHost = new Map<string, number>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  countOf(address: string): number {
    return this.#byHost.get(address) ?? 0;
  }

  /** Counts a connection; the answer gives it back. */
  enter(address: string): () => void {
    this.#count++;
    this.#byHost.set(address, (this.#byHost.get(address) ?? 0) + 1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#count--;
      const others = (this.#byHost.get(address) ?? 1) - 1;
      if (others > 0) this.#byHost.set(address, others);
      else this.#byHost.delete(address);
    };
  }

  /** Whether a connection that was counted is one too many. */
  async refusal(address: string, runtime: Runtime): Promise<Turned | undefined> {
    const { main } = runtime.config;
    const { smtp_accept_max: most, smtp_accept_reserve: reserve, smtp_load_reserve: loadLimit } = main;
    if (most > 0 && this.#count > most) {
      return {
        reply: '421 Too many concurrent SMTP connections; please try again later.',
        log: `Connection from [${address}] refused: too many connections`,
      };
    }
    const load = loadLimit === undefined || loadLimit < 0 ? 0 : (loadavg()[0] ?? 0);
    const reason =
      most > 0 && reserve > 0 && this.#count > most - reserve
        ? {
            said: 'Too many concurrent SMTP connections',
            why: ` not in reserve list: connected=${this.#count - 1} max=${most} reserve=${reserve}`,
          }
        : loadLimit !== undefined && loadLimit >= 0 && load * 1000 > loadLimit
          ? { said: 'Too much load', why: `: not in reserve list and load average = ${load.toFixed(2)}` }
          : undefined;
    if (reason !== undefined && !(await isReserved(address, runtime))) {
      return {
        reply: `421 ${runtime.settings.primaryHostname}: ${reason.said}; please try again later`,
        log: `temporarily refused connection from [${address}]${reason.why}`,
      };
    }
    const limit = await hostLimit(address, runtime);
    if (limit > 0 && (this.#byHost.get(address) ?? 0) > limit) {
      return {
        reply: '421 Too many concurrent SMTP connections from this IP address; please try again later.',
        log: `Connection from [${address}] refused: too many connections from that IP address`,
      };
    }
    return undefined;
  }
}

async function isReserved(address: string, runtime: Runtime): Promise<boolean> {
  const list = runtime.config.main.smtp_reserve_hosts;
  if (list === undefined) return false;
  const context = newContext(runtime);
  context.connection = newConnection(address, 0);
  return (await matchTemplate(list, address, context)).outcome === 'match';
}

async function hostLimit(address: string, runtime: Runtime): Promise<number> {
  const template = runtime.config.main.smtp_accept_max_per_host;
  if (template === undefined) return 0;
  const context = newContext(runtime);
  context.connection = newConnection(address, 0);
  const expansion = await template.expand(context);
  const limit = expansion.ok ? parseOptionInteger(expansion.text.value) : undefined;
  if (limit !== undefined) return limit;
  const why = expansion.ok ? `"${expansion.text.value}" is not a number` : expansion.message;
  runtime.logs.panic(`expansion of smtp_accept_max_per_host failed for [${address}]: ${why}`);
  return 0;
}
