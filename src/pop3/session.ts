/**
 * A POP3 session on the server's side (RFC 1939, 2449): reads commands, keeps the states, their limits and timeouts, and
 * sends answers. The commands themselves are in `commands/`. Nothing in the mailbox changes unless the client says QUIT.
 */

import * as clock from '../lib/clock.ts';
import { errorText } from '../lib/errno.ts';
import type { LineConnection, LineRead } from '../net/line-connection.ts';
import type { ServerTls } from '../net/tls.ts';
import type { Mailbox } from '../store/mailbox.ts';
import { Pauses } from '../store/pause.ts';
import { commandNamed } from './commands.ts';
import type { LoginAnswer, Pop3Policy, Pop3Settings, Refusal, SessionEnd } from './policy.ts';

/** The longest line: what a SASL mechanism may send (RFC 5034 §4). */
const maximumLine = 12_288;
/** Commands with mistakes in them that a session may give. */
const maximumMistakes = 50;
/** Octets of answers that are gathered before they are sent: a client that takes none must not fill our memory. */
const mostGathered = 64 * 1024;

export class Pop3Session {
  readonly policy: Pop3Policy;
  readonly settings: Pop3Settings;
  readonly #lines: LineConnection;
  #gathered = 0;
  #mistakes = 0;
  #failures = 0;
  /** The name that USER gave. */
  user: string | undefined;
  mailbox: Mailbox | undefined;
  /** Places of messages that are marked as deleted, and of those that were sent whole. */
  readonly removed = new Set<number>();
  readonly retrieved = new Set<number>();
  /** The highest number of a message that was looked at (RFC 1460, LAST). */
  last = 0;
  retrievals = 0;
  tops = 0;
  octets = 0;
  /** All messages of the mailbox, and those that are marked as deleted, in octets. */
  total = 0;
  removedOctets = 0;
  #left = 0;
  readonly #begun = clock.elapsed();
  readonly #pauses = new Pauses();

  constructor(lines: LineConnection, policy: Pop3Policy, settings: Pop3Settings) {
    this.#lines = lines;
    this.policy = policy;
    this.settings = settings;
  }

  /** Runs to the end of the session. */
  async run(): Promise<SessionEnd> {
    let end: SessionEnd = 'lost';
    try {
      end = await this.#talk();
      await this.#lines.flush(this.settings.timeout);
      return end;
    } finally {
      const { mailbox, retrievals, tops, octets } = this;
      mailbox?.close();
      const removed = end === 'quit' ? this.removed.size : 0;
      this.policy.ended(end, mailbox && { retrieved: retrievals, tops, octets, removed, left: this.#left });
      await this.#lines.close();
    }
  }

  async #talk(): Promise<SessionEnd> {
    if (this.settings.beginsWithTls && !(await this.secure(await this.policy.tlsSettings()))) return 'lost';
    const greeting = await this.policy.greet();
    if ('refusal' in greeting) {
      this.refuse(greeting.refusal);
      return 'closed';
    }
    this.ok(greeting.text);
    for (;;) {
      const line = this.#lines.takeLine(maximumLine) ?? (await this.#nextLine());
      if (line.kind === 'timeout') return this.#timedOut();
      if (line.kind === 'end' || this.#lines.isBroken) return 'lost';
      const end = await this.#obey(line.kind === 'line' ? line.text : undefined);
      if (end !== undefined) return end;
      if (this.#mistakes > maximumMistakes) {
        this.policy.dropped('too many mistakes');
        this.refuse({ code: undefined, text: 'too many mistakes' });
        return 'closed';
      }
      if (this.#gathered > mostGathered) await this.flush();
      // commands that came together must not hold up everybody else
      await this.#pauses.pause();
    }
  }

  #nextLine(): Promise<LineRead> {
    this.#gathered = 0;
    const { timeout, loginTimeout } = this.settings;
    if (this.mailbox !== undefined || loginTimeout === 0) return this.#lines.readLine(maximumLine, timeout);
    const left = this.#begun + loginTimeout - clock.elapsed();
    return this.#lines.readLine(maximumLine, Math.max(Math.min(left, timeout || left), 1));
  }

  /** The mailbox stays as it was (RFC 1939 §3). */
  #timedOut(): SessionEnd {
    this.refuse({ code: undefined, text: this.mailbox === undefined ? 'no login' : 'you were silent for too long' });
    return 'timeout';
  }

  async #obey(line: string | undefined): Promise<SessionEnd | undefined> {
    if (line === undefined) return this.mistake('line too long');
    const found = commandNamed(line);
    if (found === undefined) return this.mistake('unknown command');
    const { command, argument } = found;
    if (command.when === 'transaction' && this.mailbox === undefined) return this.mistake('log in first');
    if (command.when === 'authorization' && this.mailbox !== undefined)
      return this.mistake('you are logged in already');
    if (command.argument === 'none' && argument !== '') return this.mistake(`${command.verb} takes no argument`);
    if (command.argument === 'required' && argument === '') return this.mistake(`${command.verb} needs an argument`);
    return command.run(this, argument);
  }

