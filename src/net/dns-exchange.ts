/**
 * One question to one name server and its answer, by UDP or TCP, for the resolver beside it. Every question has a socket
 * of its own, so a port of its own chosen by the kernel, connected so that only that server can answer; an answer to
 * another question, with another id, or from elsewhere is as if it had not come. No more than a fixed number of sockets
 * is open at once; other questions wait their turn. Between questions there is no socket and no timer.
 */

import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { errorText } from '../lib/errno.ts';
import { isReplyTo } from './dns-message.ts';
import type { NameServer } from './resolv-conf.ts';

export type Reply =
  | { readonly outcome: 'answered'; readonly octets: Buffer }
  /** Timed out, unreachable, or refused by the system; the message is for logs. */
  | { readonly outcome: 'silent'; readonly message: string };

const maxSockets = 200;
const maxWaiting = 20_000;
/** So many wrong answers to one question are an attack; then it is better to ask anew, from another port. */
const maxForeign = 100;

type Finish = (reply: Reply) => void;
/** Starts an exchange, which will later call `finish`; answers how to release what it holds. */
type Start = (finish: Finish) => () => void;

export class Exchanges {
  readonly #open = new Set<Finish>();
  readonly #waiting: (() => void)[] = [];
  #used = 0;
  #closed = false;

  /** Asks by UDP. The answer may be truncated. `timeout` in milliseconds. */
  udp(server: NameServer, query: Buffer, timeout: number): Promise<Reply> {
    return this.#exchange(server, timeout, (finish) => {
      let foreign = 0;
      const socket = createSocket({
        type: server.address.includes(':') ? 'udp6' : 'udp4',
        lookup: (address, _options, found) => found(null, address, 0),
      });
      socket.on('error', (error) => finish({ outcome: 'silent', message: errorText(error) }));
      socket.on('message', (octets) => {
        if (isReplyTo(query, octets)) finish({ outcome: 'answered', octets });
        else if (++foreign > maxForeign) finish({ outcome: 'silent', message: 'too many wrong answers' });
      });
      let released = false;
      socket.connect(server.port, server.address, (error?: Error) => {
        // a server that there is no way to
        if (error !== undefined) finish({ outcome: 'silent', message: errorText(error) });
        else if (!released) socket.send(query);
      });
      return () => {
        released = true;
        socket.close();
      };
    });
  }

  /** Asks by TCP. `timeout` in milliseconds, for all of it. */
  tcp(server: NameServer, query: Buffer, timeout: number): Promise<Reply> {
    return this.#exchange(server, timeout, (finish) => {
      const parts: Buffer[] = [];
      let size = 0;
      let needed = 2;
      const socket = connect({ host: server.address, port: server.port, noDelay: true });
      socket.on('error', (error) => finish({ outcome: 'silent', message: errorText(error) }));
      socket.on('close', () => finish({ outcome: 'silent', message: 'the connection was closed' }));
      socket.on('data', (part) => {
        parts.push(part);
        size += part.length;
        if (size < needed) return;
        const all = Buffer.concat(parts.splice(0));
        parts.push(all);
        needed = 2 + all.readUInt16BE(0);
        if (size < needed) return;
        const octets = all.subarray(2, needed);
        if (isReplyTo(query, octets)) finish({ outcome: 'answered', octets });
        else finish({ outcome: 'silent', message: 'wrong answer' });
      });
      const length = Buffer.alloc(2);
      length.writeUInt16BE(query.length);
      socket.write(Buffer.concat([length, query]));
      return () => socket.destroy();
    });
  }

  /** Gives up all exchanges, and every later one at once. */
  close(): void {
    this.#closed = true;
    for (const finish of this.#open) finish({ outcome: 'silent', message: 'the resolver is closed' });
  }

  /** Waits for a place among those that may have a socket; whoever leaves hands his place to the next. */
  async #exchange(server: NameServer, timeout: number, start: Start): Promise<Reply> {
    if (this.#waiting.length >= maxWaiting) return { outcome: 'silent', message: 'too many questions at once' };
    if (this.#used < maxSockets) this.#used++;
    else await new Promise<void>((proceed) => this.#waiting.push(proceed));
    const reply = await this.#run(timeout, start);
    const next = this.#waiting.shift();
    if (next === undefined) this.#used--;
    else next();
    if (reply.outcome === 'answered') return reply;
    return { outcome: 'silent', message: `name server ${server.address}: ${reply.message}` };
  }

  #run(timeout: number, start: Start): Promise<Reply> {
    if (this.#closed) return Promise.resolve({ outcome: 'silent', message: 'the resolver is closed' });
    return new Promise<Reply>((resolve) => {
      let release: (() => void) | undefined;
      const finish: Finish = (reply) => {
        if (!this.#open.delete(finish)) return;
        clearTimeout(timer);
        release?.();
        resolve(reply);
      };
      const timer = setTimeout(finish, timeout, { outcome: 'silent', message: 'no answer' });
      this.#open.add(finish);
      try {
        release = start(finish);
      } catch (error) {
        finish({ outcome: 'silent', message: errorText(error) });
      }
    });
  }
}
