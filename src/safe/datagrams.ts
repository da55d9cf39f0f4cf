/**
 * Datagrams to a socket of the file system, such as the system log's. The run-time has no such sockets, so the C library
 * is asked. A receiver that does not read is waited for, but not for long.
 */

import { koffi } from './koffi.ts';
import type { Clean } from './taint.ts';

interface Calls {
  readonly socket: (domain: number, type: number, protocol: number) => number;
  readonly connect: (descriptor: number, address: Buffer, length: number) => number;
  readonly setOption: (descriptor: number, level: number, name: number, value: Buffer, length: number) => number;
  readonly send: (descriptor: number, data: Buffer, length: number, flags: number) => number;
  readonly close: (descriptor: number) => number;
}

let calls: Calls | undefined;

function load(): Calls {
  if (calls !== undefined) return calls;
  const libc = koffi().load('libc.so.6');
  calls = {
    socket: libc.func('int socket(int domain, int type, int protocol)'),
    connect: libc.func('int connect(int descriptor, const void *address, uint32_t length)'),
    setOption: libc.func('int setsockopt(int descriptor, int level, int name, const void *value, uint32_t length)'),
    send: libc.func('intptr_t send(int descriptor, const void *data, size_t length, int flags)'),
    close: libc.func('int close(int descriptor)'),
  };
  return calls;
}

const localFamily = 1; // AF_UNIX
const datagramAndClosedOnExec = 2 | 0o2000000; // SOCK_DGRAM | SOCK_CLOEXEC
const socketLevel = 1; // SOL_SOCKET
const sendTimeout = 21; // SO_SNDTIMEO
const noSignal = 0x4000; // MSG_NOSIGNAL
/** Octets of a path in an address, with the NUL behind it. */
const longestPath = 108;

/** One second, as a `struct timeval`. */
function patience(): Buffer {
  const octets = Buffer.alloc(16);
  octets.writeBigInt64LE(1n);
  return octets;
}

export class DatagramSocket {
  readonly #path: Clean;
  #descriptor = -1;

  constructor(path: Clean) {
    this.#path = path;
  }

  /** Sends one; false when nobody takes it. A receiver that has begun anew is found again. */
  send(octets: Buffer): boolean {
    return this.#try(octets) || this.#try(octets);
  }

  close(): void {
    if (this.#descriptor >= 0) load().close(this.#descriptor);
    this.#descriptor = -1;
  }

  #try(octets: Buffer): boolean {
    if (this.#descriptor < 0 && !this.#open()) return false;
    if (load().send(this.#descriptor, octets, octets.length, noSignal) === octets.length) return true;
    this.close();
    return false;
  }

  #open(): boolean {
    const { socket, connect, setOption } = load();
    const path = Buffer.from(`${this.#path}\0`, 'latin1');
    if (path.length > longestPath) return false;
    this.#descriptor = socket(localFamily, datagramAndClosedOnExec, 0);
    if (this.#descriptor < 0) return false;
    const family = Buffer.alloc(2);
    family.writeUInt16LE(localFamily);
    const address = Buffer.concat([family, path]);
    const wait = patience();
    setOption(this.#descriptor, socketLevel, sendTimeout, wait, wait.length);
    if (connect(this.#descriptor, address, address.length) === 0) return true;
    this.close();
    return false;
  }
}
