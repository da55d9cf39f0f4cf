/** Tells the comsat daemon that a user has new mail (Exim spec 26, notify_comsat; comsat(8)). Nobody waits for it. */

import { sendDatagram } from '../net/send-datagram.ts';

/** The port of the service biff. */
const biff = 512;

/** `offset`: where the message begins in the mailbox file; -1 for what is no such file. */
export async function tellComsat(user: string, offset: number, port = biff): Promise<void> {
  await sendDatagram('127.0.0.1', port, Buffer.from(`${user}@${offset}\n\0`, 'latin1'));
}
