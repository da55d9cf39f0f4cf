/** For tests: a socket of the file system that takes datagrams. */

import { koffi } from './koffi.ts';
import type { Clean } from './taint.ts';

export interface Receiver {
  /** All that has come since the last call. */
  taken(): string[];
  close(): void;
}

const doNotWait = 0x40; // MSG_DONTWAIT

export function receiveAt(path: Clean): Receiver {
  const libc = koffi().load('libc.so.6');
  const receive = libc.func('intptr_t recv(int descriptor, void *data, size_t length, int flags)');
  const descriptor: number = libc.func('int socket(int domain, int type, int protocol)')(1, 2, 0);
  const address = Buffer.from(`\x01\0${path}\0`, 'latin1');
  const bound = libc.func('int bind(int descriptor, const void *address, uint32_t length)');
  if (bound(descriptor, address, address.length) !== 0) throw new Error(`cannot bind ${path}`);
  return {
    taken() {
      const found: string[] = [];
      for (;;) {
        const room = Buffer.alloc(65_536);
        const length = Number(receive(descriptor, room, room.length, doNotWait));
        if (length < 0) return found;
        found.push(room.toString('latin1', 0, length));
      }
    },
    close: () => libc.func('int close(int descriptor)')(descriptor),
  };
}
