/**
 * Asks the host of a client which user its connection belongs to (RFC 1413). Whatever goes wrong, there is no answer, and
 * the session goes on without.
 */

import * as clock from '../lib/clock.ts';
import { trim } from '../lib/octets.ts';
import { connectTcp } from './connect.ts';

export interface IdentQuestion {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Seconds for all of it. */
  readonly timeout: number;
  /** Where the other side is asked; that of the protocol, unless a test says otherwise. */
  readonly identPort?: number;
}

const standardPort = 113;
const longestAnswer = 1000;
/** What is kept of a name, as in the real program. */
const longestName = 127;

/** The name in an answer about just these ports. */
export function parseIdent(line: string, remotePort: number, localPort: number): string | undefined {
  const [, remote, local, name = ''] =
    /^[ \t]*(\d{1,5})[ \t]*,[ \t]*(\d{1,5})[ \t]*:[ \t]*USERID[ \t]*:[^:]*:(.*)$/s.exec(line) ?? [];
  if (Number(remote) !== remotePort || Number(local) !== localPort) return undefined;
  const text = trim(name).slice(0, longestName);
  return text === '' ? undefined : text;
}

/** The user's name as the other side tells it. */
export async function askIdent(question: IdentQuestion): Promise<string | undefined> {
  const { remoteAddress, remotePort, localAddress, localPort, timeout, identPort = standardPort } = question;
  const end = clock.elapsed() + timeout * 1000;
  const target = { address: remoteAddress, port: identPort, from: localAddress, timeout, keepAlive: false };
  const connection = await connectTcp(target);
  if (connection.outcome !== 'connected') return undefined;
  const { stream } = connection;
  try {
    await stream.write(`${remotePort} , ${localPort}\r\n`, Math.max(end - clock.elapsed(), 1));
    let answer = '';
    for (let left = end - clock.elapsed(); left > 0; left = end - clock.elapsed()) {
      const read = await stream.read(left);
      if (read.outcome !== 'octets') return undefined;
      answer += read.octets.toString('latin1');
      const line = answer.indexOf('\n');
      if (line >= 0) return parseIdent(answer.slice(0, line), remotePort, localPort);
      if (answer.length > longestAnswer) return undefined;
    }
    return undefined;
  } finally {
    stream.close();
  }
}
