/** A server of RPC programs for tests, in this process, on a UDP port of 127.0.0.1. It is its own portmapper. */

import { createSocket, type Socket } from 'node:dgram';
import type { RpcPlace } from './rpc.ts';
import { XdrReader, xdr } from './rpc.ts';

/** Answers a call; nothing to say nothing. */
export type RpcAnswerer = (program: number, procedure: number, args: XdrReader) => Buffer | undefined;

export class TestRpc {
  readonly place: RpcPlace;
  calls = 0;
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.place = { address: '127.0.0.1', port: socket.address().port };
  }

  /** `spoil` changes replies on their way. */
  static async start(answer: RpcAnswerer, spoil: (reply: Buffer) => Buffer = (reply) => reply): Promise<TestRpc> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    const server = new TestRpc(socket);
    socket.on('message', (call, from) => {
      server.calls++;
      const head = new XdrReader(call);
      const [id = 0, , , program = 0, , procedure = 0] = Array.from({ length: 10 }, () => head.number());
      const isPortQuestion = program === 100_000 && procedure === 3;
      const results = isPortQuestion ? xdr(server.place.port) : answer(program, procedure, head);
      if (results !== undefined) {
        socket.send(spoil(Buffer.concat([xdr(id, 1, 0, 0, 0, 0), results])), from.port, from.address);
      }
    });
    return server;
  }

  close(): void {
    this.#socket.close();
  }
}
