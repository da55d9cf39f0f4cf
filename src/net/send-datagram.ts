/** Sends one UDP packet, as the ACL modifier `udpsend` does: nobody answers, and nobody waits for it to arrive. */

import { createSocket } from 'node:dgram';
import { errorText } from '../lib/errno.ts';
import { ipVersion } from './address.ts';

/** Answers what went wrong, if anything did. */
export function sendDatagram(address: string, port: number, octets: Buffer): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(ipVersion(address) === 6 ? 'udp6' : 'udp4');
    const end = (problem: string | undefined): void => {
      socket.close();
      resolve(problem);
    };
    socket.once('error', (error) => end(errorText(error)));
    try {
      socket.send(octets, port, address, (error) => end(error === null ? undefined : errorText(error)));
    } catch (error) {
      end(errorText(error));
    }
  });
}
