/** One question to a server over TLS and its whole answer, for `${readsocket…}`. Whoever answers is believed, as in Exim. */

import * as clock from '../lib/clock.ts';
import type { Question, Reply, SocketPlace } from './ask-socket.ts';
import { connectTcp, connectUnix } from './connect.ts';
import { secureContext } from './tls-context.ts';

const maximumAnswer = 64 * 1024 * 1024;

const anyone = {
  identity: undefined,
  authorities: undefined,
  revoked: undefined,
  ciphers: '',
  options: undefined,
  curve: undefined,
  dhParameters: 'none' as const,
};

/** Asks, and answers all that comes back; the end of the connection is the end of the answer. */
export async function askTls(place: SocketPlace, question: Question, serverName: string): Promise<Reply> {
  const { text } = question;
  const timeout = Math.min(Math.max(question.timeout, 0.001), 2_000_000);
  const milliseconds = timeout * 1000;
  const connection =
    'path' in place
      ? await connectUnix(place.path, timeout)
      : await connectTcp({ ...place, timeout, keepAlive: false });
  if (connection.outcome !== 'connected') return { outcome: 'not connected', reason: connection.text };
  const context = await secureContext(anyone, clock.now());
  const secured = await connection.stream.startTls({
    context,
    sni: serverName,
    checkName: undefined,
    mustVerify: false,
    alpn: undefined,
    ocsp: 'not asked',
    timeout: milliseconds,
  });
  if (secured.outcome === 'failed') return { outcome: 'failed', message: `TLS connect failed: ${secured.text}` };
  const { stream } = secured;
  try {
    const sent = await stream.write(text, milliseconds);
    if (sent.outcome === 'timeout') return { outcome: 'failed', message: 'request write to socket timed out' };
    const pieces: Buffer[] = [];
    let size = 0;
    for (;;) {
      const read = await stream.read(milliseconds);
      if (read.outcome === 'timeout') return { outcome: 'failed', message: 'socket read timed out' };
      // a server that breaks off has answered what it said
      if (read.outcome !== 'octets') return { outcome: 'answered', text: Buffer.concat(pieces).toString('latin1') };
      pieces.push(read.octets);
      size += read.octets.length;
      if (size > maximumAnswer) return { outcome: 'failed', message: 'answer of socket is too long' };
    }
  } finally {
    stream.close();
  }
}
