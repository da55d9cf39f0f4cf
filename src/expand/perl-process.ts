/**
 * Embedded Perl (Exim spec 12): a real perl, started at its first use and kept as a child process; started again when
 * it has died. One call at a time; a call that comes from an expansion which Perl itself asked for goes on within it.
 */

import type { Eventual } from '../lib/eventual.ts';
import * as files from '../safe/files.ts';
import { mayBecomeOthers, withFullRights } from '../safe/privileges.ts';
import { type RunningProgram, startProgram } from '../safe/spawn.ts';
import { type Clean, literal, reviewed } from '../safe/taint.ts';
import type { Context } from './context.ts';
import type { Expansion } from './expand.ts';
import { perlDriver } from './perl-driver.ts';
import type { PerlAnswer } from './questions.ts';

export interface PerlSettings {
  readonly startup: string | undefined;
  readonly taintMode: boolean;
  readonly environment: Readonly<Record<string, string>>;
  /** Milliseconds that one subroutine may take, its expansions included, where it is not the usual time. */
  readonly patience?: number | undefined;
  expand(text: string, context: Context): Eventual<Expansion>;
  log(text: string): void;
  debug(text: string): void;
}

export interface Perl {
  call(name: string, args: readonly string[], context: Context): Promise<PerlAnswer>;
  /** Starts the interpreter now, for perl_at_start. */
  start(): void;
  end(): void;
}

/** Where perl is. */
export const perlPlaces: readonly Clean[] = [
  literal('/usr/bin/perl'),
  literal('/usr/local/bin/perl'),
  literal('/bin/perl'),
];

const usualPatience = 300_000;

/** Octets of one frame. */
const maximumFrame = 64 * 1024 * 1024;

interface Frame {
  readonly letter: string;
  readonly texts: readonly string[];
}

function encodeFrame(letter: string, texts: readonly string[]): Buffer {
  const length = (size: number): Buffer => {
    const octets = Buffer.alloc(4);
    octets.writeUInt32BE(size);
    return octets;
  };
  const strings = texts.map((text) => Buffer.from(text, 'latin1'));
  return Buffer.concat([
    Buffer.from(letter, 'latin1'),
    length(strings.length),
    ...strings.flatMap((octets) => [length(octets.length), octets]),
  ]);
}

/** The frame at the beginning of the octets, and how long it is; nothing while it is not whole. */
function decodeFrame(octets: Buffer): { readonly frame: Frame; readonly length: number } | undefined {
  if (octets.length < 5) return undefined;
  const texts: string[] = [];
  let at = 5;
  for (let left = octets.readUInt32BE(1); left > 0; left--) {
    if (octets.length < at + 4) return undefined;
    const end = at + 4 + octets.readUInt32BE(at);
    if (octets.length < end) return undefined;
    texts.push(octets.toString('latin1', at + 4, end));
    at = end;
  }
  return { frame: { letter: octets.toString('latin1', 0, 1), texts }, length: at };
}

async function* frames(output: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let waiting: Buffer[] = [];
  let size = 0;
  let wanted = 0;
  for await (const chunk of output) {
    waiting.push(chunk);
    size += chunk.length;
    // joined again only when there is twice as much, or what came before was less than a frame's head
    if (size < wanted) continue;
    let octets = Buffer.concat(waiting);
    for (let found = decodeFrame(octets); found !== undefined; found = decodeFrame(octets)) {
      yield found.frame;
      octets = octets.subarray(found.length);
    }
    waiting = [octets];
    size = octets.length;
    wanted = size > 65_536 ? Math.min(size + 65_536, neededOctets(octets)) : 0;
    if (size > maximumFrame) return;
  }
}

/** How long the octets must get before the string that is coming is whole. */
function neededOctets(octets: Buffer): number {
  let at = 5;
  while (at + 4 <= octets.length) at += 4 + octets.readUInt32BE(at);
  return at;
}

/**
 * Whom a child works as that may not be given root's rights back: a program whose real user is another than its effective
 * one is not trusted with its environment by the system, and tainted by Perl.
 */
function ownUser(): { readonly uid?: number; readonly gid?: number } {
  const uid = process.geteuid?.();
  const gid = process.getegid?.();
  return uid === undefined || gid === undefined || uid === 0 || !mayBecomeOthers() ? {} : { uid, gid };
}

class Interpreter {
  readonly #program: RunningProgram;
  readonly #frames: AsyncGenerator<Frame>;
  /** Why the startup code failed; told to the first caller. */
  #startFailure = '';
  readonly #started: Promise<boolean>;

  constructor(perl: Clean, settings: PerlSettings) {
    const rules = {
      program: perl,
      args: [
        ...(settings.taintMode ? [literal('-T')] : []),
        literal('-e'),
        reviewed(perlDriver, 'part of this program'),
      ],
      environment: settings.environment,
      directory: literal('/'),
      umask: 0o077,
      ...ownUser(),
    };
    this.#program = withFullRights(() => startProgram(rules));
    this.#frames = frames(this.#program.output);
    this.#started = this.#start(settings);
  }

