/**
 * A name server for tests, in this process, on a random port of 127.0.0.1 by UDP and TCP. It is authoritative for
 * everything: a name that is not in its zone does not exist. It writes its answers with the library dns-packet, so that
 * the program's own reader of DNS messages is tested against other people's idea of them. Its zones are told in
 * `test-dns-zone.ts`.
 */

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import packet, { type Answer, type DecodedPacket, type Question } from 'dns-packet';
import { type Fault, parseZone, plain, writers, type Zone } from './test-dns-zone.ts';

const codes: ReadonlyMap<string, number> = new Map([
  ['FORMERR', 1],
  ['SERVFAIL', 2],
  ['NOTIMP', 4],
  ['REFUSED', 5],
]);
const nameError = 3;

interface Sections {
  readonly answers: Answer[];
  readonly authorities: Answer[];
  readonly code: number;
}

const formError: Sections = { answers: [], authorities: [], code: 1 };

/** A question the server was asked. */
export interface Asked {
  readonly name: string;
  readonly type: string;
  readonly by: 'udp' | 'tcp';
  readonly id: number;
  /** The client's port. */
  readonly port: number;
  readonly edns: boolean;
  /** The DO bit. */
  readonly dnssec: boolean;
}

export class TestDns {
  readonly port: number;
  readonly asked: Asked[] = [];
  /** Answers in the server's place, with any octets; nothing leaves the question to the zone. */
  hijack: ((query: Buffer, by: 'udp' | 'tcp') => readonly Buffer[] | undefined) | undefined;
  #zone: Zone;
  readonly #udp: Socket;
  readonly #tcp: Server;
  readonly #other = createSocket('udp4');
  #closed = false;