  /** Adds to what is sent. */
  write(text: string): void {
    this.#gathered += text.length;
    this.#lines.write(text);
  }

  ok(text: string): undefined {
    this.write(`+OK ${text}\r\n`);
  }

  refuse({ code, text }: Refusal): undefined {
    this.write(`-ERR ${code === undefined ? '' : `[${code}] `}${text}\r\n`);
  }

  /** A command that makes no sense; too many of them end the session. */
  mistake(text: string): undefined {
    this.#mistakes++;
    this.refuse({ code: undefined, text });
  }

  /** Sends what was gathered, and waits until the client has taken most of it. */
  async flush(): Promise<void> {
    this.#gathered = 0;
    await this.#lines.flush(this.settings.timeout);
  }

  /** The client does not take what it is sent any more. */
  get isBroken(): boolean {
    return this.#lines.isBroken;
  }

  /** Ends the connection at once: what was sent cannot be made good. */
  breakOff(): SessionEnd {
    this.#lines.destroy();
    return 'lost';
  }

  /** Goes on over TLS; false when that failed, and the connection is gone. */
  async secure(settings: ServerTls | undefined): Promise<boolean> {
    if (settings === undefined) {
      this.breakOff();
      return false;
    }
    const outcome = await this.#lines.startTls(settings);
    this.policy.secured(outcome);
    return outcome.outcome === 'started';
  }

  /** Whether the client has sent more than it should. */
  get hasInput(): boolean {
    return this.#lines.inputWaiting > 0;
  }

  /** The next line of a SASL exchange. */
  async ask(prompt: string): Promise<LineRead> {
    this.write(prompt);
    return this.#lines.takeLine(maximumLine) ?? this.#nextLine();
  }

  /** Answers an attempt to log in. */
  async loggedIn(answer: LoginAnswer): Promise<SessionEnd | undefined> {
    this.user = undefined;
    switch (answer.outcome) {
      case 'lost':
        return 'lost';
      case 'cancelled':
        return this.mistake('cancelled');
      case 'malformed':
        return this.mistake('invalid base64 data');
      case 'refused': {
        if (!answer.isFailure) return this.refuse(answer.refusal);
        this.#failures++;
        this.refuse(answer.refusal);
        if (this.#failures < this.settings.maximumFailures) return undefined;
        this.policy.dropped('too many failed logins');
        return 'closed';
      }
      case 'opened': {
        const { messages } = answer.mailbox;
        this.mailbox = answer.mailbox;
        this.#left = messages.length;
        for (const message of messages) this.total += message.octets;
        return this.ok(`${messages.length} ${messages.length === 1 ? 'message' : 'messages'} (${this.total} octets)`);
      }
    }
  }

  /** Makes the changes that were asked for. */
  async commit(): Promise<SessionEnd> {
    const { mailbox } = this;
    if (mailbox === undefined) return this.#bye();
    const seen = [...this.retrieved].filter((number) => !this.removed.has(number));
    const result = await mailbox
      .commit({ removed: [...this.removed], seen })
      .catch((error: unknown) => ({ outcome: 'failed' as const, message: errorText(error) }));
    if (result.outcome === 'done') {
      this.#left = result.left;
      return this.#bye();
    }
    this.policy.failed(result.message);
    this.refuse({ code: 'SYS/TEMP', text: 'some deleted messages were not removed' });
    return 'closed';
  }

  #bye(): SessionEnd {
    this.ok('bye');
    return 'quit';
  }
}
