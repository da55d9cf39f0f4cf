/** Deliveries by the smtp transport to servers of the test, for its tests. */

import assert from 'node:assert/strict';
import type { Offers } from '../hints/offer-hints.ts';
import { closedPort, TestServer } from '../net/test-server.ts';
import { commandsOf, type Exceptions, mailServer } from '../smtp/test-mail-server.ts';
import { smtp } from './smtp.ts';
import { smtpOptions } from './smtp-options.ts';
import { addressed, host, optionsWith, requestFor, TestMessage, TestServices } from './test-delivery.ts';
import type { DeliveryRequest, RemoteResult } from './transport.ts';

interface Case {
  readonly settings?: Readonly<Record<string, string>>;
  readonly to?: readonly string[];
  readonly request?: Partial<DeliveryRequest>;
  /** What the servers offered last time. */
  readonly remembered?: Offers;
}

/** The least patience that a configuration can ask for; the tests wait for a tenth of it. */
export const impatient = { command_timeout: '1s', final_timeout: '1s' };

/** What became of an address, in one line: outcome, code, then the host that said it, then what it was. */
export function shown(address: string, result: RemoteResult): string {
  if (result.outcome === 'delivered') {
    return `${address} => ${result.host.name}${result.continued ? '*' : ''} "${result.confirmation}"`;
  }
  const where = result.host === undefined ? '' : ` ${result.host.name}${result.continued ? '*' : ''}`;
  const retry = result.retry === undefined ? '' : ` (${result.retry})`;
  return `${address} ${result.outcome} ${result.code}${where}: ${result.message}${retry}`;
}

/** Servers of the test, on addresses that differ and a port that does not. */
export async function deliver(
  servers: readonly (Exceptions | 'nobody')[],
  { settings = {}, to = ['a@b.example'], request = {}, remembered }: Case,
): Promise<{
  readonly results: readonly string[];
  readonly services: TestServices;
  readonly messages: readonly string[];
  readonly sent: readonly (readonly string[])[];
}> {
  const messages: string[] = [];
  const started: TestServer[] = [];
  let port: number | undefined;
  for (const [i, exceptions] of servers.entries()) {
    if (exceptions === 'nobody') continue;
    const where = { address: `127.0.0.${i + 1}`, ...(port === undefined ? {} : { port }) };
    const server = await TestServer.start(mailServer(exceptions, messages), where);
    port ??= server.port;
    started.push(server);
  }
  port ??= await closedPort();
  const message = new TestMessage();
  const services = new TestServices();
  services.remembered = remembered;
  const set = optionsWith(smtpOptions, { helo_data: 'me.example', ...settings });
  const quick = set.command_timeout === 1 ? { command_timeout: 0.1, final_timeout: 0.1 } : {};
  const options = { ...set, ...quick };
  const worker = smtp.make(options, requestFor(message).common, new Set(Object.keys(settings)));
  assert.equal(worker.style, 'remote');
  try {
    const hosts = servers.map((_, i) => host(`127.0.0.${i + 1}`, port));
    const outcomes = await worker.deliver(
      requestFor(message, { hosts, addresses: addressed(...to), ...request }),
      services,
    );
    await Promise.all(started.flatMap(({ connections }) => connections.map(({ gone }) => gone)));
    return {
      results: outcomes.map(({ address, result }) => shown(address.recipient, result)),
      services,
      messages,
      sent: started.flatMap(({ connections }) => connections.map(commandsOf)),
    };
  } finally {
    for (const server of started) await server.close();
    message.close();
  }
}
