/** Cyrus saslauthd: four counted strings on its socket, and `OK` or `NO` as the answer. */

import type { Clean } from '../safe/taint.ts';
import { askSocket } from './ask-socket.ts';

export interface SaslCredentials {
  readonly user: string;
  readonly password: string;
  readonly service: string;
  readonly realm: string;
}

const counted = (text: string): string =>
  `${String.fromCharCode((text.length >> 8) & 0xff, text.length & 0xff)}${text}`;

const seconds = 30;

/** Whether the daemon behind the socket accepts them. */
export async function askSaslauthd(
  socket: Clean,
  { user, password, service, realm }: SaslCredentials,
): Promise<{ readonly accepted: boolean } | { readonly error: string }> {
  const parts = [user, password, service, realm];
  if (parts.some((part) => part.length > 0xffff)) return { error: 'credentials are too long for saslauthd' };
  const reply = await askSocket(
    { path: socket },
    { text: parts.map(counted).join(''), timeout: seconds, shutdown: false },
  );
  switch (reply.outcome) {
    case 'answered':
      return { accepted: /^..OK/s.test(reply.text) };
    case 'not connected':
      return { error: `cannot connect to saslauthd daemon at ${socket}: ${reply.reason}` };
    case 'failed':
      return { error: `saslauthd daemon at ${socket}: ${reply.message}` };
  }
}
