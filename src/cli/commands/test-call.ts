/** Runs a command in a test, on a queue of the test's own, with words as on the command line. */

import type { TestQueue } from '../../mta/test-queue.ts';
import { nobody } from '../../observe/decision.ts';
import { literal } from '../../safe/taint.ts';
import type { Call } from '../call.ts';
import type { Caller } from '../caller.ts';
import { parseCommandLine } from '../options.ts';

export interface Outcome {
  readonly status: number;
  readonly out: string;
  readonly error: string;
  readonly log: readonly string[];
}

const administrator: Caller = {
  uid: 0,
  gid: 0,
  login: 'root',
  fullName: '',
  home: '/',
  isKnown: true,
  isAdmin: true,
  isTrusted: true,
};

/** Somebody without rights; `uid` 4711 sent the messages of a TestQueue. */
export const ordinaryCaller = (uid: number): Caller => ({
  ...administrator,
  uid,
  gid: uid,
  login: 'ann',
  isAdmin: false,
  isTrusted: false,
});

export async function runCommand(
  command: (call: Call) => Promise<number>,
  words: readonly string[],
  queue: TestQueue,
  caller: Caller = administrator,
): Promise<Outcome> {
  let out = '';
  let error = '';
  const { runtime } = queue;
  const status = await command({
    invocation: parseCommandLine(words),
    words,
    installation: runtime.installation,
    runtime,
    caller,
    terminal: {
      out: (text) => {
        out += text;
      },
      error: (text) => {
        error += text;
      },
    },
    self: { program: literal('/bin/false'), args: [] },
    decisions: nobody,
    inBackground: () => undefined,
  });
  return { status, out, error, log: queue.takeLog() };
}
