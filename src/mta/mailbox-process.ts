/**
 * Mailboxes that another user owns: a process that has become that user opens them, and is asked over its standard input
 * and output. One process serves all open mailboxes of its user; questions have numbers, answers come when they are ready.
 */

import * as clock from '../lib/clock.ts';
import { errorText } from '../lib/errno.ts';
import type { RunningProgram } from '../safe/spawn.ts';
import { literal } from '../safe/taint.ts';
import {
  type Commit,
  type Listed,
  type Mailbox,
  type MailboxPlace,
  mostMessages,
  type Opened,
  type Piece,
  pieceSize,
} from '../store/mailbox.ts';
import { FrameReader, frame } from './frames.ts';
import { type Answer, mostAhead, type Question } from './mailbox-questions.ts';
import { ReadAhead } from './read-ahead.ts';
import { type Rights, type SelfCommand, startAs } from './user-process.ts';

/** Milliseconds that a process without mailboxes is kept. */
const idleTime = 30_000;

interface Waiting {
  resolve(answer: { readonly value: unknown; readonly octets: Buffer }): void;
  reject(error: Error): void;
}

/** The side of the server. */
export class MailboxProcess {
  readonly #program: RunningProgram;
  readonly #waiting = new Map<number, Waiting>();
  readonly #onEnd: () => void;
  #numbers = 0;
  #mailboxes = 0;
  #open = 0;
  #idleSince = clock.elapsed();
  #timer: NodeJS.Timeout | undefined;
  #failure: Error | undefined;

  /** `onEnd` is called when the process is gone. */
  constructor(self: SelfCommand, rights: Rights, onEnd: () => void) {
    this.#program = startAs(self, literal('--mailboxes-as'), rights);
    this.#onEnd = onEnd;
    void this.#listen();
  }

  async #listen(): Promise<void> {
    let reason = 'it ended';
    try {
      const answers = new FrameReader(this.#program.output);
      for (let next = await answers.next(); next !== undefined; next = await answers.next()) {
        const { number, value, size } = next as Answer;
        if (!(size >= 0 && size <= pieceSize + mostAhead)) throw new Error('it sent what it was not asked for');
        const octets = Buffer.allocUnsafe(size);
        for (let at = 0; at < size; ) {
          const count = await answers.octets(octets.subarray(at));
          if (count === 0) throw new Error('it ended within an answer');
          at += count;
        }
        this.#waiting.get(number)?.resolve({ value, octets });
        this.#waiting.delete(number);
      }
    } catch (error) {
      reason = errorText(error);
    }
    this.#fail(new Error(`the mailbox process failed: ${reason}`));
  }

  #fail(error: Error): void {
    this.#failure = error;
    clearTimeout(this.#timer);
    this.#program.kill();
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    this.#onEnd();
  }

  #ask(mailbox: number, question: Question): Promise<{ readonly value: unknown; readonly octets: Buffer }> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const number = ++this.#numbers;
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
      this.#program.write(frame({ ...question, number, mailbox })).catch((error: Error) => {
        this.#waiting.delete(number);
        reject(error);
      });
    });
  }

  async open(place: MailboxPlace): Promise<Opened> {
    const mailbox = ++this.#mailboxes;
    this.#hold();
    try {
      const { value } = await this.#ask(mailbox, { what: 'open', place });
      const opened = value as
        | Exclude<Opened, { outcome: 'opened' }>
        | { outcome: 'opened'; count: number; unreadable: number };
      if (opened.outcome !== 'opened') {
        this.#release();
        return opened;
      }
      const messages: Listed[] = [];
      const count = Math.min(opened.count, mostMessages);
      while (messages.length < count) {
        const part = (await this.#ask(mailbox, { what: 'list', from: messages.length })).value as Listed[];
        if (part.length === 0) throw new Error('the list ended too soon');
        messages.push(...part);
      }
      return { outcome: 'opened', mailbox: this.#remote(mailbox, messages, opened.unreadable) };
    } catch (error) {
      this.#release();
      return { outcome: 'failed', message: errorText(error), lasting: false };
    }
  }

  #remote(mailbox: number, messages: readonly Listed[], unreadable: number): Mailbox {
    let isOpen = true;
    const ahead = new ReadAhead((message, position, more) =>
      this.#ask(mailbox, { what: 'read', message, position, ahead: more }),
    );
    return {
      messages,
      unreadable,
      read: async (message, position): Promise<Piece> => ahead.read(message, position),
      commit: async (changes) => (await this.#ask(mailbox, { what: 'commit', changes })).value as Commit,
      close: () => {
        if (!isOpen) return;
        isOpen = false;
        this.#ask(mailbox, { what: 'close' }).catch(() => undefined);
        this.#release();
      },
    };
  }

  /** Since when it has had no mailbox; nothing while it has one. */
  get idleSince(): number | undefined {
    return this.#open > 0 ? undefined : this.#idleSince;
  }

  #hold(): void {
    this.#open++;
    clearTimeout(this.#timer);
    this.#program.waitFor(true);
  }

  #release(): void {
    if (--this.#open > 0 || this.#failure !== undefined) return;
    this.#idleSince = clock.elapsed();
    this.#program.waitFor(false);
    this.#timer = setTimeout(() => this.end(), idleTime);
    this.#timer.unref();
  }

  /** Ends it when it has done what it was asked. */
  end(): void {
    this.#failure ??= new Error('the mailbox process has ended');
    this.#onEnd();
    this.#program.end();
  }
}
