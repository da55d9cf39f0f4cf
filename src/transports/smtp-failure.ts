/**
 * What a failure of an SMTP session means for a delivery (Exim spec 49.2), in the words that administrators search
 * their logs for: whether it is the host's fault, or comes of this message or recipient, and whether it is final.
 */

import { constants } from 'node:os';
import type { Failure, Stage } from '../smtp/client/failure.ts';
import { type Reply, replyClass, replyText } from '../smtp/reply.ts';
import { type DeliveryError, errorCodes } from './transport.ts';

export interface Verdict {
  readonly outcome: 'deferred' | 'failed';
  readonly of: 'host' | 'message' | 'recipient';
  /** What an event_action had against the host, in words for callouts. */
  readonly objection?: string | undefined;
  readonly error: DeliveryError;
  /** The log has no line of its own for it. */
  readonly quiet?: boolean | undefined;
}

const refusalCodes: Readonly<Partial<Record<Stage, number>>> = {
  mail: errorCodes.mail4xx,
  recipient: errorCodes.rcpt4xx,
  data: errorCodes.data4xx,
  end: errorCodes.data4xx,
};

/** Where a refusal belongs to the message and not to the host. */
const messageStages: ReadonlySet<Stage> = new Set(['mail', 'data', 'end']);

/** Servers take their time to check senders and recipients, and some miss the end of a message. */
const patience: Readonly<Partial<Record<Stage, Verdict['of']>>> = {
  mail: 'message',
  recipient: 'recipient',
  end: 'message',
};

/** Some servers drop the connection when they do not like a message. */
const ofLoss = (stage: Stage): Verdict['of'] => (stage === 'end' ? 'message' : 'host');

/** What came before: `pipelined` where more had been sent than the reply is for. */
function before({ after, pipelined }: Failure): string {
  return `${pipelined ? 'pipelined ' : ''}${after}`;
}

/** A reply of 4xx as an error, at a stage where each kind of refusal has its number. */
function refusal(stage: Stage, message: string, reply: Reply): DeliveryError {
  const isTemporary = replyClass(reply) === 4 || (stage === 'recipient' && replyClass(reply) !== 5);
  return {
    code: (isTemporary && refusalCodes[stage]) || 0,
    message: `${message}: ${replyText(reply)}`,
    detail: reply.code,
    reply: replyText(reply),
  };
}

/** Only 5xx is final; what is neither consent nor a proper refusal is tried again. */
export const finality = (reply: Reply): Verdict['outcome'] => (replyClass(reply) === 5 ? 'failed' : 'deferred');

/** The refusal of one recipient after RCPT. */
export function recipientRefusal(recipient: string, reply: Reply): Verdict {
  const message = `SMTP error from remote mail server after RCPT TO:<${recipient}>`;
  return { outcome: finality(reply), of: 'recipient', error: refusal('recipient', message, reply) };
}

/** The refusal of one recipient at the end of a transaction, by LMTP or PRDR. */
export function endRefusal(reply: Reply, way: 'LMTP' | 'PRDR'): Verdict {
  const text = replyText(reply);
  const error = { code: 0, message: `${way} error after DATA: ${text}`, detail: reply.code, reply: text };
  return { outcome: finality(reply), of: 'recipient', error };
}

export function verdictOf(failure: Failure): Verdict {
  const { stage } = failure;
  const deferral = (of: Verdict['of'], error: DeliveryError): Verdict => ({ outcome: 'deferred', of, error });
  switch (failure.kind) {
    case 'refused': {
      const message = `SMTP error from remote mail server after ${before(failure)}`;
      const of = messageStages.has(stage) ? 'message' : 'host';
      return { outcome: finality(failure.reply), of, error: refusal(stage, message, failure.reply) };
    }
    case 'timeout': {
      const message = `SMTP timeout after ${stage === 'recipient' ? failure.after : before(failure)}`;
      return deferral(patience[stage] ?? 'host', { code: constants.errno.ETIMEDOUT, message, timeout: 'other' });
    }
    case 'closed': {
      const message = `Remote host closed connection in response to ${before(failure)}`;
      return deferral(ofLoss(stage), { code: errorCodes.connectionLost, message });
    }
    case 'broken':
      return deferral(ofLoss(stage), { code: failure.code, message: `connection broke after ${before(failure)}` });
    case 'malformed': {
      const shown = failure.text === '' ? ' (an empty line)' : '';
      const text = failure.text === '' ? '' : `: ${failure.text}`;
      const message = `Malformed SMTP reply${shown} in response to ${before(failure)}${text}`;
      return deferral('host', { code: errorCodes.malformedReply, message });
    }
    case 'early': {
      const message = `SMTP reply before ${before(failure)} was sent: ${replyText(failure.reply)}`;
      return deferral('host', { code: errorCodes.malformedReply, message });
    }
  }
}