  async #start(settings: PerlSettings): Promise<boolean> {
    await this.#send('S', [settings.startup ?? '']);
    const answer = await this.next(settings, undefined);
    this.#startFailure = answer?.texts[0] ?? '';
    return answer !== undefined;
  }

  /** Whether it runs, and what its startup code had to complain of that nobody was told yet. */
  async ready(): Promise<{ readonly runs: boolean; readonly complaint: string }> {
    const runs = await this.#started;
    const complaint = this.#startFailure;
    this.#startFailure = '';
    return { runs, complaint };
  }

  async #send(letter: string, texts: readonly string[]): Promise<void> {
    await this.#program.write(encodeFrame(letter, texts)).catch(() => undefined);
  }

  call(name: string, args: readonly string[]): Promise<void> {
    return this.#send('C', [name, ...args]);
  }

  /** The next frame that answers a question; what Perl asks for in between is given to it. */
  async next(settings: PerlSettings, context: Context | undefined): Promise<Frame | undefined> {
    for (;;) {
      const { value, done } = await this.#frames.next();
      if (done === true || value === undefined) return undefined;
      const { letter, texts } = value as Frame;
      if (letter === 'L') settings.log(texts[0] ?? '');
      else if (letter === 'G') settings.debug(texts[0] ?? '');
      else if (letter === 'X') await this.#expand(texts[0] ?? '', settings, context);
      else return { letter, texts };
    }
  }

  async #expand(text: string, settings: PerlSettings, context: Context | undefined): Promise<void> {
    if (context === undefined) return this.#send('E', ['Exim::expand_string is not available at startup']);
    const { depth } = context;
    const expansion =
      depth > 100
        ? ({ ok: false, kind: 'failed', message: 'too many nested expansions' } as const)
        : await settings.expand(text, { ...context, depth: depth + 1 });
    if (expansion.ok) return this.#send('V', [expansion.text.value]);
    if (expansion.kind === 'forced') return this.#send('U', []);
    return this.#send('E', [`syntax error in Exim::expand_string argument: ${expansion.message}`]);
  }

  waitFor(wanted: boolean): void {
    this.#program.waitFor(wanted);
  }

  kill(): void {
    this.#program.kill();
  }
}

/** Perl for one configuration. */
export function makePerl(settings: PerlSettings): Perl {
  let interpreter: Interpreter | undefined;
  /** The end of the last call that was asked for. */
  let last: Promise<unknown> = Promise.resolve();
  /** What the running call's context found, by which calls from within it are known. */
  let running: Context['found'] | undefined;

  const open = (): Interpreter | string => {
    if (settings.startup === undefined) return 'A setting of perl_startup is needed when using the Perl interpreter';
    if (interpreter !== undefined) return interpreter;
    const perl = perlPlaces.find((place) => files.mayAccess(place, 'x'));
    if (perl === undefined) return `perl is not installed (looked for ${perlPlaces.join(', ')})`;
    interpreter = new Interpreter(perl, settings);
    interpreter.waitFor(false);
    return interpreter;
  };

  const died = (found: Interpreter): PerlAnswer => {
    if (interpreter === found) interpreter = undefined;
    found.kill();
    return { outcome: 'failed', message: 'the Perl interpreter died' };
  };

  const exchange = async (
    found: Interpreter,
    name: string,
    args: readonly string[],
    context: Context,
  ): Promise<PerlAnswer> => {
    await found.call(name, args);
    const answer = await found.next(settings, context);
    if (answer === undefined) return died(found);
    const [text = ''] = answer.texts;
    if (answer.letter === 'U') return { outcome: 'undefined' };
    return answer.letter === 'R' ? { outcome: 'returned', text } : { outcome: 'failed', message: text };
  };

  const run = async (name: string, args: readonly string[], context: Context): Promise<PerlAnswer> => {
    const found = open();
    if (typeof found === 'string') return { outcome: 'failed', message: found };
    running = context.found;
    found.waitFor(true);
    const timer = setTimeout(() => found.kill(), settings.patience ?? usualPatience);
    try {
      const { runs, complaint } = await found.ready();
      if (!runs) return died(found);
      if (complaint !== '') return { outcome: 'failed', message: `error in perl_startup code: ${complaint}` };
      return await exchange(found, name, args, context);
    } finally {
      clearTimeout(timer);
      found.waitFor(false);
      running = undefined;
    }
  };

  return {
    call(name, args, context) {
      const current = interpreter;
      if (running === context.found && current !== undefined) return exchange(current, name, args, context);
      const work = last.then(() => run(name, args, context));
      last = work.catch(() => undefined);
      return work;
    },
    start() {
      open();
    },
    end() {
      interpreter?.kill();
      interpreter = undefined;
    },
  };
}
