/**
 * The dovecot authenticator: the authentication service of a Dovecot server examines the client (Exim spec 37; Dovecot's
 * authentication protocol, version 1). What the client says goes to the service and back, in base64 as it is there.
 */

import type { ConnectionFacts } from '../expand/context.ts';
import type { ByteStream } from '../net/byte-stream.ts';
import { connectUnix } from '../net/connect.ts';
import { type Clean, reviewed, Text } from '../safe/taint.ts';
import { type ClientConversation, defineAuthenticator, type Examine, type ServerVerdict } from './authenticator.ts';
import { dovecotOptions } from './dovecot-options.ts';
import { checkCondition, setAuthValues } from './expanding.ts';

/** Seconds for the connection, and for each line of the service. */
const patience = 30;

/** Octets of a line, and lines of the greeting; Dovecot's are far shorter. */
const longestLine = 16_384;
const mostLines = 200;

/** The service cannot be used now; the message is for the log. */
class Unusable extends Error {}

const broken = 'authentication socket read error or premature eof';

const encoded = (text: string): string => Buffer.from(text, 'latin1').toString('base64');

/** Fields of a line, between tabs. */
type Fields = readonly string[];

class Service {
  readonly #stream: ByteStream;
  #text = '';

  constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  async next(): Promise<Fields> {
    for (;;) {
      const end = this.#text.indexOf('\n');
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        return line.split('\t');
      }
      if (this.#text.length > longestLine) throw new Unusable('authentication socket protocol error');
      const read = await this.#stream.read(patience * 1000);
      if (read.outcome !== 'octets') throw new Unusable(broken);
      this.#text += read.octets.toString('latin1');
    }
  }

  async say(...lines: readonly Fields[]): Promise<void> {
    const text = lines.map((fields) => `${fields.join('\t')}\n`).join('');
    const written = await this.#stream.write(text, patience * 1000);
    if (written.outcome !== 'written') throw new Unusable('error sending authentication request');
  }

  /** Reads the greeting: the version must be ours, and the mechanism one of those that are offered. */
  async greet(mechanism: string): Promise<void> {
    let offersIt = false;
    for (let i = 0; i < mostLines; i++) {
      const [word, first] = await this.next();
      if (word === 'VERSION' && first !== '1') throw new Unusable('authentication socket protocol version mismatch');
      if (word === 'MECH' && first === mechanism) offersIt = true;
      if (word !== 'DONE') continue;
      if (!offersIt) throw new Unusable(`Dovecot did not advertise mechanism "${mechanism}" to us`);
      return;
    }
    throw new Unusable('authentication socket protocol error');
  }
}

/** What the service is told of the connection, so that it can decide about plain passwords and log who came. */
function circumstances(connection: ConnectionFacts | undefined): Fields {
  const { hostAddress = '', interfaceAddress = '', tls } = connection ?? {};
  const isLocal = hostAddress !== '' && hostAddress === interfaceAddress;
  return [
    'service=smtp',
    ...(tls !== undefined || isLocal ? ['secured'] : []),
    ...(tls?.verified ? ['valid-client-cert'] : []),
    ...(hostAddress === '' ? [] : [`rip=${hostAddress}`, `lip=${interfaceAddress}`]),
    'nologin',
  ];
}

const userIn = (fields: Fields): string | undefined =>
  fields.find((field) => field.startsWith('user='))?.slice('user='.length);

/** Asks until the service has decided. */
async function decide(
  service: Service,
  request: Fields,
  { ask }: ClientConversation,
): Promise<{ readonly verdict: 'OK' | 'FAIL'; readonly user: string | undefined } | ServerVerdict> {
  await service.say(['VERSION', '1', '0'], ['CPID', String(process.pid)], request);
  for (;;) {
    const [word = '', id, ...rest] = await service.next();
    if (id !== '1') {
      if (word === 'OK' || word === 'FAIL' || word === 'CONT') {
        throw new Unusable('authentication socket connection id mismatch');
      }
      throw new Unusable('authentication socket protocol error');
    }
    if (word === 'OK' || word === 'FAIL') return { verdict: word, user: userIn(rest) };
    if (word !== 'CONT') throw new Unusable('authentication socket protocol error');
    const answer = await ask(Buffer.from(rest[0] ?? '', 'base64').toString('latin1'));
    if (answer.outcome !== 'text') return answer;
    await service.say(['CONT', '1', encoded(answer.text)]);
  }
}

function examine(socket: Clean, mechanism: string, condition: Parameters<typeof checkCondition>[0]): Examine {
  return async (conversation, context) => {
    const connection = await connectUnix(socket, patience);
    if (connection.outcome !== 'connected') {
      const message = `unable to connect to UNIX socket (${socket}): ${connection.text}`;
      return { outcome: 'deferred', message, told: false };
    }
    try {
      const service = new Service(connection.stream);
      await service.greet(mechanism);
      const response = `resp=${encoded(conversation.initial ?? '')}`;
      const request = ['AUTH', '1', mechanism, ...circumstances(context.connection), response];
      const decision = await decide(service, request, conversation);
      if ('outcome' in decision) return decision;
      if (decision.user !== undefined) setAuthValues([Text.tainted(decision.user)], context);
      return decision.verdict === 'OK' ? await checkCondition(condition, context) : { outcome: 'refused' };
    } catch (error) {
      if (!(error instanceof Unusable)) throw error;
      return { outcome: 'deferred', message: error.message, told: false };
    } finally {
      connection.stream.close();
    }
  };
}

export const dovecot = defineAuthenticator({
  name: 'dovecot',
  summary: 'a Dovecot authentication service',
  options: dovecotOptions,
  make: ({ server_socket }, { public_name, server_condition }) =>
    server_socket === undefined
      ? {}
      : { examine: examine(reviewed(server_socket, 'from the configuration'), public_name ?? '', server_condition) },
});
