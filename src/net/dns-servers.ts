/**
 * Asks the name servers of the settings until one gives an answer that counts: the next server when one is silent or
 * says that it cannot, TCP when UDP is too small, no EDNS for a server that does not know it. For `dns.ts` beside it.
 */

import { now } from '../lib/clock.ts';
import { crypto } from '../lib/crypto.ts';
import type { Again } from './dns-answer.ts';
import { Exchanges, type Reply } from './dns-exchange.ts';
import { isTruncated, type Message, readMessage, writeQuery } from './dns-message.ts';
import type { NameServer, ResolverSettings } from './resolv-conf.ts';

export interface ServerQuestion {
  /** The name as it stands in a message. */
  readonly octets: Uint8Array;
  readonly type: number;
  readonly dnssec: boolean;
}

type Answer = { readonly outcome: 'answered'; readonly message: Message } | Again;

/** For how many milliseconds a server that kept silent is asked after the others. */
const suspectFor = 30_000;

const codeNames: ReadonlyMap<number, string> = new Map([
  [1, 'FORMERR'],
  [2, 'SERVFAIL'],
  [4, 'NOTIMP'],
  [5, 'REFUSED'],
  [9, 'NOTAUTH'],
  [16, 'BADVERS'],
]);
const noError = 0;
const formatError = 1;
const nameError = 3;
/** What a server answers that does not know EDNS. */
const ignorantOfEdns: ReadonlySet<number> = new Set([formatError, 4, 16]);

function judge(server: NameServer, message: Message): Answer {
  const { code } = message;
  const refused = (why: string): Again => ({
    outcome: 'again',
    kind: code === formatError ? 'fault' : 'refused',
    message: `name server ${server.address}: ${why}`,
  });
  if (code !== noError && code !== nameError) return refused(codeNames.get(code) ?? `response code ${code}`);
  const lame = code === noError && !message.recursive && !message.authoritative && message.answers.length === 0;
  return lame ? refused('it answers only for its own zones') : { outcome: 'answered', message };
}

export class Servers {
  readonly #exchanges = new Exchanges();
  readonly #suspectUntil = new Map<NameServer, number>();
  #turn = 0;

  /** Asks every server, and those again that were silent, until one answers. */
  async ask(question: ServerQuestion, settings: ResolverSettings): Promise<Answer> {
    let servers = this.#inOrder(settings);
    let failure: Again = { outcome: 'again', kind: 'silence', message: 'there is no name server' };
    for (let attempt = 0; attempt < settings.attempts; attempt++) {
      const silent: NameServer[] = [];
      for (const server of servers) {
        const answer = await this.#askOne(server, question, settings, settings.edns || question.dnssec);
        if (answer.outcome === 'answered') return answer;
        if (answer.kind === 'silence') {
          silent.push(server);
          this.#suspectUntil.set(server, now() + suspectFor);
        }
        if (failure.kind === 'silence') failure = answer;
      }
      servers = silent;
    }
    return failure;
  }

  /** Forgets which servers were silent. */
  forget(): void {
    this.#suspectUntil.clear();
  }

  close(): void {
    this.#exchanges.close();
  }

  #inOrder({ servers, rotate }: ResolverSettings): NameServer[] {
    const first = rotate ? this.#turn++ % servers.length : 0;
    const turned = [...servers.slice(first), ...servers.slice(0, first)];
    const isSuspect = (server: NameServer) => (this.#suspectUntil.get(server) ?? 0) > now();
    return [...turned.filter((server) => !isSuspect(server)), ...turned.filter(isSuspect)];
  }

  async #askOne(
    server: NameServer,
    question: ServerQuestion,
    settings: ResolverSettings,
    edns: boolean,
  ): Promise<Answer> {
    const query = writeQuery({
      id: crypto().randomInt(0x10000),
      name: question.octets,
      type: question.type,
      edns,
      dnssec: question.dnssec,
      wantAuthentic: settings.trustAuthentic,
    });
    let reply: Reply | undefined;
    if (!settings.useTcp) reply = await this.#exchanges.udp(server, query, settings.timeout);
    if (reply === undefined || (reply.outcome === 'answered' && isTruncated(reply.octets)))
      reply = await this.#exchanges.tcp(server, query, settings.timeout);
    if (reply.outcome === 'silent') return { outcome: 'again', kind: 'silence', message: reply.message };
    const message = readMessage(reply.octets);
    if (message === undefined) {
      return { outcome: 'again', kind: 'refused', message: `name server ${server.address}: malformed answer` };
    }
    if (edns && ignorantOfEdns.has(message.code)) return this.#askOne(server, question, settings, false);
    return judge(server, message);
  }
}
