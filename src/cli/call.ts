/** What a command of the program gets to work with. */

import type { Installation } from '../config/installation.ts';
import type { Runtime } from '../mta/runtime.ts';
import type { SelfCommand } from '../mta/user-process.ts';
import type { Decisions } from '../observe/decision.ts';
import type { SpooledMessage } from '../spool/spooled-message.ts';
import type { Caller } from './caller.ts';
import type { Invocation } from './invocation.ts';
import type { Terminal } from './output.ts';

export interface Call {
  readonly invocation: Invocation;
  /** The words of the command line. */
  readonly words: readonly string[];
  readonly installation: Installation;
  readonly runtime: Runtime;
  readonly caller: Caller;
  readonly terminal: Terminal;
  /** How this program starts itself. */
  readonly self: SelfCommand;
  /** Who is told what is decided (`-d`, `-bh`). */
  readonly decisions: Decisions;
  /** Has another process deliver a message. */
  inBackground(message: Pick<SpooledMessage, 'id' | 'queue'>): void;
}

/** Answers the exit status. */
export type Command = (call: Call) => Promise<number>;
