/**
 * A message as somebody who signs it needs it: read once to make the signature, and once more to be sent. It comes from
 * the spool, or from a transport filter, whose output is kept in a file without a name meanwhile.
 */

import { MessageReader } from '../mail/message-reader.ts';
import * as files from '../safe/files.ts';
import { literal, pathOf, reviewed } from '../safe/taint.ts';
import type { MessageSource } from '../smtp/client/transaction.ts';
import { messageSource, readerOf } from './message-source.ts';
import type { Content, DeliveryRequest } from './transport.ts';

export interface SignableMessage {
  /** The body, from its beginning to its end. */
  body(): MessageSource;
  /** The header lines, with LF; known when the body was read. */
  headers(): readonly string[];
  /** The whole message with these lines in front. */
  withLines(lines: string): MessageSource;
  close(): void;
}

/** Header lines with their continuations. */
function linesOf(headers: string): string[] {
  return headers.match(/[^\n]*\n(?:[ \t][^\n]*\n)*/g) ?? [];
}

/** Hands all pieces of the body on. */
export async function readWhole(message: SignableMessage, take: (piece: Buffer) => void): Promise<void> {
  const source = message.body();
  for (;;) {
    const piece = await source.read();
    if (piece === undefined) return;
    take(piece);
  }
}

export function spooledMessage(content: Content, common: DeliveryRequest['common']): SignableMessage {
  return {
    body: () => messageSource(readerOf(content), { body_only: true, headers_only: common.headers_only }),
    headers: () => linesOf(content.headers),
    withLines: (lines) => {
      const reader = readerOf(content);
      return messageSource({ ...reader, headers: lines + content.headers }, common);
    },
    close: () => undefined,
  };
}

const pieceSize = 64 * 1024;

/** Octets of header lines that a filter may print. */
const longestHeaders = 1024 * 1024;

/** Runs the filter to its end. @throws FilterFailure */
export async function filteredMessage(source: MessageSource, request: DeliveryRequest): Promise<SignableMessage> {
  const { spoolDirectory } = request.context.settings;
  const directory = reviewed(spoolDirectory, 'the spool directory of this server');
  const name = reviewed(`${request.messageId}-K`, 'made of the id of a message');
  const path = pathOf(directory, literal('input'), name);
  const file = files.open(path, files.createNew);
  files.removeIfPossible(path);
  try {
    return await keep(source, file);
  } catch (error) {
    files.close(file);
    throw error;
  }
}

async function keep(source: MessageSource, file: files.Descriptor): Promise<SignableMessage> {
  let size = 0;
  let bodySize = 0;
  const reader = new MessageReader({ headers: longestHeaders, headerLine: 0 }, (piece) => {
    bodySize += piece.length;
    return undefined;
  });
  for (;;) {
    const piece = await source.read();
    if (piece === undefined) break;
    await files.writeLater(file, piece);
    size += piece.length;
    await reader.push(piece);
  }
  const from = (begin: number, first = ''): MessageSource => {
    let at = begin;
    let text = first;
    return {
      async read() {
        if (text !== '') {
          const head = Buffer.from(text, 'latin1');
          text = '';
          return head;
        }
        const buffer = Buffer.allocUnsafe(pieceSize);
        const count = at < size ? await files.readLater(file, buffer, at) : 0;
        at += count;
        return count === 0 ? undefined : buffer.subarray(0, count);
      },
    };
  };
  return {
    body: () => from(size - bodySize),
    headers: () => reader.headers,
    withLines: (lines) => from(0, lines),
    close: () => files.close(file),
  };
}
