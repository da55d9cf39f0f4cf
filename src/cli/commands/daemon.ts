/** `-bd`, `-bdf`, and `-q` with a time: the daemon (Exim spec 5.3, 13). */

import { Daemon } from '../../daemon/daemon.ts';
import { BadInterface } from '../../daemon/interfaces.ts';
import { CannotListen } from '../../daemon/listeners.ts';
import { productVersion } from '../../expand/version.ts';
import { errorText } from '../../lib/errno.ts';
import type { Runtime } from '../../mta/runtime.ts';
import * as files from '../../safe/files.ts';
import { startDaemon } from '../../safe/spawn.ts';
import { type Clean, literal, reviewed } from '../../safe/taint.ts';
import { startQueueRun } from '../background.ts';
import type { Call } from '../call.ts';
import { backgroundMark, openRuntime } from '../open-runtime.ts';

export async function daemonCommand(call: Call): Promise<number> {
  const { invocation, caller, terminal } = call;
  if (!caller.isAdmin) {
    terminal.error('exim: permission denied\n');
    return 1;
  }
  if (call.runtime.config.main.mua_wrapper) {
    call.runtime.logs.panic('Daemon cannot be run when mua_wrapper is set');
    return 1;
  }
  const foreground = invocation.daemonForeground || invocation.debug !== undefined;
  const isChild = process.env[backgroundMark] !== undefined;
  if (!foreground && !isChild) return putIntoBackground(call);
  const daemon = new Daemon(call.runtime, {
    self: call.self,
    title: `tabella ${productVersion}`,
    listens: invocation.daemonListens,
    inetdWait: invocation.inetdWait,
    interfaces: invocation.interfaces,
    pidFile: (runtime) => pidFileFor(call, runtime),
    tlsOnConnect: invocation.tlsOnConnect,
    queueInterval: invocation.queueRun.interval,
    queueRun: invocation.queueRun,
    delivery:
      invocation.delivery === 'queue' ? 'queue' : invocation.delivery === 'queue smtp' ? 'local only' : 'at once',
    reload: (report) => openRuntime(invocation, call.installation, { ...terminal, error: report }),
    startQueueRun: (recipient, queue) => startQueueRun(recipient, queue, invocation, call.self),
    started: () => {
      // whoever put us into the background waits for this
      if (isChild) process.disconnect?.();
    },
  });
  try {
    await daemon.run();
    return 0;
  } catch (error) {
    if (!(error instanceof BadInterface || error instanceof CannotListen)) throw error;
    call.runtime.logs.panic(errorText(error));
    return 1;
  }
}

/** `-oPX`: removes the pid file of a daemon that has no rights for it any more (Exim spec 5.3). */
export async function removePidFileCommand(call: Call): Promise<number> {
  const path = call.caller.isAdmin ? pidFileFor(call, call.runtime) : undefined;
  if (path !== undefined) files.removeIfPossible(path);
  return 0;
}

/** `-oP`; else the usual place, unless this daemon does not listen, or `-oX` makes it an unusual one (Exim spec 5.3). */
function pidFileFor({ invocation }: Call, { places }: Runtime): Clean | undefined {
  if (invocation.pidFile !== undefined) {
    return invocation.pidFile === '' ? undefined : reviewed(invocation.pidFile, '-oP, given by an administrator');
  }
  const { action, daemonListens, interfaces, inetdWait } = invocation;
  const isUsual = (daemonListens && inetdWait === undefined) || action === 'remove pid file';
  return isUsual && interfaces === undefined ? places.pidFile : undefined;
}

/** Starts the same command again without a terminal; ends when that listens, or has failed. */
async function putIntoBackground({ self, words, terminal }: Call): Promise<number> {
  const again = words.map((word) => reviewed(word, 'a word of our own command line, given to ourselves'));
  const outcome = await startDaemon(self.program, [...self.args, ...again], {
    name: literal(backgroundMark),
    value: literal('1'),
  });
  if (outcome === 'started') return 0;
  terminal.error('exim: the daemon could not be started; the logs tell why\n');
  return 1;
}
