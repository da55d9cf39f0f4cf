/**
 * exinext: what is remembered of an address, of a domain with the hosts that its mail goes to, or of a message, and when
 * it is tried again (Exim spec 54.10).
 */

import { readInstallation } from '../../config/installation.ts';
import { RetryHints, type RetryRecord } from '../../hints/retry-hints.ts';
import { errorNumberText, errorText } from '../../lib/errno.ts';
import { nobody } from '../../observe/decision.ts';
import { queueId } from '../../safe/taint.ts';
import { timeShower } from '../../tools/hints/opening.ts';
import type { Call } from '../call.ts';
import { callerOf } from '../caller.ts';
import { openRuntime } from '../open-runtime.ts';
import { parseCommandLine, UsageError } from '../options.ts';
import type { Terminal } from '../output.ts';
import type { Start } from '../start.ts';

const usage = 'Usage: exinext <address>|<domain>|<local-part>\n';

/** Has addresses routed, as `-bt` does; what it writes goes to the terminal of the call. */
export type RouteAddresses = (call: Call) => Promise<number>;

export async function exinext(start: Start, terminal: Terminal, route: RouteAddresses): Promise<number> {
  try {
    return await tell(start, terminal, route);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    terminal.error(`exinext: ${error.message}\n`);
    return 1;
  }
}

async function tell(start: Start, terminal: Terminal, route: RouteAddresses): Promise<number> {
  const asked = parseCommandLine(start.words);
  const [wanted] = asked.arguments;
  if (wanted === undefined) {
    terminal.error(usage);
    return 1;
  }
  const options = start.words.slice(0, start.words.length - asked.arguments.length);
  const words = [...options, '-bt', addressFor(wanted)];
  const invocation = parseCommandLine(words);
  const { installation } = readInstallation(start.directory);
  const runtime = await openRuntime(invocation, installation, terminal);
  if (runtime === undefined) return 1;
  let shown = '';
  const take = (text: string): void => {
    shown += text;
  };
  if (queueId(wanted) === undefined) {
    await route({
      invocation,
      words,
      installation,
      runtime,
      caller: await callerOf(runtime),
      terminal: { ...terminal, out: take, error: take },
      self: start.self,
      decisions: nobody,
      inBackground: () => undefined,
    });
  }
  const hosts = [...shown.matchAll(/^ {2}host (\S+) +\[([^\]]*)\]/gm)].map(
    ([, name, address]) => `T:${name}:${address}`,
  );
  if (queueId(wanted) === undefined && hosts.length === 0) {
    for (const line of shown.split('\n')) if (line.includes(' cannot be resolved ')) terminal.out(`${line}\n`);
    terminal.out(`No remote hosts found for ${wanted}\n`);
  }
  const hints = new RetryHints(runtime.places.spoolDirectory, undefined, (error) =>
    terminal.error(`${errorText(error)}\n`),
  );
  let isKnown = false;
  for (const [key, record] of hints.entries()) {
    const isOfHost = hosts.some((host) => key === host || key.startsWith(`${host}:`));
    if (!isOfHost && !key.slice(2).includes(wanted)) continue;
    isKnown = true;
    terminal.out(entry(key, record));
  }
  hints.close();
  if (!isKnown) terminal.out(`No retry data found for ${wanted}\n`);
  return 0;
}

/** An address that is routed as the domain is, whatever its local part. */
function addressFor(wanted: string): string {
  return wanted.includes('@') || !wanted.includes('.') ? wanted : `postmaster@${wanted}`;
}

const time = timeShower(false);

function entry(key: string, { code, message, firstFailed, lastTry, nextTry, expired }: RetryRecord): string {
  const what = key.startsWith('R:') ? 'Route' : 'Transport';
  const why = message || (code > 0 ? errorNumberText(code) : '');
  return `${what}: ${named(key.slice(2))} error ${code}: ${why}
  first failed: ${time(firstFailed)}
  last tried:   ${time(lastTry)}
  next try at:  ${time(nextTry)}
${expired ? '  past final cutoff time\n' : ''}`;
}

/** `host [1.2.3.4]:2525 ID`, or the address. */
function named(key: string): string {
  const end = key.lastIndexOf(':');
  const id = queueId(key.slice(end + 1));
  const found = /^([^:@]+):(\d+\.\d+\.\d+\.\d+|[0-9a-fA-F:]*:[0-9a-fA-F:]*)(:\d+)?$/.exec(
    id === undefined ? key : key.slice(0, end),
  );
  if (found === null) return key;
  const [, host = '', address = '', port = ''] = found;
  return `${host} [${address}]${port}${id === undefined ? '' : ` ${id}`}`;
}
