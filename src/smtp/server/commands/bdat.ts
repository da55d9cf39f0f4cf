/** BDAT and the message that comes in chunks of a size told before (RFC 3030). */

import { lower, trimEnd, upper } from '../../../lib/octets.ts';
import { ChunkData } from '../../chunk-data.ts';
import type { SmtpCommand } from '../command.ts';
import type { DataEnd, DataSink } from '../policy.ts';
import type { SessionEnd, SmtpSession } from '../session.ts';
import { outOfOrder } from './data.ts';

interface Chunk {
  readonly size: number;
  readonly isLast: boolean;
}

/** Sizes of up to so many digits; what has more is none. */
const sizeText = /^(\d{1,15})(?:[ \t]+(.*))?$/s;

function chunkOf(argument: string): Chunk | undefined {
  const [, digits, word = ''] = sizeText.exec(argument) ?? [];
  return digits === undefined ? undefined : { size: Number(digits), isLast: lower(word) === 'last' };
}

const commandText = /^([A-Za-z]+)(?:[ \t]+(.*))?$/s;

const drop = (): undefined => undefined;

/** What a chunk leads to when it cannot be taken: its octets are no commands. */
async function refuse(session: SmtpSession, { size }: Chunk): Promise<SessionEnd | undefined> {
  const end = await outOfOrder(session, 'BDAT');
  if (end !== undefined) return end;
  const read = await session.readOctets(size, drop);
  return read === 'all' ? undefined : session.lost(read === 'lost' ? 'end' : 'timeout');
}

/**
 * Waits for the next chunk. Between two chunks only RSET, NOOP and QUIT make sense (RFC 3030 §4.2); after any other
 * command nothing is taken but RSET, as client and server do not agree any more.
 */
async function nextChunk(session: SmtpSession): Promise<Chunk | DataEnd> {
  let isAstray = false;
  for (;;) {
    const line = await session.nextLine();
    if (line.kind === 'end' || line.kind === 'timeout') return { kind: line.kind === 'end' ? 'lost' : 'timeout' };
    const text = line.kind === 'line' ? line.text : '';
    const [, word = '', argument = ''] = commandText.exec(trimEnd(text)) ?? [];
    const verb = upper(word);
    session.noteCommand(text, argument);
    const chunk = verb === 'BDAT' ? chunkOf(argument) : undefined;
    if (verb === 'QUIT') {
      session.send(await session.policy.quit());
      return { kind: 'lost' };
    }
    if (verb === 'RSET') {
      session.send({ code: '250', text: 'Reset OK' });
      return { kind: 'reset' };
    }
    if (!isAstray && chunk !== undefined) return chunk;
    if (!isAstray && verb === 'NOOP') {
      session.send({ code: '250', text: 'OK' });
      continue;
    }
    const end = await session.protocolError(
      'protocol',
      mistake(verb, isAstray),
      isAstray || verb !== 'BDAT' ? '503' : '501',
    );
    if (end !== undefined) return { kind: 'lost' };
    isAstray ||= verb !== 'BDAT';
    // the octets of a chunk are never taken for commands, even when nobody wants it
    if (chunk !== undefined) await session.readOctets(chunk.size, drop);
  }
}

function mistake(verb: string, isAstray: boolean): string {
  if (isAstray) return 'only RSET accepted now';
  return verb === 'BDAT' ? 'missing size for BDAT command' : 'only BDAT permissible after non-LAST BDAT';
}

/** Reads chunk behind chunk to the last one, or to the one with which the message is refused. */
async function readChunks(session: SmtpSession, first: Chunk, sink: DataSink): Promise<DataEnd> {
  const data = new ChunkData();
  const take = (octets: Buffer): Promise<void> | undefined => sink.take(data.take(octets));
  for (let chunk = first; ; ) {
    const read = await session.readOctets(chunk.size, take);
    if (read !== 'all') return { kind: read };
    if (chunk.isLast) await sink.take(data.end());
    const isRefused = sink.isRefused(data.firstIsBare);
    if (chunk.isLast || isRefused) {
      return { kind: 'complete', fault: undefined, lastChunk: chunk.size };
    }
    session.send({ code: '250', text: `${chunk.size} byte chunk received` });
    const next = await nextChunk(session);
    if ('kind' in next) return next;
    chunk = next;
  }
}

export const bdat: SmtpCommand = {
  verb: 'BDAT',
  argument: 'optional',
  isMail: true,
  endsGroup: false,
  dataFollows: true,
  async run(session, argument) {
    if (session.settings.isBatch) return session.answer({ code: '500', text: 'Command unrecognized' });
    const chunk = chunkOf(argument);
    if (chunk === undefined) return session.protocolError('protocol', 'missing size for BDAT command');
    if (!session.chunking) {
      return session.protocolError('protocol', 'BDAT command used when CHUNKING not advertised', '503');
    }
    if (session.acceptedRecipients === 0) return refuse(session, chunk);
    let how: DataEnd['kind'] = 'lost' as DataEnd['kind'];
    const reply = await session.policy.message(async (sink) => {
      const end = await readChunks(session, chunk, sink);
      how = end.kind;
      return end;
    });
    session.hasSender = false;
    session.endTransaction('BDAT');
    if (how === 'reset') return undefined;
    const cutOff = how === 'timeout' ? 'data-timeout' : how === 'lost' ? 'connection-lost' : undefined;
    const end = await session.answer(reply, cutOff);
    if (cutOff === undefined) session.messages++;
    session.messageDone();
    await session.policy.messageAnswered(cutOff === undefined && reply.code.startsWith('2'));
    return cutOff === undefined ? end : 'failed';
  },
};