  private constructor(zone: string, udp: Socket, tcp: Server) {
    this.#zone = parseZone(zone);
    this.#udp = udp;
    this.#tcp = tcp;
    this.port = udp.address().port;
    udp.on('message', (query, from) => this.#byUdp(query, from));
    tcp.on('connection', (connection) => {
      let pending = Buffer.alloc(0);
      connection.on('error', () => connection.destroy());
      connection.on('data', (data) => {
        pending = Buffer.concat([pending, data]);
        while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
          const query = pending.subarray(2, 2 + pending.readUInt16BE(0));
          pending = pending.subarray(2 + query.length);
          this.#answer(query, 'tcp', connection.remotePort ?? 0, (reply) => {
            const length = Buffer.alloc(2);
            length.writeUInt16BE(reply.length);
            connection.write(Buffer.concat([length, reply]));
          });
        }
      });
    });
  }

  /** Starts a server; with `port` 0 on one that is free by UDP and TCP. */
  static async start(zone = '', port = 0): Promise<TestDns> {
    for (;;) {
      const udp = createSocket('udp4');
      await new Promise<void>((resolve) => udp.bind(port, '127.0.0.1', resolve));
      const tcp = createServer();
      const listening = await new Promise<boolean>((resolve) => {
        tcp.once('error', () => resolve(false));
        tcp.listen(udp.address().port, '127.0.0.1', () => resolve(true));
      });
      if (listening) return new TestDns(zone, udp, tcp);
      udp.close();
      if (port !== 0) throw new Error(`port ${port} is in use`);
    }
  }

  /** As a resolver's settings want it. */
  get server(): { readonly address: string; readonly port: number } {
    return { address: '127.0.0.1', port: this.port };
  }

  set zone(text: string) {
    this.#zone = parseZone(text);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#other.close();
    await new Promise<void>((resolve) => this.#udp.close(resolve));
    await new Promise<void>((resolve) => {
      this.#tcp.close(() => resolve());
    });
  }

  #fault(what: string, question: Pick<Question, 'name' | 'type'>): Fault | undefined {
    return this.#zone.faults.find(
      (fault) =>
        fault.what === what &&
        fault.name === plain(question.name) &&
        (!(fault.argument in writers) || fault.argument === question.type),
    );
  }

  #byUdp(query: Buffer, from: RemoteInfo): void {
    const send = (reply: Buffer) => {
      if (!this.#closed) this.#udp.send(reply, from.port, from.address, () => undefined);
    };
    this.#answer(query, 'udp', from.port, (reply, question) => {
      if (question === undefined || this.#fault('OTHERPORT', question) === undefined) {
        send(reply);
        return;
      }
      const forged = packet.encode({
        type: 'response',
        id: query.readUInt16BE(0),
        questions: [question],
        answers: [{ type: 'A', name: question.name, class: 'IN', ttl: 60, data: '192.0.2.66' }],
      });
      this.#other.send(forged, from.port, from.address, () => setTimeout(send, 20, reply));
    });
  }

  #answer(query: Buffer, by: 'udp' | 'tcp', port: number, send: (reply: Buffer, question?: Question) => void): void {
    const replies = this.hijack?.(query, by);
    if (replies !== undefined) {
      for (const reply of replies) send(reply);
      return;
    }
    const decoded = packet.decode(query);
    const question = decoded.questions?.[0];
    if (question === undefined) return;
    const opt = decoded.additionals?.find((record) => record.type === 'OPT');
    const { id = 0 } = decoded;
    this.asked.push({
      name: question.name,
      type: question.type,
      by,
      id,
      port,
      edns: opt !== undefined,
      dnssec: opt?.flag_do === true,
    });
    if (this.#fault('DROP', question)) return;
    if (this.#fault('GARBAGE', question)) {
      send(Buffer.from('\x16\x03\x01 this is no DNS message', 'latin1'));
      return;
    }
    const reply = this.#reply(decoded, question, by, opt?.udpPayloadSize ?? 512);
    if (this.#fault('WRONGID', question)) reply.writeUInt16BE(id ^ 1, 0);
    const delay = this.#fault('DELAY', question);
    if (delay === undefined) send(reply, question);
    else setTimeout(send, Number(delay.argument), reply, question);
  }

  #reply(query: DecodedPacket, question: Question, by: 'udp' | 'tcp', limit: number): Buffer {
    const rejected = limit > 512 && this.#fault('NOEDNS', question) !== undefined;
    const { answers, authorities, code } = rejected ? formError : this.#records(question);
    const flags =
      packet.RECURSION_DESIRED |
      packet.RECURSION_AVAILABLE |
      packet.AUTHORITATIVE_ANSWER |
      (this.#fault('SECURE', question) ? packet.AUTHENTIC_DATA : 0);
    const head = {
      type: 'response' as const,
      id: query.id,
      questions: [this.#fault('WRONGNAME', question) ? { ...question, name: `not.${question.name}` } : question],
    };
    const reply = packet.encode({ ...head, flags: flags | code, answers, authorities });
    if (by === 'tcp' || (reply.length <= limit && !this.#fault('TRUNCATE', question))) return reply;
    return packet.encode({ ...head, flags: flags | packet.TRUNCATED_RESPONSE });
  }

  #records(question: Question): Sections {
    for (const [word, code] of codes) if (this.#fault(word, question)) return { answers: [], authorities: [], code };
    const { records, names, denial } = this.#zone;
    const aliases: Answer[] = [];
    let name = plain(question.name);
    for (let i = 0; i < 8 && question.type !== 'CNAME'; i++) {
      const alias = records.find((record) => plain(record.name) === name && record.type === 'CNAME');
      if (alias?.type !== 'CNAME') break;
      aliases.push(alias);
      if (this.#fault('UNFOLLOWED', { name, type: question.type }))
        return { answers: aliases, authorities: [], code: 0 };
      name = plain(alias.data);
    }
    const found = records.filter((record) => plain(record.name) === name && record.type === question.type);
    const code = found.length > 0 || names.has(name) ? 0 : nameError;
    return { answers: [...aliases, ...found], authorities: found.length > 0 ? [] : [denial], code };
  }
}
