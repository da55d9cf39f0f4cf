/** Mistakes in batch SMTP, where nobody answers and the first mistake ends everything (Exim spec 49.10). */

import type { Reply } from './policy.ts';

/** What batches call a mistake that a client would be told in other words. */
const texts: ReadonlyMap<string, string> = new Map([
  ['unrecognized command', 'Command unrecognized'],
  ['unexpected argument data', 'Unexpected argument data'],
  ['MAIL must have an address operand', 'MAIL FROM must have an address operand'],
  ['RCPT must have an address operand', 'RCPT TO must have an address operand'],
  ['sender already given', 'Sender already given'],
  ['sender not yet given', 'No sender yet given'],
  ['valid RCPT command must precede DATA', 'RCPT TO:<recipient> must precede DATA'],
]);

/** Where in a batch something is. */
export interface BatchPlace {
  /** Lines of the input, from 1: the last one before the transaction, 0 for none, and that of the mistake. */
  readonly transactionLine: number;
  readonly line: number;
  /** The command at fault; empty within a message. */
  readonly command: string;
  /** Messages that were taken before. */
  readonly messages: number;
}

export class BatchFailure extends Error {
  readonly place: BatchPlace;

  constructor({ code, text, logged }: Reply, place: BatchPlace) {
    const last = logged ?? text.split('\n').at(-1) ?? text;
    super(`${code} ${texts.get(last) ?? last}`);
    this.place = place;
  }

  /** For programs: what standard output gets. */
  get brief(): string {
    const { transactionLine, line, command } = this.place;
    const shown = command === '' ? '' : `${command}\n`;
    return `${this.message}\nTransaction started in line ${transactionLine}\nError detected in line ${line}\n${shown}`;
  }

  /** For people: what standard error gets. */
  get report(): string {
    const { transactionLine, line, command, messages } = this.place;
    const fault = command === '' ? '' : `The SMTP command at fault was:\n\n   ${command}\n\n`;
    const before = messages === 1 ? '1 previous message was' : `${messages} previous messages were`;
    return `An error was detected while processing a file of BSMTP input.\nThe error message was:\n\n  ${this.message}\n\nThe SMTP transaction started in line ${transactionLine}.\nThe error was detected in line ${line}.\n${fault}${before} successfully processed.\nThe rest of the batch was abandoned.\n`;
  }
}
