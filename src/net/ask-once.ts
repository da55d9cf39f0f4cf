/** One question to a port and the first thing that comes back, over UDP or TCP, as the iplookup router asks (Exim spec 19). */

import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { ipVersion } from './address.ts';

export interface PortQuestion {
  readonly protocol: 'udp' | 'tcp';
  /** An IP address. */
  readonly address: string;
  readonly port: number;
  readonly text: string;
  /** Seconds to wait for the connection, and for the answer. */
  readonly timeout: number;
}

/** Octets of an answer that count. */
const longestAnswer = 4096;
/** The longest time that timers know, in seconds. */
const longestWait = 2_000_000;

/** The answer; nothing when there is none, or it is empty. */
export async function askOnce(question: PortQuestion): Promise<string | undefined> {
  const answer = await (question.protocol === 'udp' ? askPacket(question) : askConnection(question));
  return answer === undefined || answer.length === 0 ? undefined : answer.toString('latin1', 0, longestAnswer);
}

const milliseconds = (timeout: number): number => Math.min(Math.max(timeout, 0.001), longestWait) * 1000;

function askPacket({ address, port, text, timeout }: PortQuestion): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(ipVersion(address) === 6 ? 'udp6' : 'udp4');
    let done = false;
    const end = (answer: Buffer | undefined): void => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => end(undefined), milliseconds(timeout));
    socket.once('error', () => end(undefined));
    // a connected socket takes packets from this server only
    socket.once('connect', () => socket.send(Buffer.from(text, 'latin1'), (error) => error !== null && end(undefined)));
    socket.once('message', end);
    socket.connect(port, address);
  });
}

function askConnection({ address, port, text, timeout }: PortQuestion): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, autoSelectFamily: false });
    const end = (answer: Buffer | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => end(undefined), milliseconds(timeout));
    socket.once('connect', () => {
      timer.refresh();
      socket.write(text, 'latin1');
    });
    socket.once('data', end);
    socket.on('error', () => end(undefined));
    socket.once('close', () => end(undefined));
  });
}
