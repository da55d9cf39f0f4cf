/**
 * Calls of procedures over UDP (ONC RPC, RFC 5531, without authentication), their data (XDR, RFC 4506), and the ports
 * that programs have (portmapper, RFC 1833). For the protocols of NIS.
 */

import { randomInt } from 'node:crypto';
import * as clock from '../lib/clock.ts';
import { askOnce } from './ask-once.ts';

/** A program of a host, or the portmapper itself. */
export interface RpcPlace {
  readonly address: string;
  readonly port: number;
}

export interface RpcProcedure {
  readonly program: number;
  readonly version: number;
  readonly procedure: number;
}

const rpcVersion = 2;
const replyMessage = 1;
const udp = 17;
const getPort: RpcProcedure = { program: 100_000, version: 2, procedure: 3 };
/** Packets get lost: seconds until the question is sent once more, and how often it is. */
const patience = 3;
const attempts = 3;

/** Data as it is sent: numbers of four octets, and strings behind their length, filled up to a multiple of four. */
export function xdr(...values: readonly (number | string)[]): Buffer {
  return Buffer.concat(
    values.map((value) => {
      if (typeof value === 'number') {
        const octets = Buffer.alloc(4);
        octets.writeUInt32BE(value);
        return octets;
      }
      const text = Buffer.from(value, 'latin1');
      const filled = Buffer.alloc(Math.ceil(text.length / 4) * 4);
      text.copy(filled);
      return Buffer.concat([xdr(text.length), filled]);
    }),
  );
}

/** Reads data; what is not there reads as nothing. */
export class XdrReader {
  readonly #octets: Buffer;
  #at = 0;

  constructor(octets: Buffer) {
    this.#octets = octets;
  }

  number(): number | undefined {
    if (this.#at + 4 > this.#octets.length) return undefined;
    this.#at += 4;
    return this.#octets.readUInt32BE(this.#at - 4);
  }

  octets(length: number): Buffer | undefined {
    const start = this.#at;
    const end = start + Math.ceil(length / 4) * 4;
    if (end > this.#octets.length) return undefined;
    this.#at = end;
    return this.#octets.subarray(start, start + length);
  }

  string(): string | undefined {
    const length = this.number();
    return length === undefined ? undefined : this.octets(length)?.toString('latin1');
  }
}

/** The results in a reply to this call; nothing when it is none, or when the call was not carried out. */
function resultsOf(reply: Buffer, id: number): XdrReader | undefined {
  const reader = new XdrReader(reply);
  const [replied, kind, refused] = [reader.number(), reader.number(), reader.number()];
  if (replied !== id || kind !== replyMessage || refused !== 0) return undefined;
  const [flavor, verifier, status] = [reader.number(), reader.string(), reader.number()];
  return flavor === undefined || verifier === undefined || status !== 0 ? undefined : reader;
}

/** Calls a procedure; nothing when nobody answers, or not as it should. */
export async function callRpc(
  { address, port }: RpcPlace,
  { program, version, procedure }: RpcProcedure,
  args: Buffer,
): Promise<XdrReader | undefined> {
  const id = randomInt(2 ** 32);
  // no credentials, no verifier
  const text = Buffer.concat([xdr(id, 0, rpcVersion, program, version, procedure, 0, 0, 0, 0), args]).toString(
    'latin1',
  );
  for (let attempt = 0; attempt < attempts; attempt++) {
    const begun = clock.elapsed();
    const reply = await askOnce({ protocol: 'udp', address, port, text, timeout: patience });
    if (reply !== undefined) return resultsOf(Buffer.from(reply, 'latin1'), id);
    // refused at once: nobody is there
    if (clock.elapsed() - begun < 1000) return undefined;
  }
  return undefined;
}

/** The port of a program, as the portmapper of its host knows it. */
export async function rpcPort(
  portmapper: RpcPlace,
  { program, version }: Pick<RpcProcedure, 'program' | 'version'>,
): Promise<number | undefined> {
  const results = await callRpc(portmapper, getPort, xdr(program, version, udp, 0));
  const port = results?.number();
  return port === undefined || port < 1 || port > 65_535 ? undefined : port;
}
