/**
 * A message on its way through a transport filter (Exim spec 24): it is written to the filter's standard input while what
 * the filter prints is read, so that nothing holds more than a few pieces of it. A filter that fails spoils the delivery:
 * whatever was made of its output is taken back by whoever reads it, as reading ends with an error.
 */

import { openFilter } from '../safe/filter.ts';
import type { MessageSource } from '../smtp/client/transaction.ts';
import { messageSource } from './message-source.ts';
import {
  type ContentReader,
  type DeliveryResult,
  deferred,
  errorCodes,
  type FilterCommand,
  type Job,
  type Undelivered,
} from './transport.ts';

/** How a transport speaks of a filter that fails. */
export interface FilterProblems<J extends Job> {
  /** What it was doing: ` while writing to /mail/ann`. */
  whileWriting?(job: J): string;
  /** What it means that the filter took too long; another attempt is due when nothing is said. */
  timedOut?(job: J): Undelivered;
}

/** Reading ends with it when the filter has failed. */
export class FilterFailure extends Error {
  readonly timedOut: boolean;
  constructor(text: string, timedOut: boolean) {
    super(text);
    this.timedOut = timedOut;
  }
}

const notExecuted = 127;
const connectionTimedOut = 110;

/** The message as the filter makes it. @throws FilterFailure, in its `read` */
export function filteredSource(command: FilterCommand, content: ContentReader): MessageSource & { close(): void } {
  const given = messageSource(content, { headers_only: !command.body, body_only: !command.headers });
  const filter = openFilter(command, async () => given.read());
  return {
    async read() {
      const piece = await filter.read();
      if (Buffer.isBuffer(piece)) return piece;
      if (piece.outcome === 'timeout') throw new FilterFailure('', true);
      if (piece.outcome === 'broken') throw piece.error;
      if (piece.status === 0) return undefined;
      throw new FilterFailure(`(${piece.status})`, false);
    },
    close: () => filter.close(),
  };
}

/** What a failed filter means for the delivery; `whileWriting` says what was being done, with a blank in front. */
export function filterResult({ message, timedOut }: FilterFailure, whileWriting: string | undefined): Undelivered {
  if (timedOut) return deferred(connectionTimedOut, `error${whileWriting ?? ''}`);
  const what = whileWriting === undefined ? 'Transport filter' : 'transport filter';
  const reason = message === `(${notExecuted})` ? ': unable to execute command' : '';
  return deferred(errorCodes.filterFailed, `${what} process failed ${message}${whileWriting ?? ''}${reason}`, {
    panic: true,
  });
}

/** Delivers by `work`, which gets the filtered message. A failure of the filter counts for more than what it led to. */
export async function throughFilter<J extends Job>(
  job: J,
  command: FilterCommand,
  content: ContentReader,
  problems: FilterProblems<J> | undefined,
  work: (filtered: ContentReader) => Promise<DeliveryResult>,
): Promise<DeliveryResult> {
  const source = filteredSource(command, content);
  const failures: FilterFailure[] = [];
  let piece: Buffer | undefined = Buffer.alloc(0);
  const read = async (buffer: Uint8Array): Promise<number> => {
    try {
      while (piece?.length === 0) piece = await source.read();
    } catch (error) {
      if (error instanceof FilterFailure) failures.push(error);
      throw error;
    }
    if (piece === undefined) return 0;
    const count = piece.copy(buffer);
    piece = piece.subarray(count);
    return count;
  };
  const answer = (failure: FilterFailure): DeliveryResult =>
    (failure.timedOut ? problems?.timedOut?.(job) : undefined) ?? filterResult(failure, problems?.whileWriting?.(job));
  try {
    const result = await work({ headers: content.headers, size: content.size, isFiltered: true, read });
    const [failure] = failures;
    return failure === undefined ? result : answer(failure);
  } catch (error) {
    const [failure] = failures;
    if (failure === undefined) throw error;
    return answer(failure);
  } finally {
    source.close();
  }
}
