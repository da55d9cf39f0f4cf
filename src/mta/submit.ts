/** Messages that the server itself writes: bounces, warnings, notes about full mailboxes. They are mail like any other. */

import { emptyMessage, newConnection } from '../expand/facts.ts';
import * as clock from '../lib/clock.ts';
import { headerLine } from '../mail/header-line.ts';
import { MessageReader } from '../mail/message-reader.ts';
import { timestamp } from '../observe/main-log.ts';
import { userWithId } from '../safe/users.ts';
import type { SpooledMessage } from '../spool/spooled-message.ts';
import { type Arrival, accept, prepareHeaders } from './arrival.ts';
import { logArrival } from './arrival-log.ts';
import { newContext, type Runtime } from './runtime.ts';

export interface Report {
  readonly recipients: readonly string[];
  /** Of the envelope; empty when nothing is said. */
  readonly sender?: string | undefined;
  /** Header lines, each ending with LF. */
  readonly headers: readonly string[];
  /** Writes the body. */
  writeBody(write: (piece: Buffer) => Promise<void> | undefined): Promise<void>;
  /** The message that it is about, if it got so far. */
  readonly reference: string | undefined;
  /** `-N` was given for that message. */
  readonly dontDeliver?: boolean | undefined;
}

/** Puts a report on the queue; it is locked and ready to be delivered. */
export async function submitReport(report: Report, runtime: Runtime): Promise<SpooledMessage> {
  const { user, spool, config } = runtime;
  const login = userWithId(user.uid)?.name ?? String(user.uid);
  const begun = clock.now();
  const newMessage = spool.begin();
  const context = newContext(runtime);
  const connection = { ...newConnection('', 0), ident: login, receivedProtocol: 'local' };
  context.connection = connection;
  context.message = emptyMessage(report.sender ?? '', user);
  context.message.authenticatedSender = config.main.bounce_sender_authentication ?? '';
  const reader = new MessageReader({ headers: config.main.header_maxsize, headerLine: 0 }, (piece) =>
    newMessage.write(piece),
  );
  try {
    await reader.push(Buffer.from(`${report.headers.join('')}\n`, 'latin1'));
    await report.writeBody((piece) => reader.push(piece));
    await reader.end();
    const arrival: Arrival = {
      runtime,
      connection,
      context,
      newMessage,
      reader,
      headers: reader.headers.map(headerLine),
      sender: report.sender ?? '',
      recipients: report.recipients.map((address) => ({ address })),
      begun,
      originator: { login, uid: user.uid, gid: user.gid },
      submitter: { login, fullName: '', isTrusted: true },
      isOwnSender: false,
      nonRecipients: [],
      dontDeliver: report.dontDeliver ?? false,
      submission: undefined,
      suppressFixups: false,
      qualification: { sender: runtime.settings.qualifyDomain, recipient: runtime.settings.qualifyRecipient },
      reference: report.reference,
      bodyType: '',
      messageIdMade: false,
      receivedLine: undefined,
    };
    await prepareHeaders(arrival);
    const message = await accept(arrival, false);
    logArrival(arrival, message, () => timestamp(clock.now()));
    return message;
  } catch (error) {
    newMessage.abandon();
    throw error;
  }
}
