/** Speaks LMTP with a server behind a socket of this machine, or with a program, for the lmtp transport (Exim spec 28). */

import type { ByteStream } from '../net/byte-stream.ts';
import { connectUnix } from '../net/connect.ts';
import { ProgramStream } from '../net/program-stream.ts';
import { type Argument, startProgram } from '../safe/spawn.ts';
import type { Clean } from '../safe/taint.ts';
import { type Failure, isFailure, type Stage } from '../smtp/client/failure.ts';
import { ClientSession } from '../smtp/client/session.ts';
import { type RecipientAnswer, transact } from '../smtp/client/transaction.ts';
import { type Reply, replyClass, replyText } from '../smtp/reply.ts';
import { messageSource } from './message-source.ts';
import { type ContentReader, type DeliveryResult, deferred, errorCodes, type Job } from './transport.ts';

export interface LmtpJob extends Job {
  readonly driver: 'lmtp';
  readonly transport: string;
  readonly server: { readonly socket: Clean } | { readonly program: Clean; readonly args: readonly Argument[] };
  /** Current directory of the program. */
  readonly directory: Clean;
  /** The name we give. */
  readonly hostname: string;
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly ignoreQuota: boolean;
  readonly body_only: boolean;
  readonly headers_only: boolean;
  /** Seconds for each step; 0 for no limit. */
  readonly timeout: number;
}

const refusalCodes: Readonly<Partial<Record<Stage, number>>> = {
  mail: errorCodes.mail4xx,
  recipient: errorCodes.rcpt4xx,
  data: errorCodes.data4xx,
  end: errorCodes.data4xx,
};

/** What a refusal says of a recipient is for the sender; what it says of the server is not. */
const forSender: ReadonlySet<Stage> = new Set(['recipient', 'end']);

function refusal(stage: Stage, after: string, reply: Reply): DeliveryResult {
  const text = replyText(reply);
  return {
    outcome: replyClass(reply) === 5 ? 'failed' : 'deferred',
    code: (replyClass(reply) === 4 && refusalCodes[stage]) || errorCodes.unknown,
    message: `LMTP error after ${after}: ${text}`,
    publicMessage: forSender.has(stage) ? undefined : '',
    detail: reply.code,
    reply: text,
  };
}

function failureResult(failure: Failure): DeliveryResult {
  const { stage, after } = failure;
  const unknown = (message: string): DeliveryResult => deferred(errorCodes.unknown, message);
  switch (failure.kind) {
    case 'refused':
      return refusal(stage, after, failure.reply);
    case 'timeout':
      return deferred(errorCodes.unknown, `LMTP timeout after ${after}`, { timeout: 'other' });
    case 'closed':
      return unknown(`LMTP connection closed after ${after}`);
    case 'broken':
      return unknown(`LMTP connection broke after ${after}: ${failure.text}`);
    case 'malformed':
      return deferred(errorCodes.malformedReply, `Malformed LMTP response after ${after}: ${failure.text}`);
    case 'early':
      return deferred(errorCodes.malformedReply, `LMTP response before ${after}: ${replyText(failure.reply)}`);
  }
}

/** One result for all, and where there are several addresses, one for each. */
function together(each: readonly DeliveryResult[]): DeliveryResult {
  const worst = each.find(({ outcome }) => outcome === 'deferred') ?? each.find(({ outcome }) => outcome === 'failed');
  const result = worst ?? each[0] ?? { outcome: 'delivered' };
  return each.length > 1 ? { ...result, each } : result;
}

/** The server, once it can be talked to. */
async function reach(job: LmtpJob): Promise<{ readonly stream: ByteStream } | DeliveryResult> {
  const { server, directory } = job;
  if ('socket' in server) {
    const connection = await connectUnix(server.socket, job.timeout);
    // no more of it than this: what it is called must not pass for the result of a delivery
    if (connection.outcome === 'connected') return { stream: connection.stream };
    const what = `Failed to connect to socket ${server.socket} for ${job.transport} transport`;
    return deferred(errorCodes.unknown, `${what}: ${connection.text}`);
  }
  try {
    return { stream: new ProgramStream(startProgram({ ...server, environment: {}, directory, umask: 0o077 })) };
  } catch (error) {
    return deferred(errorCodes.unknown, `Failed to start ${server.program} for ${job.transport} transport: ${error}`);
  }
}

export async function runLmtp(job: LmtpJob, content: ContentReader): Promise<DeliveryResult> {
  const server = await reach(job);
  if ('outcome' in server) return server;
  const patience = job.timeout > 0 ? job.timeout * 1000 : Number.POSITIVE_INFINITY;
  const session = new ClientSession(server.stream, { protocol: 'lmtp', commandTimeout: patience });
  try {
    return await converse(session, job, content, patience);
  } finally {
    session.quit();
  }
}

async function converse(
  session: ClientSession,
  job: LmtpJob,
  content: ContentReader,
  patience: number,
): Promise<DeliveryResult> {
  const greeting = await session.greeting();
  if (isFailure(greeting)) return failureResult(greeting);
  const hello = await session.hello(job.hostname, true);
  if (isFailure(hello)) return failureResult(hello);
  const parameters = job.ignoreQuota && session.extensions.has('IGNOREQUOTA') ? ['IGNOREQUOTA'] : [];
  const recipients = job.recipients.map((address) => ({ address, parameters }));
  const settings = { pipelining: false, dataTimeout: patience, finalTimeout: patience };
  const envelope = { sender: job.sender, parameters: [], recipients };
  const { answers, failure } = await transact(session, envelope, messageSource(content, job), settings);
  const resultOf = (answer: RecipientAnswer, recipient: string): DeliveryResult => {
    if (answer.state === 'delivered') return { outcome: 'delivered', confirmation: replyText(answer.reply) };
    if (answer.state === 'undecided') return failure === undefined ? noAnswer : failureResult(failure);
    const after = answer.stage === 'end' ? 'end of data' : [`RCPT TO:<${recipient}>`, ...parameters].join(' ');
    return refusal(answer.stage, after, answer.reply);
  };
  return together(answers.map((answer, i) => resultOf(answer, job.recipients[i] ?? '')));
}

const noAnswer = deferred(errorCodes.unknown, 'the LMTP server said nothing about this recipient');
