/**
 * Sends a message over a transaction that was begun at RCPT, before it is on the queue (Exim spec 44.22,
 * cutthrough_delivery; 30). What the answer means is for those who receive the message.
 */

import { type Transaction, transact } from '../smtp/client/transaction.ts';
import { messageSource, readerOf } from './message-source.ts';
import type { OpenConnection } from './smtp-connection.ts';
import type { BegunTransaction } from './smtp-kept.ts';
import type { Content, TransportInstance } from './transport.ts';

/** Whether a transport sends messages just as they come: they are neither filtered nor signed. */
export function isCutthroughAble({ common, options }: TransportInstance, { recipients }: BegunTransaction): boolean {
  const { dkim_domain: signer, arc_sign: sealer, protocol, max_rcpt: most } = options;
  if (common.transport_filter !== undefined || signer !== undefined || sealer !== undefined) return false;
  return protocol !== 'lmtp' && (typeof most !== 'number' || most === 0 || recipients.length <= most);
}

/** Seconds that the options allow, in milliseconds. */
const milliseconds = ({ options }: TransportInstance, name: string): number =>
  typeof options[name] === 'number' ? options[name] * 1000 : 0;

/** Nothing when the host is not there any more, or has lost its patience: it was sent nothing then. */
export async function sendBegun(
  begun: BegunTransaction,
  transport: TransportInstance,
  content: Content,
): Promise<{ readonly connection: OpenConnection; readonly transaction: Transaction } | undefined> {
  if (!(await begun.connection.isFit())) return undefined;
  const { connection, release } = begun.connection.take();
  try {
    const transaction = await transact(
      connection.session,
      {
        sender: begun.sender,
        parameters: [],
        recipients: begun.recipients.map((address) => ({ address, parameters: [] })),
      },
      messageSource(readerOf(content), transport.common),
      {
        pipelining: false,
        begun: true,
        dataTimeout: milliseconds(transport, 'data_timeout'),
        finalTimeout: milliseconds(transport, 'final_timeout'),
      },
    );
    return { connection, transaction };
  } finally {
    connection.session.quit();
    release();
  }
}
